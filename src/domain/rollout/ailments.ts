import type { ClusterSnapshot } from "../cluster/cluster-snapshot.ts";
import { NOT_CONFIRMED } from "../cluster/cluster-snapshot.ts";
import { judgeUnitHealth } from "../cluster/health-table.ts";
import { type SeenUnits, seenUnits, statusesOn, type Verdict } from "../cluster/seen-units.ts";
import type { MachineId, UnitName } from "../names.ts";
import type { PlacedSide } from "../placement/placed-now.ts";
import type { ClusterSpec } from "../spec/cluster-spec.ts";
import { unitsByName } from "../spec/units-by-name.ts";
import type { Ailment } from "./judge-rollout.ts";

/**
 * Problems after which nothing more comes of a change by itself: systemd's or podman's word on it, or somebody else's unit in its place. All others (no
 * room on the disk, no text yet, a stop that takes long) may end by themselves, and have until the deadline.
 */
const FINAL: ReadonlySet<string> = new Set([
  ...["failed", "start-failed", "reload-failed", "unit-bad-setting", "quadlet-rejected", "conflict", "shadowed"],
  NOT_CONFIRMED,
]);
/** Its machine gives up at a limit of its own (PULL_LIMIT_MS), and says so then. */
const FETCHING = "pulling-image";
const DETAIL_MAX = 200;

/** What is the matter with replicas that are not up, in the words of their machines. */
export function ailments(
  spec: ClusterSpec,
  snapshot: ClusterSnapshot,
  before: ReadonlyMap<UnitName, readonly PlacedSide[]>,
): (unit: UnitName, machine: MachineId) => Ailment {
  const units = unitsByName(spec.units);
  let seen: SeenUnits | null = null;
  const isDown = (unit: UnitName, machine: MachineId, goal: PlacedSide["goal"]) => {
    const status = statusesOn(snapshot.statuses).get(machine)?.get(unit);
    if (status === undefined || status.sub === "auto-restart") return false;
    return judgeUnitHealth(units.get(unit), goal, status) === "down";
  };
  return (unit, machine) => {
    const side = before.get(unit)?.find((one) => one.machine === machine);
    if (side === undefined) return { kind: "on-its-way", detail: "it is not placed" };
    // Most passes ask for none, and making this is not cheap.
    seen ??= seenUnits(spec, snapshot);
    const verdict = seen.judge({ unit, ...side });
    const detail = wordsOf(verdict).slice(0, DETAIL_MAX);
    if (verdict.kind === "failed") {
      const code = verdict.because.code === "problem" ? verdict.because.problem.code : null;
      if (code === FETCHING) return { kind: "fetching", detail };
      return { kind: code !== null && FINAL.has(code) ? "failed" : "on-its-way", detail };
    }
    const hasEnded = verdict.kind === "waiting" && verdict.because.code === "state" && isDown(unit, machine, side.goal);
    return { kind: hasEnded ? "ended" : "on-its-way", detail };
  };
}

function wordsOf(verdict: Verdict): string {
  if (verdict.kind === "converged") return "up, and not for long enough";
  const { because } = verdict;
  switch (because.code) {
    case "problem":
    case "machine-behind":
    case "machine-blind":
      return `${because.problem.code}: ${because.problem.detail}`;
    case "unhealthy":
      return because.detail === "" ? "its health check has not passed yet" : because.detail;
    case "state":
      return `${because.active} (${because.sub})`;
    default:
      return because.code;
  }
}
