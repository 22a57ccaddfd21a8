/**
 * One bundle for terminal and daemons: `dist/` is a folder that runs anywhere Node is (the lab mounts it into its machines).
 * Commands stay separate entry points with shared chunks, and oclif's manifest names them, so that one command loads only itself.
 */
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { bundledLicenses, bundledPackages } from "./package/bundled-packages.ts";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, "dist");

const TOPICS = {
  lab: { description: "A cluster of real systemd machines on this one" },
  registry: { description: "The embedded registry" },
  config: { description: "What daemons are told: check it, and make it for new machines" },
};

/** Builds `dist/` unless it is newer than everything it is made from. */
export async function buildIfStale(): Promise<void> {
  if (isStale()) await build();
}

/** Builds into a folder beside and swaps it in, so that nobody runs half a bundle. */
export async function build(): Promise<void> {
  const { build: bundle } = await import("esbuild");
  const staging = join(root, `dist.${process.pid}`);
  rmSync(staging, { recursive: true, force: true });
  mkdirSync(staging, { recursive: true });
  const commands = filesUnder(join(root, "src/cli/commands")).filter(
    (path) => path.endsWith(".ts") && !path.endsWith(".test.ts"),
  );
  const { metafile } = await bundle({
    // Paths stand in comments of the bundle: as seen from here, wherever this runs.
    absWorkingDir: root,
    metafile: true,
    // The child that fetches is a program of its own: it loads nothing of the rest.
    entryPoints: [join(root, "src/cli/main.ts"), join(root, "src/cli/fetch-child.ts"), ...commands],
    outbase: join(root, "src/cli"),
    outdir: staging,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    // Its "node" export is CommonJS, and such a package behind import() would have a default export only.
    alias: { "isomorphic-git": join(root, "node_modules/isomorphic-git/index.js") },
    target: "node22.12",
    minifySyntax: true,
    // CommonJS packages inside the bundle call require() for Node's own modules.
    banner: {
      js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
    },
    legalComments: "none",
    logLevel: "warning",
  });
  // What was read and shaken out again is in nobody's hands.
  const inputs = Object.values(metafile.outputs).flatMap((output) =>
    Object.entries(output.inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : [])),
  );
  writeFileSync(join(staging, "third-party.txt"), bundledLicenses(inputs));
  writeFileSync(join(staging, "bundled-packages.json"), `${JSON.stringify(bundledPackages(inputs), null, 2)}\n`);
  const { name, version, description, license } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const oclif = {
    bin: "fleet",
    dirname: "fleet",
    commands: "./commands",
    topicSeparator: " ",
    flexibleTaxonomy: false,
    topics: TOPICS,
  };
  writeFileSync(
    join(staging, "package.json"),
    `${JSON.stringify({ name, version, description, license, type: "module", files: ["."], oclif }, null, 2)}\n`,
  );
  cpSync(join(root, "bin/fleet.js"), join(staging, "fleet.js"));
  cpSync(join(root, "docs/diagnostics.md"), join(staging, "diagnostics.md"));
  cpSync(join(root, "packaging/systemd"), join(staging, "systemd"), { recursive: true });
  if (existsSync(join(root, "examples")))
    cpSync(join(root, "examples"), join(staging, "examples"), { recursive: true });
  await writeManifest(staging);
  rmSync(dist, { recursive: true, force: true });
  renameSync(staging, dist);
}

async function writeManifest(folder: string): Promise<void> {
  const { Plugin } = await import("@oclif/core/config");
  const plugin = new Plugin({ root: folder, type: "core", ignoreManifest: true, errorOnManifestCreate: true });
  await plugin.load();
  writeFileSync(join(folder, "oclif.manifest.json"), `${JSON.stringify(plugin.manifest, null, 2)}\n`);
}

function isStale(): boolean {
  const built = join(dist, "oclif.manifest.json");
  if (!existsSync(built)) return true;
  const builtAt = statSync(built).mtimeMs;
  const sources = [
    ...filesUnder(join(root, "src")),
    ...filesUnder(join(root, "examples")),
    ...filesUnder(join(root, "packaging/systemd")),
    join(root, "package.json"),
    join(root, "bin/fleet.js"),
    join(root, "docs/diagnostics.md"),
  ];
  return sources.some((path) => statSync(path).mtimeMs > builtAt);
}

function filesUnder(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

if (process.argv[1] !== undefined && relative(process.argv[1], fileURLToPath(import.meta.url)) === "") {
  if (process.argv.includes("--if-stale")) await buildIfStale();
  else await build();
}
