import type { Diagnostic } from "../diagnostic.ts";
import { compareText, type UnitName } from "../names.ts";
import type { DraftUnit, NameLookup } from "./draft-unit.ts";

/** After which units of the commit each one starts. */
export interface StartOrder {
  /** Sorted; the whole relation has no cycle. */
  readonly after: ReadonlyMap<UnitName, readonly UnitName[]>;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * `After=`, `Before=` the other way round, what is activated after what activates it, quadlets after what they name. Where
 * they go in a circle, the last step of the walk in order of names is dropped: every reader drops the same one. Where `units` are a part
 * of the commit, what others say of them is not known.
 */
export function orderUnits(units: readonly DraftUnit[], lookup: NameLookup): StartOrder {
  const edges = new Map<UnitName, Set<UnitName>>();
  const add = (later: UnitName, earlier: UnitName) => {
    if (later === earlier) return;
    const known = edges.get(later);
    if (known === undefined) edges.set(later, new Set([earlier]));
    else known.add(earlier);
  };
  for (const unit of units) {
    for (const { unit: name } of [...unit.ties.after, ...unit.ties.quadlets]) {
      const earlier = lookup(name);
      if (earlier !== null) add(unit.name, earlier.name);
    }
    for (const { unit: name } of [...unit.ties.before, ...unit.ties.activates]) {
      const later = lookup(name);
      if (later !== null) add(later.name, unit.name);
    }
  }
  const after = new Map<UnitName, readonly UnitName[]>();
  for (const { name } of units) after.set(name, [...(edges.get(name) ?? [])].sort(compareText));
  const diagnostics = breakCycles(units, after);
  return { after, diagnostics };
}

/** A walk in depth with a stack of its own: a chain of 20,000 units would overflow the machine's. */
function breakCycles(units: readonly DraftUnit[], after: Map<UnitName, readonly UnitName[]>): readonly Diagnostic[] {
  const state = new Map<UnitName, "open" | "done">();
  const diagnostics: Diagnostic[] = [];
  for (const root of units) {
    if (state.has(root.name) || after.get(root.name)!.length === 0) continue;
    const path: { unit: UnitName; next: number }[] = [{ unit: root.name, next: 0 }];
    state.set(root.name, "open");
    while (path.length > 0) {
      const top = path.at(-1)!;
      const earlier = after.get(top.unit)?.[top.next];
      if (earlier === undefined) {
        state.set(top.unit, "done");
        path.pop();
        continue;
      }
      top.next += 1;
      if (state.get(earlier) === "open") {
        const circle = path.slice(path.findIndex((step) => step.unit === earlier)).map((step) => step.unit);
        const shown = circle.length > 6 ? [...circle.slice(0, 6), `… (${circle.length} units)`] : circle;
        after.set(
          top.unit,
          after.get(top.unit)!.filter((name) => name !== earlier),
        );
        top.next -= 1;
        const at = { path: units.find((unit) => unit.name === top.unit)!.fragment.path };
        diagnostics.push({
          code: "order-cycle",
          severity: "warning",
          at,
          saw: `a circle of After= and Before=: ${[...shown, earlier].join(" after ")}`,
          next: `fleet leaves out that ${top.unit} starts after ${earlier}; systemd may leave out another`,
        });
      } else if (!state.has(earlier)) {
        state.set(earlier, "open");
        path.push({ unit: earlier, next: 0 });
      }
    }
  }
  return diagnostics;
}
