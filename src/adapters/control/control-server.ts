import { chmod, mkdir, rename, rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { dirname } from "node:path";
import { OperationError } from "../../ports/operation-error.ts";
import { LineReader } from "./line-reader.ts";

/** Whoever connects says what is wanted at once; a program that hangs gives its place to the next. */
const REQUEST_WITHIN_MS = 5_000;
/** People and scripts at one machine; more wait in the kernel's queue. */
const CONNECTIONS_MAX = 16;

export interface ControlServer {
  close(): Promise<void>;
}

export interface ControlOptions {
  readonly path: string;
  /** Characters of a request's one line. */
  readonly requestMax: number;
  /** One request's answer, both without their line ends. */
  readonly answer: (line: string) => Promise<string>;
  readonly requestWithinMs?: number;
}

/**
 * Answers on a unix socket: a line in, a line out, and the end. Only its owner can connect (0600), and that is all there is of a proof of
 * who asks. A socket that a killed process left behind is replaced. Rejects with OperationError `control-socket` where there can be none.
 */
export async function serveControl(options: ControlOptions): Promise<ControlServer> {
  const { path } = options;
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
    // Whoever has gone away needs no answer, and nothing else can fail here.
    socket.on("error", () => socket.destroy());
    void converse(socket, options);
  });
  server.maxConnections = CONNECTIONS_MAX;
  const unborn = `${path}.new`;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o755 });
    await rm(unborn, { force: true });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(unborn, resolve);
    });
    // Known by its name only once nobody else may connect.
    await chmod(unborn, 0o600);
    await rename(unborn, path);
  } catch (cause) {
    server.close();
    throw new OperationError("control-socket", `cannot listen on ${path}`, { cause });
  }
  return {
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of open) socket.destroy();
      await closed;
      await rm(path, { force: true });
    },
  };
}

async function converse(socket: Socket, options: ControlOptions): Promise<void> {
  const { requestMax, answer, requestWithinMs = REQUEST_WITHIN_MS } = options;
  const line = await new LineReader(socket, requestMax).first(requestWithinMs);
  if (line === null) {
    socket.destroy();
    return;
  }
  socket.end(`${await answer(line)}\n`);
}
