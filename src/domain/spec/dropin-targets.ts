import type { UnitName } from "../names.ts";
import { unitNameParts } from "../unit/unit-name.ts";

/**
 * The names whose `.d` folders apply to a unit, most specific first, as systemd looks for them: the unit, its template, the
 * name cut at each dash (`a-b.service`: `a-.service`), the type alone. Of drop-ins of one file name the first found wins;
 * those left apply in the order of their file names.
 */
export function dropinTargets(name: UnitName): readonly string[] {
  const { prefix, instance, type, template } = unitNameParts(name);
  const prefixes = [prefix];
  for (let dash = prefix.lastIndexOf("-", prefix.length - 2); dash > 0; dash = prefix.lastIndexOf("-", dash - 1)) {
    prefixes.push(prefix.slice(0, dash + 1));
  }
  const targets = prefixes.flatMap((one) => {
    if (template === null) return [`${one}.${type}`];
    return instance === null ? [`${one}@.${type}`] : [`${one}@${instance}.${type}`, `${one}@.${type}`];
  });
  return [...targets, type];
}
