import { chmod, rm } from "node:fs/promises";
import { connect, createServer } from "node:net";

/**
 * Passes connections of a unix socket on to the first of these hosts that answers, until the signal aborts: machines of a lab reach
 * a registry on the host's loopback through the folder they share with the host, and nothing else.
 */
export async function relay(
  socketPath: string,
  targets: readonly { host: string; port: number }[],
  signal: AbortSignal,
): Promise<void> {
  await rm(socketPath, { force: true });
  const server = createServer((client) => {
    client.pause();
    const dial = (index: number): void => {
      const target = targets[index];
      if (target === undefined) return void client.destroy();
      const upstream = connect(target);
      let answered = false;
      upstream.once("connect", () => {
        answered = true;
        client.pipe(upstream).pipe(client);
        client.resume();
      });
      upstream.on("error", () => (answered ? client.destroy() : dial(index + 1)));
      upstream.once("close", () => (answered ? client.destroy() : undefined));
      client.once("close", () => upstream.destroy());
    };
    client.on("error", () => client.destroy());
    dial(0);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(socketPath, resolve);
  });
  // As the registry's own: the engines of the machines are in its folder's group.
  await chmod(socketPath, 0o660);
  await new Promise<void>((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
    if (signal.aborted) resolve();
  });
  server.close();
}
