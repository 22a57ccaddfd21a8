#!/usr/bin/env node
// The small file Node reads first: it turns the compile cache on before the bundle is loaded, which halves the start-up.
import { existsSync, lstatSync, mkdirSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const cache = process.env.NODE_COMPILE_CACHE ?? ownFolder();
if (cache !== null) enableCompileCache?.(cache);

const bundle = [new URL("./main.js", import.meta.url), new URL("../dist/main.js", import.meta.url)].find((url) =>
  existsSync(fileURLToPath(url)),
);
if (bundle === undefined) {
  console.error("fleet is not built here. Run: npm run build");
  process.exitCode = 1;
} else {
  const { main } = await import(bundle.href);
  await main(process.argv.slice(2));
}

/**
 * A folder below /tmp that is ours alone, or null where somebody else has made it. Node runs what it finds in its cache, and its own choice,
 * /tmp/node-compile-cache, is whoever's was there first: on a machine with other users, they could say what root runs.
 */
function ownFolder() {
  const user = process.getuid?.();
  const folder = join(tmpdir(), `fleet-compile-cache-${user}`);
  try {
    mkdirSync(folder, { mode: 0o700, recursive: true });
    const found = lstatSync(folder);
    return found.isDirectory() && found.uid === user && (found.mode & 0o022) === 0 ? folder : null;
  } catch {
    return null; // Nowhere to write: it starts more slowly.
  }
}
