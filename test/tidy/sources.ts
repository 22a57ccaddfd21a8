import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

export const root = join(import.meta.dirname, "../..");

/** Files of the repository as git tracks them, so that scratch files of whoever works here are nobody's business. Sorted. */
export function trackedFiles(): readonly string[] {
  const listed = execFileSync("git", ["-C", root, "ls-files", "-z"], { encoding: "utf8", maxBuffer: 16 << 20 });
  return listed
    .split("\0")
    .filter((path) => path !== "" && existsSync(join(root, path)))
    .sort();
}

export function textOf(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

/** What a module imports: files as paths from the root, packages and `node:` modules as written. Lazy imports count too. */
export function importsOf(path: string): readonly string[] {
  const text = withoutComments(textOf(path));
  const found = text.matchAll(/(?:\bfrom\s+|\bimport\s*\(\s*|^\s*import\s+)"([^"]+)"/gm);
  return [...found].map(([, target]) => (target!.startsWith(".") ? normalize(join(dirname(path), target!)) : target!));
}

/** Comment lines go; the code keeps its line numbers. Our formatter puts block comments on lines of their own. */
export function withoutComments(text: string): string {
  return text.replace(/^\s*(\/\/|\/\*|\*).*$/gm, "").replace(/\s\/\/ .*$/gm, "");
}

/** Everything a module needs, by imports of imports. */
export function importClosure(path: string): ReadonlySet<string> {
  const seen = new Set<string>();
  const open = [path];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (seen.has(next) || !existsSync(join(root, next))) continue;
    seen.add(next);
    if (next.endsWith(".ts")) open.push(...importsOf(next).filter((target) => target.endsWith(".ts")));
  }
  return seen;
}
