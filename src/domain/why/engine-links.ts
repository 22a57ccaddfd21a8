import type { MachineId, UnitName } from "../names.ts";
import type { OtherMachines } from "../placement/explain-seats.ts";
import type { Placement, Unplaced } from "../placement/placement.ts";
import type { EngineReport, EngineWait } from "../report/engine-report.ts";
import type { RolloutStatus } from "../report/rollout-status.ts";
import type { EngineLink, PlacementLink, UnplacedLink } from "./unit-explanation.ts";

/** What the deciders say of a unit, asked anew of what is known now; null where the commit is not known here. */
export interface Decided {
  /** Where it is to be; several for a global unit. */
  readonly placements: readonly Placement[];
  readonly unplaced: Unplaced | null;
  readonly others: OtherMachines | null;
}

export interface PlacedHere {
  readonly unit: UnitName;
  readonly machine: MachineId;
  readonly placedFor: string | null;
  readonly since: string | null;
}

const NOBODY: OtherMachines = { rejected: [], fitting: { count: 0, examples: [] } };

/** Why it is here and not elsewhere. */
export function placementLink(
  here: PlacedHere,
  decided: Decided | null,
  asks: PlacementLink["asks"],
  report: EngineReport | null,
  nameOf: (machine: MachineId) => string,
): PlacementLink {
  const stays = decided?.placements.find(({ machine }) => machine === here.machine) ?? null;
  const goes = stays === null ? (decided?.placements[0] ?? null) : null;
  const { rejected, fitting } = decided?.others ?? NOBODY;
  return {
    link: "placement",
    machine: here.machine,
    machineName: nameOf(here.machine),
    placedFor: here.placedFor,
    since: here.since,
    now: (stays ?? goes)?.reason ?? null,
    wanted: goes === null ? null : nameOf(goes.machine),
    asks,
    rejected,
    fitting,
    deviation: report?.deviations?.find(({ unit }) => unit === here.unit) ?? null,
  };
}

/** Why it is on no machine. */
export function unplacedLink(
  unit: UnitName,
  wanted: MachineId | null,
  decided: Decided | null,
  asks: PlacementLink["asks"],
  report: EngineReport | null,
  nameOf: (machine: MachineId) => string,
): UnplacedLink {
  const told = report?.unplaced.find(({ units }) => units.includes(unit)) ?? null;
  const unplaced = decided === null ? told : decided.unplaced;
  return {
    link: "unplaced",
    kind: unplaced?.kind ?? "not-yet",
    asks,
    because: unplaced?.because ?? [],
    nearest: unplaced?.nearest ?? null,
    wanted: wanted === null ? null : nameOf(wanted),
    since: told?.since ?? null,
  };
}

export interface Leader {
  readonly machine: string;
  readonly term: number;
}

/** What the leading engine is at, as far as it concerns the unit. */
export function engineLink(
  unit: UnitName,
  leader: Leader | null,
  report: EngineReport | null,
  nameOf: (machine: MachineId) => string,
  rollout: RolloutStatus | null,
): EngineLink {
  const waits = (report?.waits ?? []).filter((wait) => concerns(wait, unit));
  return {
    link: "engine",
    leader: leader === null ? null : nameOf(leader.machine as MachineId),
    term: leader?.term ?? null,
    problem: report?.problem ?? null,
    follows: report?.releaseSeq ?? null,
    waits,
    stuck: report?.stuckHandOffs?.find((one) => one.unit === unit) ?? null,
    since: leader === null ? null : (report?.since ?? null),
    ...(rollout === null || rollout.phase === "done" ? {} : { rollout }),
  };
}

function concerns(wait: EngineWait, unit: UnitName): boolean {
  return wait.units.includes(unit);
}
