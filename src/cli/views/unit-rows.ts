import type { ReportRecord } from "../../codec/registry-records.ts";
import type { Member, StatusProblem, UnitStatus } from "../../domain/cluster/cluster-snapshot.ts";
import { CANNOT_LOOK } from "../../domain/cluster/cluster-snapshot.ts";
import { type Hold, holdOn } from "../../domain/cluster/hold.ts";
import type { UnitDrift } from "../../domain/drift/unit-drift.ts";
import type { ServiceHealth } from "../../domain/health/judge-health.ts";
import { compareText, type MachineId, type UnitHash, type UnitName } from "../../domain/names.ts";
import type { UnitGoal } from "../../domain/spec/cluster-spec.ts";
import type { ClusterView } from "../cluster-view.ts";
import { holdUntil } from "./hold-until.ts";

/** One unit on one machine, or nowhere (`machine` null): what is wanted there beside what was seen there. */
export interface UnitRow {
  readonly unit: UnitName;
  readonly goal: UnitGoal;
  readonly machine: MachineId | null;
  readonly machineName: string | null;
  readonly address: string | null;
  /** Whether the machine's agent is there to say so; what an absent one said last is old news. */
  readonly present: boolean;
  readonly news: UnitNews;
  /** Old news: no later than this, RFC 3339, its machine could say how it is; null where nobody knows since when, and of no old news. */
  readonly oldSince: string | null;
  /** What keeps its machine's agent from acting on it, or null. */
  readonly hold: UnitHold | null;
  readonly wantedHash: UnitHash | null;
  readonly hash: UnitHash | null;
  readonly load: string;
  readonly active: string;
  readonly sub: string;
  readonly since: string;
  readonly result: string;
  readonly invocation: string;
  readonly problem: StatusProblem | null;
  /** What others changed of it on its machine; null where nobody did lately. */
  readonly drift: UnitDrift | null;
  /** What its own checks say; null where it has none. */
  readonly health: ServiceHealth | null;
}

/** How fresh the observed half of a row is: as its machine says now, as it said last, or nothing was ever said. */
export type UnitNews = "current" | "old" | "none";

export interface UnitHold {
  readonly by: string;
  readonly reason: string;
  /** RFC 3339, or null where it does not say a time that can be read. */
  readonly until: string | null;
}

/** Every placed unit on each of its machines, then every unit of the release that is placed nowhere; sorted by unit, machine. */
export function unitRows({ snapshot, index, holds, report }: ClusterView): UnitRow[] {
  const members = new Map(snapshot.members.map((member) => [member.id, member]));
  const statuses = statusesByMachine(snapshot.statuses);
  const placed = snapshot.sets.flatMap((set) => {
    const member = members.get(set.machine);
    const own = statuses.get(set.machine);
    return set.placements.map((placement): UnitRow => {
      const status = own?.get(placement.unit);
      const { news, oldSince } = newsOf(status, member, report);
      // Named one by one: of 20,000 rows, spreading alone takes 50 ms.
      return {
        unit: placement.unit,
        goal: placement.goal,
        machine: set.machine,
        machineName: member?.name ?? set.machine,
        address: member?.address ?? null,
        present: member?.present ?? false,
        news,
        oldSince,
        hold: heldBy(holdOn(holds, set.machine, placement.unit)),
        wantedHash: placement.hash,
        hash: status?.hash ?? null,
        load: status?.load ?? "",
        active: status?.active ?? "",
        sub: status?.sub ?? "",
        since: status?.since ?? "",
        result: status?.result ?? "",
        invocation: status?.invocation ?? "",
        problem: status?.problem ?? null,
        drift: status?.drift ?? null,
        health: status?.health ?? null,
      };
    });
  });
  const known = new Set(placed.map((row) => row.unit));
  const unplaced = index
    .filter((unit) => !known.has(unit.name))
    .map(
      (unit): UnitRow => ({
        unit: unit.name,
        goal: unit.goal,
        machine: null,
        machineName: null,
        address: null,
        present: false,
        news: "none",
        oldSince: null,
        hold: null,
        wantedHash: unit.hash,
        hash: null,
        load: "",
        active: "",
        sub: "",
        since: "",
        result: "",
        invocation: "",
        problem: null,
        drift: null,
        health: null,
      }),
    );
  return [...placed, ...unplaced].sort(
    (a, b) => compareText(a.unit, b.unit) || compareText(a.machineName ?? "", b.machineName ?? ""),
  );
}

function statusesByMachine(statuses: readonly UnitStatus[]): Map<MachineId, Map<UnitName, UnitStatus>> {
  const byMachine = new Map<MachineId, Map<UnitName, UnitStatus>>();
  for (const status of statuses) {
    const own = byMachine.get(status.machine);
    if (own === undefined) byMachine.set(status.machine, new Map([[status.unit, status]]));
    else own.set(status.unit, status);
  }
  return byMachine;
}

const NOTHING_SAID = { news: "none", oldSince: null } as const;
const SAID_NOW = { news: "current", oldSince: null } as const;

/** What an agent that cannot look at its units said of them before is as old as what an absent one said. */
function newsOf(
  status: UnitStatus | undefined,
  member: Member | undefined,
  report: ReportRecord | null,
): Pick<UnitRow, "news" | "oldSince"> {
  if (status === undefined) return NOTHING_SAID;
  if (member?.present !== true) return { news: "old", oldSince: absentSince(status.machine, report) };
  if (member.problem?.code !== CANNOT_LOOK) return SAID_NOW;
  return { news: "old", oldSince: member.problem.since ?? null };
}

/** When an engine first missed it; null where none does. */
export function absentSince(machine: MachineId, report: ReportRecord | null): string | null {
  return report?.absent?.find((one) => one.machine === machine)?.since ?? null;
}

function heldBy(hold: Hold | null): UnitHold | null {
  return hold === null ? null : { by: hold.by, reason: hold.reason, until: holdUntil(hold) };
}

/** systemd's word on it; what was said before its machine fell silent is marked as old news. */
export function activeText(row: UnitRow): string {
  if (row.machine === null) return row.active;
  if (row.news === "none") return "unknown";
  return row.news === "old" ? `${row.active} (old)` : row.active;
}

/** fleet's word for where a unit is: inactive (placed nowhere), loaded, launched. */
export function stateOf(row: UnitRow): UnitGoal {
  if (row.machine === null) return "inactive";
  return row.goal === "launched" && row.active !== "" ? "launched" : "loaded";
}
