/** `npm run soak [-- MINUTES]`: what is too long for CI. Random seeds of the simulator until time is up; a failing one is printed to replay. */
import { runSeed } from "../test/sim/run-seed.ts";

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
process.exitCode = failed > 0 ? 1 : 0;
