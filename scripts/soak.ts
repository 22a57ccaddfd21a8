/**
 * `npm run soak [-- MINUTES]`: what is too long for CI. The lab tests that take a sample there go all the way, as long as that takes; properties try new cases; then
 * random seeds of the simulator until time is up; a failing one is printed to replay.
 */
import { runSeed } from "../test/sim/run-seed.ts";
import { runTests } from "./run-tests.ts";

/** Each looks at `FLEET_SOAK`. */
const WALKS = ["test/e2e/bad-input.test.ts", "test/e2e/crash.test.ts", "test/property/**/*.test.ts"];
/** Hundreds of deaths of an agent, at three seconds each. */
const WALK_TIMEOUT_MS = 3_600_000;

process.env.FLEET_SOAK = "1";
const walks = await runTests("walks", { files: WALKS, concurrency: 1, timeoutMs: WALK_TIMEOUT_MS });
for (const { name, reason } of walks.skipped) process.stdout.write(`skipped ${name}: ${reason}\n`);

const minutes = Number(process.argv[2] ?? 30);
const started = performance.now();
const base = Math.floor(Date.now() / 1000) % 1_000_000_000;
let passed = 0;
let failed = 0;
for (let seed = base; performance.now() - started < minutes * 60_000; seed++) {
  const { violations } = await runSeed(seed);
  if (violations.length === 0) passed++;
  else {
    failed++;
    process.stdout.write(`seed ${seed}: ${violations[0]}\n  replay: npm run sim -- --seed ${seed}\n`);
  }
}
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed + walks.failed > 0 ? 1 : 0;
