import { randomBytes } from "node:crypto";
import { closeSync, openSync, renameSync, rmSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import { OperationError } from "../../ports/operation-error.ts";

/** Contenders that keep finding a lock, and then find it gone, give up. */
const ATTEMPTS_MAX = 10;

/**
 * Holds a directory for one process: a socket in it that somebody listens on. It ends with its process whatever happens,
 * and is seen from other pid and network namespaces too. Returns what releases it; rejects with `registry-data-locked`.
 */
export async function lockData(directory: string): Promise<() => Promise<void>> {
  // A socket's path has at most 107 bytes; through the directory's descriptor any directory fits.
  const descriptor = openSync(directory, "r");
  const folder = `/proc/self/fd/${descriptor}`;
  try {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const server = await listen(join(folder, "lock"));
      if (server !== undefined) {
        return async () => {
          await new Promise((resolve) => server.close(resolve));
          closeSync(descriptor);
        };
      }
      if ((await isAlive(join(folder, "lock"))) || !(await removeStale(folder))) break;
    }
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
  closeSync(descriptor);
  throw new OperationError("registry-data-locked", `another registry uses ${directory}`, {
    next: "stop it first, or choose another data directory",
  });
}

function listen(path: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once("error", (error: NodeJS.ErrnoException) =>
      error.code === "EADDRINUSE" ? resolve(undefined) : reject(error),
    );
    server.listen(path, () => {
      server.unref();
      resolve(server);
    });
  });
}

/** Whether somebody listens on this socket. */
export function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

/** Moves it away first and looks again: between two looks it may have become somebody's lock. False: it had. */
async function removeStale(folder: string): Promise<boolean> {
  const aside = join(folder, `lock.${randomBytes(6).toString("hex")}`);
  try {
    renameSync(join(folder, "lock"), aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return true;
  }
  if (await isAlive(aside)) {
    renameSync(aside, join(folder, "lock"));
    return false;
  }
  rmSync(aside);
  return true;
}
