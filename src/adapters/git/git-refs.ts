import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { GitFolder } from "./git-folder.ts";

/** As deep as git follows symbolic refs. */
const SYMBOLIC_DEPTH_MAX = 5;

/**
 * What a ref's full name (`HEAD`, `refs/heads/main`) points to, or null. Loose files win over packed-refs; a symbolic ref
 * is followed.
 */
export function readRef(folder: GitFolder, name: string, depth = 0): string | null {
  if (!isRefName(name)) return null;
  const text = readIfThere(join(name.startsWith("refs/") ? folder.common : folder.own, name));
  if (text !== null) {
    const target = /^ref: (\S+)\s*$/.exec(text)?.[1];
    if (target !== undefined) return depth < SYMBOLIC_DEPTH_MAX ? readRef(folder, target, depth + 1) : null;
    return /^([0-9a-f]{40})\s*$/.exec(text)?.[1] ?? null;
  }
  const packed = readIfThere(join(folder.common, "packed-refs")) ?? "";
  for (const line of packed.split("\n")) {
    if (line.length > 41 && line.slice(41) === name && /^[0-9a-f]{40} /.test(line)) return line.slice(0, 40);
  }
  return null;
}

/** The branch HEAD is on, also one without a commit yet; null where HEAD is a commit. */
export function readBranchName(folder: GitFolder): string | null {
  return /^ref: refs\/heads\/(\S+)\s*$/.exec(readIfThere(join(folder.own, "HEAD")) ?? "")?.[1] ?? null;
}

/** The full names a short one may mean, in git's order of preference (gitrevisions(7)). */
export function refCandidates(short: string): readonly string[] {
  if (short === "HEAD" || short === "@") return ["HEAD"];
  const name = short.startsWith("refs/") ? [short] : [];
  return [...name, `refs/tags/${short}`, `refs/heads/${short}`, `refs/remotes/${short}`, `refs/remotes/${short}/HEAD`];
}

/** git-check-ref-format(1), as far as it keeps a name from leaving the repository. */
function isRefName(name: string): boolean {
  if (name === "HEAD") return true;
  return name.startsWith("refs/") && !/\.\.|[\x00-\x20\x7f~^:?*[\\]|@\{|\/\/|\/\.|\.lock(\/|$)|[/.]$/.test(name);
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "EISDIR" || code === "ENOTDIR") return null;
    throw error;
  }
}
