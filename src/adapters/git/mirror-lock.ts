import { linkSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { OperationError } from "../../ports/operation-error.ts";

/** Held by at most one process at a time. */
export interface MirrorLock {
  release(): void;
}

/**
 * Takes the folder's lock, or rejects with `mirror-busy`. The file names the holder by pid and start time, so a lock whose
 * holder died, or whose pid was given to another process since, is taken over.
 */
export function lockMirror(folder: string): MirrorLock {
  const path = join(folder, "lock");
  const draft = join(folder, `lock.${process.pid}.${process.hrtime.bigint()}`);
  const me = `${process.pid} ${startOf(process.pid) ?? "?"}\n`;
  writeFileSync(draft, me);
  try {
    for (let attempt = 0; attempt < 3; attempt++) {
      try {
        // A link either makes the whole file appear or fails: nobody ever sees an empty lock.
        linkSync(draft, path);
        return { release: () => rmSync(path, { force: true }) };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      }
      const holder = readIfThere(path);
      const [pid, start] = (holder ?? "").trim().split(" ");
      if (holder !== null && startOf(Number(pid)) === start) {
        throw new OperationError("mirror-busy", `process ${pid} already uses the mirror ${folder}`, {
          next: "stop it, or give this one a state directory of its own",
        });
      }
      rmSync(path, { force: true });
    }
    throw new OperationError("mirror-busy", `other processes keep taking the mirror ${folder}`);
  } finally {
    rmSync(draft, { force: true });
  }
}

/** When that process started, in clock ticks since boot (field 22 of proc(5)'s stat); null where there is none. */
function startOf(pid: number): string | null {
  const stat = Number.isInteger(pid) ? readIfThere(`/proc/${pid}/stat`) : null;
  // The command's name may hold spaces and parentheses; what follows its last parenthesis does not.
  return stat === null ? null : (stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null);
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ESRCH") return null;
    throw error;
  }
}
