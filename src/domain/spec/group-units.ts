import type { Diagnostic } from "../diagnostic.ts";
import { compareText, type GroupName, type UnitName } from "../names.ts";
import { closestName } from "../unit/closest-name.ts";
import type { Group, LocalState, Tie } from "./cluster-spec.ts";
import type { DraftUnit, UnitLookup } from "./draft-unit.ts";
import { localStateOf } from "./draft-units.ts";

/** A group and the drafts of its units, in the order of their names. */
export interface DraftGroup {
  readonly group: Group;
  readonly units: readonly DraftUnit[];
}

/**
 * Puts together what must be on one machine: hard dependencies (unless the unit says `Group=none`), a timer, socket or path
 * with what it activates, a quadlet with those it names, `MachineOf=`. Names outside the commit are host units and tie nothing.
 */
export function groupUnits(
  units: readonly DraftUnit[],
  lookup: UnitLookup,
): { groups: readonly DraftGroup[]; diagnostics: readonly Diagnostic[] } {
  const diagnostics: Diagnostic[] = [];
  const sets = new DisjointSets(units.map((unit) => unit.name));
  const ties: Tie[] = [];
  const names = units.map((unit) => unit.name);
  for (const unit of units) {
    const hard = unit.options.group === "none" ? [] : unit.ties.hardDependencies;
    for (const { unit: name, by } of [...hard, ...unit.ties.activates, ...unit.ties.quadlets, ...unit.ties.machineOf]) {
      const other = lookup(name);
      if (other === null || other.name === unit.name) continue;
      ties.push({ from: unit.name, to: other.name, by });
      sets.join(unit.name, other.name);
    }
    for (const { unit: name, at } of unit.ties.machineOf) {
      if (lookup(name) !== null) continue;
      const meant = closestName(name, names);
      const next = meant === null ? "add the unit, or use MachineID= or MachineMetadata=" : `did you mean ${meant}?`;
      const saw = `MachineOf=${name}, which is no unit of this commit`;
      diagnostics.push({ code: "machine-of-unknown", severity: "error", at, saw, next });
    }
  }
  const members = Map.groupBy(units, (unit) => sets.rootOf(unit.name));
  const tiesOf = Map.groupBy(ties, (tie) => sets.rootOf(tie.from));
  const groups = [...members].map(([root, drafts]) => draftGroup(drafts, tiesOf.get(root) ?? []));
  return { groups: groups.sort((a, b) => compareText(a.group.name, b.group.name)), diagnostics };
}

function draftGroup(drafts: readonly DraftUnit[], ties: readonly Tie[]): DraftGroup {
  const units = drafts.toSorted((a, b) => compareText(a.name, b.name));
  const global = units.every((unit) => unit.options.global);
  const { move, localState } = global ? { move: "auto" as const, localState: [] } : movementOf(units);
  return {
    group: {
      name: units[0]!.name as string as GroupName,
      units: units.map((unit) => unit.name),
      global,
      ties: sortedTies(ties),
      move,
      localState,
    },
    units,
  };
}

/** One `Move=never` holds the group. Local state does too, unless the unit that has it says `Move=auto`. */
function movementOf(units: readonly DraftUnit[]): { move: "auto" | "never"; localState: readonly LocalState[] } {
  if (units.some((unit) => unit.move === "never")) return { move: "never", localState: [] };
  const localState = units
    .filter((unit) => unit.move === null)
    .flatMap((unit) => localStateOf(unit).map(({ because }) => ({ unit: unit.name, because })));
  return { move: localState.length > 0 ? "never" : "auto", localState };
}

function sortedTies(ties: readonly Tie[]): readonly Tie[] {
  const byText = new Map(ties.map((tie) => [`${tie.from}\0${tie.to}\0${tie.by}`, tie]));
  return [...byText].sort(([a], [b]) => compareText(a, b)).map(([, tie]) => tie);
}

/** Union-find with path halving. */
class DisjointSets {
  readonly #parent: Map<UnitName, UnitName>;

  constructor(names: readonly UnitName[]) {
    this.#parent = new Map(names.map((name) => [name, name]));
  }

  rootOf(name: UnitName): UnitName {
    let at = name;
    for (;;) {
      const parent = this.#parent.get(at)!;
      if (parent === at) return at;
      const above = this.#parent.get(parent)!;
      this.#parent.set(at, above);
      at = above;
    }
  }

  join(one: UnitName, other: UnitName): void {
    const a = this.rootOf(one);
    const b = this.rootOf(other);
    if (a !== b) this.#parent.set(compareText(a, b) < 0 ? b : a, compareText(a, b) < 0 ? a : b);
  }
}
