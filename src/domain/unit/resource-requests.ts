import type { Resources } from "../cluster/resources.ts";
import type { UnitName } from "../names.ts";
import type { EffectiveUnit } from "./effective-unit.ts";
import { parseMemorySize } from "./memory-size.ts";
import { isQuadlet, unitNameParts } from "./unit-name.ts";

/** More cores than any machine has, and few enough that sums of thousands of units stay exact. */
const CPU_MILLI_MAX = 100_000_000;
/** 64 TiB: larger than any machine of today; sums of a hundred units stay exact. */
const MEMORY_BYTES_MAX = 64 * 1024 ** 4;

/** What the values must be, for people. */
export const CPU_FORM = "cores, such as 2, 0.5 or 250m";
export const MEMORY_FORM = "a size to the base 1024, such as 512M or 1.5G, of at most 64T";

/** `2`, `0.5`, `250m` → thousandths of a core; 0 says that it asks for none. Null where it is no such number. */
export function parseCpu(text: string): number | null {
  const match = /^(?:(\d{1,9})m|(\d{1,6})(?:\.(\d{1,3}))?)$/.exec(text);
  if (match === null) return null;
  const [, milli, cores, thousandths = ""] = match;
  const value = milli === undefined ? Number(cores) * 1_000 + Number(thousandths.padEnd(3, "0")) : Number(milli);
  return value <= CPU_MILLI_MAX ? value : null;
}

/** Bytes; 0 says that it asks for none. Null where it is no such size. */
export function parseMemory(text: string): number | null {
  const bytes = parseMemorySize(text);
  return bytes !== null && bytes <= MEMORY_BYTES_MAX ? bytes : null;
}

/**
 * What a unit's own limits amount to as requests: `CPUQuota=`, and `MemoryMax=` or else `MemoryHigh=`. Absolute ones only: a share of a
 * machine's memory, `infinity`, and what systemd would ignore ask for nothing. Drop-ins of one machine do not count: they are looked at
 * when it is known where the unit goes.
 */
export function limitsOf(name: UnitName, unit: EffectiveUnit): Resources {
  const section = sectionOf(name);
  if (!unit.assignments(section).some(({ key }) => LIMITS.has(key))) return NO_LIMITS;
  const limit = (key: string) => unit.last(section, key)?.value ?? "";
  const memory = parseMemory(limit("MemoryMax")) || parseMemory(limit("MemoryHigh"));
  return { cpuMilli: quotaMilli(limit("CPUQuota")) ?? 0, memoryBytes: memory ?? 0 };
}

const LIMITS: ReadonlySet<string> = new Set(["CPUQuota", "MemoryHigh", "MemoryMax"]);

/** What most units have. */
const NO_LIMITS: Resources = { cpuMilli: 0, memoryBytes: 0 };

/** Where systemd looks for resource control: the section of the unit's own type. Of a quadlet it is that of the service it becomes. */
function sectionOf(name: UnitName): string {
  const { type } = unitNameParts(name);
  return isQuadlet(name) ? "Service" : `${type.charAt(0).toUpperCase()}${type.slice(1)}`;
}

/** A percentage of one core, as `CPUQuota=` has it; rounded up. Null where it is none. */
function quotaMilli(text: string): number | null {
  const match = /^(\d{1,7})(?:\.(\d{1,2}))?%$/.exec(text);
  if (match === null) return null;
  const permyriad = Number(match[1]) * 100 + Number((match[2] ?? "").padEnd(2, "0"));
  const milli = Math.ceil(permyriad / 10);
  return milli <= CPU_MILLI_MAX ? milli : null;
}
