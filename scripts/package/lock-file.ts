import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

export const ROOT = dirname(dirname(import.meta.dirname));

/** What package-lock.json says of one package: which it is, and the hash npm proves it by. */
export interface LockEntry {
  /** As the registry has it: another one than its folder's where it is an alias. */
  readonly name: string;
  readonly version: string;
  /** `sha512-` and base64. */
  readonly integrity: string;
  /** An SPDX expression, or empty where the package names none. */
  readonly license: string;
}

/** The entry of a path such as `node_modules/zod`; throws where the lock file has none. */
export function lockEntry(path: string): LockEntry {
  const lock = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8")) as {
    packages: Readonly<Record<string, Partial<LockEntry>>>;
  };
  const found = lock.packages[path];
  if (found?.version === undefined || found.integrity === undefined)
    throw new Error(`package-lock.json has no whole entry for ${path}`);
  const name = found.name ?? path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
  return { name, version: found.version, integrity: found.integrity, license: found.license ?? "" };
}
