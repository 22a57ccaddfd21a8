import type { Resources } from "../domain/cluster/resources.ts";

/** The capacity in a member record, which older agents do not have; null where it is none. Amounts that no sum holds exactly are none. */
export function readCapacity(value: unknown): Resources | null {
  if (typeof value !== "object" || value === null) return null;
  const { cpuMilli, memoryBytes } = value as Readonly<Record<string, unknown>>;
  return isAmount(cpuMilli) && isAmount(memoryBytes) ? { cpuMilli, memoryBytes } : null;
}

function isAmount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
