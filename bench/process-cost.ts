import { readFileSync } from "node:fs";

/** USER_HZ: 100 on every Linux we run on. */
const TICKS_A_SECOND = 100;

export interface ProcessCost {
  /** Since it began. */
  readonly cpuMs: number;
  readonly rssMiB: number;
}

/** Of one process of this machine, without its children. */
export function processCost(pid: number): ProcessCost {
  // Its second field is a name that may hold blanks.
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /s, "")
    .split(" ");
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return {
    cpuMs: ((Number(fields[11]) + Number(fields[12])) * 1_000) / TICKS_A_SECOND,
    rssMiB: Number(kibibytes) / 1024,
  };
}
