import type { UnitName } from "../../domain/names.ts";
import { unitNameParts } from "../../domain/unit/unit-name.ts";
import type { MemoryJob } from "./memory-job.ts";
import type { LoadedUnit } from "./memory-unit-text.ts";

/** A unit that systemd holds in memory. */
export interface HeldUnit {
  readonly name: UnitName;
  unit: LoadedUnit;
  active: "inactive" | "activating" | "active" | "reloading" | "deactivating" | "failed";
  sub: string;
  result: string;
  sinceMs: number | null;
  invocation: string;
  /** The text its program was started with, while it runs. */
  runs: string | null;
  /** The text of its last reload of its own, while it runs. */
  reloaded: string | null;
  /** Ends the waiting for its program's end. */
  program: AbortController | null;
  job: MemoryJob | null;
}

/** As systemd makes it when first needed: read, and nothing more. */
export function newHeldUnit(name: UnitName, unit: LoadedUnit): HeldUnit {
  return {
    name,
    unit,
    active: "inactive",
    sub: "dead",
    result: resultOfType(name),
    sinceMs: null,
    invocation: "",
    runs: null,
    reloaded: null,
    program: null,
    job: null,
  };
}

/** Why a unit that was read so gets no job. */
export const REFUSALS: Readonly<Record<LoadedUnit["load"], string | undefined>> = {
  loaded: undefined,
  "not-found": "unit-not-found",
  masked: "unit-masked",
  "bad-setting": "unit-bad-setting",
};

/** What its own reload runs; null where it has none: a mount is mounted again by systemd itself. */
export function reloadCommands({ name, unit }: HeldUnit): readonly string[] | null {
  if (name.endsWith(".mount")) return [];
  return unit.reloadCommands.length > 0 ? unit.reloadCommands : null;
}

/** Jobs of units this one comes after. */
export function jobsBefore({ name, unit }: HeldUnit, all: Iterable<HeldUnit>): MemoryJob[] {
  const others = [...all].filter(
    (other) => unit.names.After.includes(other.name) || other.unit.names.Before.includes(name),
  );
  return others.flatMap((other) => (other.job === null ? [] : [other.job]));
}

/** Stops go the other way round: first those that come after this one. */
export function stopsBefore({ name, unit }: HeldUnit, all: Iterable<HeldUnit>): MemoryJob[] {
  const others = [...all].filter(
    (other) => other.unit.names.After.includes(name) || unit.names.Before.includes(other.name),
  );
  return others.flatMap((other) => (other.job?.kind === "stop" ? [other.job] : []));
}

/** What types other than services do once they are up; the rest is plainly active. */
export const UP_SUB_STATES: Readonly<Record<string, string>> = {
  timer: "waiting",
  path: "waiting",
  socket: "listening",
  mount: "mounted",
  automount: "waiting",
};

/** Types without a `Result` of their own have none. */
export function resultOfType(name: UnitName): string {
  return ["target", "slice", "device"].includes(unitNameParts(name).type) ? "" : "success";
}

/** What must be up, or be brought up, for it to start. */
export function requiredBy({ names }: LoadedUnit): UnitName[] {
  return [...names.Requires, ...names.BindsTo, ...names.Requisite];
}

/** Does it stop when that one is stopped? */
export function stopsWith({ names }: LoadedUnit, stopped: UnitName): boolean {
  return [names.Requires, names.BindsTo, names.Requisite, names.PartOf].some((list) => list.includes(stopped));
}

export function isUp({ active }: HeldUnit): boolean {
  return active !== "inactive" && active !== "failed";
}
