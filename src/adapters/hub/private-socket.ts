import { chmod, mkdir, readdir, rm } from "node:fs/promises";
import type { Server } from "node:net";
import { join } from "node:path";
import { OperationError } from "../../ports/operation-error.ts";

/** A socket that only this user reaches: in a folder of its own, because a socket is born with what the umask leaves. */
export interface PrivateSocket {
  readonly path: string;
  listen(server: Server): Promise<void>;
  remove(): Promise<void>;
}

/** One socket a process and role in `folder`; what processes left there that ended without cleaning up goes. Rejects with OperationError `hub-socket`. */
export async function privateSocket(folder: string, role: string): Promise<PrivateSocket> {
  const path = join(folder, `${role}-${process.pid}.sock`);
  await orRefuse(folder, async () => {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await chmod(folder, 0o700);
    for (const name of await readdir(folder)) {
      const owner = /-(\d+)\.sock$/.exec(name)?.[1];
      if (owner !== undefined && !isRunning(Number(owner))) await rm(join(folder, name), { force: true });
    }
    await rm(path, { force: true });
  });
  return {
    path,
    listen: (server) =>
      orRefuse(folder, async () => {
        await new Promise<void>((resolve, reject) => {
          server.once("error", reject);
          server.listen(path, resolve);
        });
        await chmod(path, 0o600);
      }),
    remove: () => rm(path, { force: true }),
  };
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // One that is not ours to signal is there all the same.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

async function orRefuse(folder: string, act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (cause) {
    const next = "machines dial engines as root, who may write /run";
    throw new OperationError("hub-socket", `cannot listen in ${folder}`, { cause, next });
  }
}
