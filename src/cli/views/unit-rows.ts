import type { StatusProblem } from "../../domain/cluster/cluster-snapshot.ts";
import type { MachineId, UnitHash, UnitName } from "../../domain/names.ts";
import type { UnitGoal } from "../../domain/spec/cluster-spec.ts";
import type { ClusterView } from "../cluster-view.ts";

/** One unit on one machine, or nowhere (`machine` null): what is wanted there beside what was seen there. */
export interface UnitRow {
  readonly unit: UnitName;
  readonly goal: UnitGoal;
  readonly machine: MachineId | null;
  readonly machineName: string | null;
  readonly address: string | null;
  /** Whether the machine's agent is there to say so; what an absent one said last is old news. */
  readonly present: boolean;
  readonly wantedHash: UnitHash | null;
  readonly hash: UnitHash | null;
  readonly load: string;
  readonly active: string;
  readonly sub: string;
  readonly since: string;
  readonly result: string;
  readonly invocation: string;
  readonly problem: StatusProblem | null;
}

/** Every placed unit on each of its machines, then every unit of the release that is placed nowhere; sorted by unit, machine. */
export function unitRows({ snapshot, index }: ClusterView): UnitRow[] {
  const members = new Map(snapshot.members.map((member) => [member.id, member]));
  const statuses = new Map(snapshot.statuses.map((status) => [`${status.machine}/${status.unit}`, status]));
  const placed = snapshot.sets.flatMap((set) =>
    set.placements.map((placement): UnitRow => {
      const member = members.get(set.machine);
      const status = statuses.get(`${set.machine}/${placement.unit}`);
      return {
        unit: placement.unit,
        goal: placement.goal,
        machine: set.machine,
        machineName: member?.name ?? set.machine,
        address: member?.address ?? null,
        present: member?.present ?? false,
        wantedHash: placement.hash,
        hash: status?.hash ?? null,
        load: status?.load ?? "",
        active: status?.active ?? "",
        sub: status?.sub ?? "",
        since: status?.since ?? "",
        result: status?.result ?? "",
        invocation: status?.invocation ?? "",
        problem: status?.problem ?? null,
      };
    }),
  );
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
        wantedHash: unit.hash,
        hash: null,
        load: "",
        active: "",
        sub: "",
        since: "",
        result: "",
        invocation: "",
        problem: null,
      }),
    );
  const order = (row: UnitRow) => `${row.unit}\u0000${row.machineName ?? ""}`;
  return [...placed, ...unplaced].sort((a, b) => (order(a) < order(b) ? -1 : order(a) > order(b) ? 1 : 0));
}

/** systemd's word on it; what an absent machine said last is marked as old news. */
export function activeText(row: UnitRow): string {
  return row.machine !== null && !row.present ? `${row.active || "unknown"} (old)` : row.active;
}

/** fleet's word for where a unit is: inactive (placed nowhere), loaded, launched. */
export function stateOf(row: UnitRow): UnitGoal {
  if (row.machine === null) return "inactive";
  return row.goal === "launched" && row.active !== "" ? "launched" : "loaded";
}
