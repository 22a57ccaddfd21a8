/**
 * The GitHub Action as one file, which is committed: a runner fetches the repository at a tag and builds nothing. It is not in `dist/`: that
 * folder is nobody's but this machine's, is swapped whole, and goes into packages and labs, which have no use for it.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bundledLicenses } from "./package/bundled-packages.ts";

const root = join(import.meta.dirname, "..");

/** What stands in the repository, by its path there. The same sources and packages make the same bytes on every machine. */
export async function actionBundle(): Promise<ReadonlyMap<string, string>> {
  const { build } = await import("esbuild");
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: ["src/action/index.ts"],
    outfile: "action/index.js",
    write: false,
    metafile: true,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node24",
    // Its "node" export is CommonJS, and such a package behind import() would have a default export only.
    alias: { "isomorphic-git": join(root, "node_modules/isomorphic-git/index.js") },
    minify: true,
    // A stack trace of ours goes into a report by people.
    keepNames: true,
    // Every rebuild is kept for ever by git, and one very long line cannot be looked at.
    lineLimit: 200,
    // CommonJS packages inside the bundle call require() for Node's own modules.
    banner: {
      js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
    },
    legalComments: "none",
    logLevel: "warning",
  });
  const inputs = Object.values(metafile.outputs).flatMap((output) =>
    Object.entries(output.inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : [])),
  );
  return new Map([
    ["action/index.js", outputFiles[0]!.text],
    ["action/third-party.txt", bundledLicenses(inputs)],
  ]);
}

/** Those of which other bytes stand in the repository, or none. */
export async function staleActionFiles(): Promise<readonly string[]> {
  return [...(await actionBundle())].filter(([path, text]) => textAt(path) !== text).map(([path]) => path);
}

function textAt(path: string): string | null {
  try {
    return readFileSync(join(root, path), "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
}

if (import.meta.main) {
  for (const [path, text] of await actionBundle()) writeFileSync(join(root, path), text);
}
