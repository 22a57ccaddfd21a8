import { existsSync } from "node:fs";
import { labDown } from "../../src/lab/lab.ts";
import { labNames } from "../../src/lab/lab-state.ts";
import { missingPackages } from "../../src/lab/prerequisites.ts";

/** A lab's name no other run on this machine has: by the number of this process. */
export const LAB_NAME = `e2e-${process.pid}`;

/** Why this machine cannot run a lab of real machines, or false where it can. */
export function labSkipReason(): string | false {
  if (process.getuid?.() !== 0) return "a lab of real machines needs root";
  const missing = missingPackages();
  return missing.length > 0 && `a lab needs what this machine lacks: ${missing.join(", ")}`;
}

/** Takes down labs of test processes that were killed before they could do it themselves. */
export async function clearAbandonedLabs(): Promise<void> {
  for (const name of labNames()) {
    const owner = /^e2e-(\d+)$/.exec(name)?.[1];
    if (owner !== undefined && !existsSync(`/proc/${owner}`)) await labDown(name);
  }
}

/** Asks again every 100 ms until there is an answer; an error that names what was waited for after `limitMs`. */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T | null | undefined | false>,
  limitMs = 30_000,
): Promise<T> {
  const limit = performance.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (answer !== null && answer !== undefined && answer !== false) return answer;
    if (performance.now() > limit) throw new Error(`waited ${limitMs / 1000} s in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
