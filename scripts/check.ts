/** `npm run check`: two to three minutes on two cores, no root. Types, lint, then every test that needs nothing but this process. */
import { spawnSync } from "node:child_process";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { buildIfStale } from "./build.ts";
import { closeRun, runTests, type TestCounts } from "./run-tests.ts";

const FAST = [
  // Everything in src/domain, src/codec and src/cli/views.
  "test/pure.test.ts",
  "src/!(domain|codec|cli)/**/*.test.ts",
  "src/cli/!(views)/**/*.test.ts",
  "src/cli/*.test.ts",
  "test/tidy.test.ts",
  "test/golden/**/*.test.ts",
  "test/property/**/*.test.ts",
  "test/corpus/**/*.test.ts",
  // What the simulator notices of defects takes a minute: `npm run check:slow` asks it.
  "test/sim/**/!(defects).test.ts",
];

/** Types and lint; a failure of either counts as one failed test. */
export function checkSources(): TestCounts {
  const counts: TestCounts = { passed: 0, failed: 0, skipped: [] };
  for (const [name, words] of [
    ["types", ["node_modules/typescript/bin/tsc", "--noEmit"]],
    ["lint", ["node_modules/@biomejs/biome/bin/biome", "check", "--error-on-warnings", "."]],
  ] as const) {
    const started = performance.now();
    const result = spawnSync(process.execPath, [...words], { encoding: "utf8" });
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    process.stdout.write(`${name}: ${result.status === 0 ? "clean" : "FAILED"} in ${seconds} s\n`);
    if (result.status === 0) counts.passed++;
    else {
      counts.failed++;
      process.stdout.write(`${result.stdout}${result.stderr}\n`);
    }
  }
  return counts;
}

export async function checkFast(): Promise<TestCounts[]> {
  const sources = checkSources();
  await buildIfStale();
  return [sources, await runTests("check", { files: FAST, concurrency: 2, timeoutMs: 120_000 })];
}

if (relative(process.argv[1] ?? "", fileURLToPath(import.meta.url)) === "") closeRun(await checkFast());
