import type { UnitName } from "../names.ts";
import { unitNameParts } from "../unit/unit-name.ts";

/**
 * The names whose `.d` folders apply to a unit, most specific first, as systemd 252 looks for them: the unit, its template,
 * the name cut at each dash (`a-b.service`: `a-.service`), the type alone. A cut template loses its `@`, a cut instance
 * keeps it. Of drop-ins of one file name the first found wins; those left apply in the order of their file names.
 */
export function dropinTargets(name: UnitName): readonly string[] {
  const found = new Set<string>();
  look(name, found);
  return [...found, unitNameParts(name).type];
}

function look(name: UnitName, found: Set<string>): void {
  if (found.has(name)) return;
  found.add(name);
  const { prefix, instance, type, template, isInstance } = unitNameParts(name);
  if (isInstance && template !== null) look(template, found);
  const dash = prefix.lastIndexOf("-", prefix.length - 2);
  if (dash <= 0) return;
  const cut = prefix.slice(0, dash + 1);
  look((isInstance ? `${cut}@${instance}.${type}` : `${cut}.${type}`) as UnitName, found);
}
