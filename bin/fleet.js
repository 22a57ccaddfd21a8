#!/usr/bin/env node
// The small file Node reads first: it turns the compile cache on before the bundle is loaded, which halves the start-up.
import { existsSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { fileURLToPath } from "node:url";

enableCompileCache?.();

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
