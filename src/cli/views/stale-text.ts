import type { Release } from "../../domain/cluster/cluster-snapshot.ts";
import type { MachineId } from "../../domain/names.ts";
import type { Plan } from "../../domain/plan/plan.ts";
import type { Moved } from "../../domain/plan/what-moved.ts";
import { printable } from "./printable.ts";

/** More says no more: whoever plans again sees everything. */
const LINES_MAX = 10;

/** What moved under a plan, a line each. `nowMs` is wall time: how long ago a release was made is for people. */
export function movedText(
  plan: Pick<Plan, "machines">,
  moved: readonly Moved[],
  names: ReadonlyMap<MachineId, string>,
  nowMs: number,
): string {
  const known = new Map([...names, ...plan.machines.map(({ id, name }) => [id, name] as const)]);
  const lines = moved.slice(0, LINES_MAX).map((one) => `  ${describeMoved(one, known, nowMs)}`);
  if (moved.length > LINES_MAX) lines.push(`  and ${moved.length - LINES_MAX} more`);
  return lines.map(printable).join("\n");
}

/** Told where a stale plan was to be applied. Nothing was changed. */
export function staleText(
  plan: Pick<Plan, "machines" | "base" | "commit">,
  moved: readonly Moved[],
  names: ReadonlyMap<MachineId, string>,
  nowMs: number,
): string {
  const made = plan.base.releaseSeq === 0 ? "before there was a release" : `on release ${plan.base.releaseSeq}`;
  return [
    `stale plan: it was made for commit ${plan.commit.slice(0, 7)} ${made}, and since then`,
    movedText(plan, moved, names, nowMs),
    "Nothing was changed. Plan again: fleet plan",
  ].join("\n");
}

/** Told where a plan needs no applying any more: its release did it, or one whose commit has the plan's in its history. */
export function alreadyText(
  plan: Pick<Plan, "commit" | "planId" | "contentId">,
  release: Release,
  inForce: Release,
): string {
  const isOwn =
    release.planId === plan.planId || release.contentId === plan.contentId || release.commit === plan.commit;
  const done = isOwn
    ? `already applied as release ${release.seq} by ${release.by}`
    : `already applied: release ${release.seq} by ${release.by} has commit ${plan.commit.slice(0, 7)} in its history`;
  return printable(inForce.seq === release.seq ? done : `${done}; release ${inForce.seq} is in force since`);
}

function describeMoved(moved: Moved, names: ReadonlyMap<MachineId, string>, nowMs: number): string {
  const name = (machine: MachineId) => names.get(machine) ?? machine.slice(0, 8);
  switch (moved.code) {
    case "no-cluster":
      return "this registry holds no such cluster: it is empty, or another one";
    case "other-cluster":
      return `this registry's cluster is another one of the same name (${moved.now.slice(0, 8)}, was ${moved.was.slice(0, 8)})`;
    case "release": {
      if (moved.now === null) return "the release is gone from the registry";
      const { seq, commit, by, at } = moved.now;
      return `release ${seq} (commit ${commit.slice(0, 7)}) by ${by}${agoText(at, nowMs)}`;
    }
    case "machine-joined":
      return `machine ${moved.name} joined`;
    case "machine-left":
      return `machine ${moved.name} was removed`;
    case "machine-away":
      return `machine ${moved.name} went away`;
    case "machine-returned":
      return `machine ${moved.name} came back`;
    case "machine-renamed":
      return `machine ${moved.name} is called ${moved.now}`;
    case "machine-metadata":
      return `machine ${moved.name} has other metadata (${moved.keys.join(", ")})`;
    case "unit-elsewhere": {
      const where = (machines: readonly MachineId[]) =>
        machines.length === 0 ? "no machine" : machines.map(name).join(", ");
      return `${moved.unit} is on ${where(moved.now)}, was on ${where(moved.was)}`;
    }
    case "unit-version":
      return `${moved.unit} on ${name(moved.machine)} has other files (${moved.now.slice(0, 7)}, had ${moved.was.slice(0, 7)})`;
    case "unit-goal":
      return `${moved.unit} on ${name(moved.machine)} is wanted ${moved.now}, was ${moved.was}`;
    case "unrecorded":
      return "a machine's own metadata or what it runs besides fleet's changed, or the registry was replaced";
  }
}

const UNITS = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["min", 60_000],
] as const;

/** `, 4 min ago`; nothing where the times contradict each other: they are two machines' clocks. */
function agoText(at: string, nowMs: number): string {
  const passedMs = nowMs - Date.parse(at);
  if (Number.isNaN(passedMs) || passedMs < 0) return ` at ${at}`;
  const [word, unitMs] = UNITS.find(([, milliseconds]) => passedMs >= milliseconds) ?? ["s", 1_000];
  const count = Math.floor(passedMs / unitMs);
  const plural = word !== "s" && word !== "min" && count !== 1 ? "s" : "";
  return `, ${count} ${word}${plural} ago`;
}
