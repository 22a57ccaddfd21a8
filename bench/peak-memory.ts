/** Loaded before a program (`--import`): leaves the most memory it ever had, in bytes, in the file FLEET_BENCH_PEAK names. */
import { readFileSync, writeFileSync } from "node:fs";

process.once("exit", () => {
  // Not getrusage's figure: that one begins with what the parent had when it forked.
  const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
  writeFileSync(process.env.FLEET_BENCH_PEAK!, String(Number(kibibytes) * 1024));
});
