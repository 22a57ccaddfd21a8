/** `npm run sim -- --seed N` replays one seed with its trace; `--seeds A..B` runs a range and prints what failed. */
import { runSeed } from "../test/sim/run-seed.ts";

const words = process.argv.slice(2);
/** `--sync`: the engine follows the branch. */
const follows = words.includes("--sync");
const value = (name: string) => words[words.indexOf(name) + 1];
if (words.includes("--seed")) {
  const result = await runSeed(Number(value("--seed")), {}, undefined, follows);
  process.stdout.write(`${result.trace.join("\n")}\n`);
  process.stdout.write(
    `faults: ${result.faults.join(", ") || "none"}\n${result.violations.join("\n") || "no violation"}\n`,
  );
  process.exitCode = result.violations.length > 0 ? 1 : 0;
} else {
  const [first, last] = (value("--seeds") ?? "1..100").split("..").map(Number) as [number, number];
  const started = performance.now();
  let failed = 0;
  for (let seed = first; seed <= last; seed++) {
    const result = await runSeed(seed, {}, undefined, follows);
    if (result.violations.length === 0) continue;
    failed++;
    process.stdout.write(
      `seed ${seed}: ${result.violations[0]}\n  replay: npm run sim -- --seed ${seed}${follows ? " --sync" : ""}\n`,
    );
  }
  const seconds = (performance.now() - started) / 1000;
  process.stdout.write(
    `${last - first + 1 - failed} passed, ${failed} failed: ${((last - first + 1) / seconds).toFixed(1)} seeds a second\n`,
  );
  process.exitCode = failed > 0 ? 1 : 0;
}
