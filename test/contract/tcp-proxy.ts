import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

/** How a connection through the proxy ends when its time has come. */
export type CutKind = "reset" | "close" | "half-close";

/** When to cut a new connection, counted in bytes the server has sent on it; null never. */
export type CutPlan = () => { readonly afterBytes: number; readonly kind: CutKind } | null;

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  dropsReplies: boolean;
  isBlackhole: boolean;
}

/** A TCP proxy on the loopback that does to connections what networks do. */
export class TcpProxy {
  readonly port: number;
  /** Connections made and cut so far. */
  connections = 0;
  cuts = 0;
  /** New connections are accepted and never hear a word. */
  isBlackhole = false;
  readonly #listener: Server;
  readonly #pairs = new Set<Pair>();
  #plan: CutPlan = () => null;

  private constructor(listener: Server, targetPort: number) {
    this.#listener = listener;
    this.port = (listener.address() as { port: number }).port;
    listener.on("connection", (client) => this.#accept(client, targetPort));
  }

  static async start(targetPort: number): Promise<TcpProxy> {
    const listener = createServer({ allowHalfOpen: true }).listen(0, "127.0.0.1");
    await once(listener, "listening");
    return new TcpProxy(listener, targetPort);
  }

  get address(): string {
    return `etcd://127.0.0.1:${this.port}`;
  }

  /** For connections made from now on. */
  planCuts(plan: CutPlan): void {
    this.#plan = plan;
  }

  /** Present connections go silent without ending: bytes of both sides are read and dropped. */
  silence(): void {
    for (const pair of this.#pairs) pair.isBlackhole = true;
  }

  /** Present connections still carry requests; what the server says is dropped. */
  dropReplies(): void {
    for (const pair of this.#pairs) pair.dropsReplies = true;
  }

  /** Ends present connections with a reset. */
  cut(): void {
    for (const pair of this.#pairs) this.#end(pair, "reset");
  }

  async close(): Promise<void> {
    this.#listener.close();
    for (const { client, server } of this.#pairs) {
      client.destroy();
      server.destroy();
    }
    await once(this.#listener, "close");
  }

  #accept(client: Socket, targetPort: number): void {
    this.connections += 1;
    const server = connect({ port: targetPort, host: "127.0.0.1", allowHalfOpen: true });
    const pair: Pair = { client, server, dropsReplies: false, isBlackhole: this.isBlackhole };
    const cut = this.#plan();
    let sent = 0;
    this.#pairs.add(pair);
    for (const [socket, peer] of [
      [client, server],
      [server, client],
    ] as const) {
      // Ends of every kind are what this proxy is for; 'close' follows each.
      socket.on("error", () => {});
      socket.on("close", () => {
        peer.destroy();
        this.#pairs.delete(pair);
      });
      socket.on("end", () => {
        if (!pair.isBlackhole) peer.end();
      });
    }
    client.on("data", (chunk) => {
      if (!pair.isBlackhole) forward(chunk, client, server);
    });
    server.on("data", (chunk) => {
      if (pair.isBlackhole || pair.dropsReplies) return;
      if (cut === null || sent + chunk.length <= cut.afterBytes) {
        sent += chunk.length;
        forward(chunk, server, client);
        return;
      }
      pair.dropsReplies = true;
      client.write(chunk.subarray(0, cut.afterBytes - sent), () => this.#end(pair, cut.kind));
    });
  }

  #end(pair: Pair, kind: CutKind): void {
    this.cuts += 1;
    pair.server.destroy();
    if (kind === "reset") pair.client.resetAndDestroy();
    else if (kind === "close") pair.client.destroy();
    else pair.client.end();
  }
}

/** Waits for a slow receiver instead of gathering what it has not read. */
function forward(chunk: Buffer, from: Socket, to: Socket): void {
  if (to.write(chunk)) return;
  from.pause();
  to.once("drain", () => from.resume());
}
