/**
 * `npm run package`: for each architecture a Debian package and an archive that runs anywhere, with Node inside, a list of what is in them
 * (CycloneDX), and SHA256SUMS. The same commit gives the same bytes, on whatever machine: nothing in them is of the machine or of now.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { build } from "./build.ts";
import { ARCHITECTURES, type Architecture } from "./package/architectures.ts";
import { tarOf } from "./package/archives.ts";
import type { BundledPackage } from "./package/bundled-packages.ts";
import { debOf } from "./package/deb.ts";
import { ROOT } from "./package/lock-file.ts";
import { type BundledNode, nodeOfArchitecture } from "./package/node-of-architecture.ts";
import { packageTree } from "./package/package-tree.ts";
import { sbom } from "./package/sbom.ts";

export interface PackageOptions {
  readonly version: string;
  readonly architecture: Architecture;
  /** The built bundle's folder. */
  readonly dist: string;
  /** Where the package goes; made where it is missing. */
  readonly out: string;
  /** zstd's, 1 to 19: 19 makes it a tenth smaller than 9, and takes a minute. */
  readonly level: number;
}

/** Smallest: it is made once and fetched often. */
const RELEASE_LEVEL = 19;

/** Writes `fleet_<version>_<architecture>.deb`; its path. */
export function writeDeb(
  { version, architecture, dist, out, level }: PackageOptions,
  node = nodeOfArchitecture(architecture),
): string {
  const time = commitTime();
  const files = packageTree({ version, time, dist, node });
  const deb = debOf(files, { version, architecture, time, level });
  return write(out, `fleet_${version}_${architecture}.deb`, deb);
}

/** Writes `fleet-<version>-linux-<architecture>.tar.gz`, everything in one folder; its path. */
export function writeArchive({ version, architecture, dist, out }: PackageOptions, node: BundledNode): string {
  const time = commitTime();
  const name = `fleet-${version}-linux-${architecture}`;
  const files = packageTree({ version, time, dist, node });
  return write(out, `${name}.tar.gz`, gzipSync(tarOf(files, { prefix: `${name}/`, time }), { level: 9 }));
}

/** Writes `fleet-<version>-linux-<architecture>.cdx.json`; its path. */
function writeSbom({ version, architecture, dist, out }: PackageOptions, node: BundledNode): string {
  const packages = JSON.parse(readFileSync(join(dist, "bundled-packages.json"), "utf8")) as BundledPackage[];
  const text = sbom({ version, time: commitTime(), packages, node });
  return write(out, `fleet-${version}-linux-${architecture}.cdx.json`, Buffer.from(text));
}

function write(folder: string, name: string, data: Uint8Array): string {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, name), data);
  return join(folder, name);
}

/** Seconds since 1970 of the commit, or what SOURCE_DATE_EPOCH says where there is no git. */
function commitTime(): number {
  const said = process.env.SOURCE_DATE_EPOCH;
  if (said !== undefined) return Number(said);
  return Number(execFileSync("git", ["-C", ROOT, "log", "-1", "--format=%ct"], { encoding: "utf8" }));
}

async function main(): Promise<void> {
  const own = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string };
  const { values } = parseArgs({
    options: {
      out: { type: "string", default: join(ROOT, "packages") },
      architecture: { type: "string", multiple: true, default: Object.keys(ARCHITECTURES) },
    },
  });
  await build();
  const written: string[] = [];
  for (const architecture of values.architecture as Architecture[]) {
    let node: BundledNode;
    try {
      node = nodeOfArchitecture(architecture);
    } catch (error) {
      process.stdout.write(`${architecture}: skipped, its Node is not to be had: ${(error as Error).message}\n`);
      process.exitCode = 1;
      continue;
    }
    const options = { ...own, architecture, dist: join(ROOT, "dist"), out: values.out, level: RELEASE_LEVEL };
    written.push(writeDeb(options, node), writeArchive(options, node), writeSbom(options, node));
  }
  const sums = written.map((path) => {
    const data = readFileSync(path);
    process.stdout.write(`${basename(path)}  ${(data.length / 1e6).toFixed(1)} MB\n`);
    return `${createHash("sha256").update(data).digest("hex")}  ${basename(path)}\n`;
  });
  write(values.out, "SHA256SUMS", Buffer.from(sums.join("")));
}

if (import.meta.main) await main();
