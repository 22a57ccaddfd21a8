import type { RiskReason } from "../confirm/change-risk.ts";
import { CONFIRM_DEFAULT_MS } from "../confirm/confirm-policy.ts";
import { compareText, type MachineId, type UnitName } from "../names.ts";
import type { ClusterSpec, SpecUnit } from "../spec/cluster-spec.ts";
import { filesOnMachine } from "../spec/unit-on-machine.ts";
import { networkTouch } from "../unit/network-touch.ts";
import type { Change, Effect, Plan } from "./plan.ts";

/** A change after which its machine must show that it is still reached, or undoes it. */
export interface PlannedTrial {
  readonly unit: UnitName;
  readonly machine: MachineId;
  /** How long it may not be reached, in milliseconds. */
  readonly withinMs: number;
  readonly because: RiskReason;
}

/**
 * What of a plan its agents will have on trial, by the rule they go by; where the text before is not known here (`released` null), by the
 * new one alone. Sorted by unit, then machine.
 */
export function plannedTrials(
  { changes, machines }: Pick<Plan, "changes" | "machines">,
  spec: ClusterSpec,
  released: ClusterSpec | null,
): PlannedTrial[] {
  const risky = changes.filter(reachesProcesses);
  if (risky.length === 0) return [];
  const names = new Map(machines.map(({ id, name }) => [id, name]));
  const [next, old] = [unitsOf(spec), unitsOf(released)];
  const trials = risky.flatMap(({ unit, from, to }) => {
    const places = [...new Set([from?.machine, to?.machine])].filter((machine) => machine !== undefined);
    return places.flatMap((machine): PlannedTrial[] => {
      const name = names.get(machine) ?? null;
      const after = to?.machine === machine ? sideOf(next.get(unit), name, spec) : null;
      const before = from?.machine === machine ? sideOf(old.get(unit), name, released) : null;
      const policy = (after ?? before)?.unit.confirm;
      if (policy === "off") return [];
      if (policy !== undefined) return [{ unit, machine, withinMs: policy, because: { code: "asked-for" } }];
      const because = networkTouch(unit, after?.files ?? []) ?? networkTouch(unit, before?.files ?? []);
      return because === null ? [] : [{ unit, machine, withinMs: CONFIRM_DEFAULT_MS, because }];
    });
  });
  return trials.sort((a, b) => compareText(a.unit, b.unit) || compareText(a.machine, b.machine));
}

const QUIET: ReadonlySet<Effect> = new Set(["quiet", "daemon-reload", "adopt"]);

/** What is only restarted along with another unit is as it was for its agent. */
function reachesProcesses({ effect, reason }: Change): boolean {
  return !QUIET.has(effect) && reason.code !== "restart-with" && reason.code !== "stopped-with";
}

function unitsOf(spec: ClusterSpec | null): ReadonlyMap<UnitName, SpecUnit> {
  return new Map(spec?.units.map((unit) => [unit.name, unit]));
}

function sideOf(unit: SpecUnit | undefined, machine: string | null, spec: ClusterSpec | null) {
  return unit === undefined || spec === null ? null : { unit, files: filesOnMachine(unit, machine, spec) };
}
