import { compareText, type UnitName } from "../names.ts";
import type { WantedUnit } from "./task.ts";

/**
 * Units in the order of their `After=`, by name where it says nothing. Starts are queued one by one, and systemd orders only what
 * it has queued: a unit queued before the one it follows would start first. A circle is entered at its first name.
 */
export function startOrder(units: readonly WantedUnit[]): WantedUnit[] {
  const byName = new Map<UnitName, WantedUnit>();
  for (const unit of units) byName.set(unit.service, unit);
  for (const unit of units) byName.set(unit.name, unit);
  const ordered: WantedUnit[] = [];
  const visited = new Set<WantedUnit>();
  const visit = (first: WantedUnit) => {
    const path: { unit: WantedUnit; next: number; after: readonly UnitName[] }[] = [];
    const enter = (unit: WantedUnit) => {
      visited.add(unit);
      path.push({ unit, next: 0, after: [...unit.after].sort() });
    };
    enter(first);
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const name = top.after[top.next++];
      if (name === undefined) {
        ordered.push(top.unit);
        path.pop();
        continue;
      }
      const before = byName.get(name);
      if (before !== undefined && !visited.has(before)) enter(before);
    }
  };
  for (const unit of [...units].sort((a, b) => compareText(a.name, b.name))) if (!visited.has(unit)) visit(unit);
  return ordered;
}
