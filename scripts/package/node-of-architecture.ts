import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ARCHITECTURES, type Architecture } from "./architectures.ts";
import { lockEntry, ROOT } from "./lock-file.ts";

/** Fifty megabytes; a slow line takes minutes. */
const FETCH_LIMIT_MS = 300_000;
const NODE_BYTES_MAX = 400 * 1024 * 1024;

/** The Node that goes into a package, with its version and its licence. */
export interface BundledNode {
  readonly npmName: string;
  readonly version: string;
  readonly binary: Buffer;
  readonly license: Buffer;
}

/**
 * The Node of tools/node for an architecture: this machine's lies in node_modules, where npm has proved it; another's is fetched by npm into
 * `.cache` and proved against the hash in package-lock.json here. Throws where it cannot be had, with the reason.
 */
export function nodeOfArchitecture(architecture: Architecture): BundledNode {
  const npmName = ARCHITECTURES[architecture].nodePackage;
  const { version, integrity } = lockEntry(`node_modules/${npmName}`);
  for (const modules of ["node_modules", "tools/node/node_modules"]) {
    const folder = join(ROOT, modules, npmName);
    if (!existsSync(join(folder, "bin/node"))) continue;
    const [binary, license] = [readFileSync(join(folder, "bin/node")), readFileSync(join(folder, "LICENSE"))];
    return { npmName, version, binary, license };
  }
  const archive = fetched(npmName, version, integrity);
  const member = (name: string) => execFileSync("tar", ["-xzOf", archive, name], { maxBuffer: NODE_BYTES_MAX });
  return { npmName, version, binary: member("package/bin/node"), license: member("package/LICENSE") };
}

function fetched(npmName: string, version: string, integrity: string): string {
  const folder = join(ROOT, ".cache/node");
  const archive = join(folder, `${npmName}-${version}.tgz`);
  if (!existsSync(archive)) {
    mkdirSync(folder, { recursive: true });
    const words = ["pack", `${npmName}@${version}`, "--pack-destination", folder, "--silent"];
    execFileSync("npm", words, { cwd: folder, timeout: FETCH_LIMIT_MS, stdio: ["ignore", "ignore", "pipe"] });
  }
  const found = `sha512-${createHash("sha512").update(readFileSync(archive)).digest("base64")}`;
  if (found === integrity) return archive;
  rmSync(archive);
  throw new Error(`${npmName} ${version} as fetched is not what package-lock.json names: ${found}`);
}
