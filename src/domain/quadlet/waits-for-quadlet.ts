import type { UnitName } from "../names.ts";
import type { WantedUnit } from "../tasks/task.ts";
import { effectiveUnit } from "../unit/effective-unit.ts";
import { parseUnitFile } from "../unit/parse-unit-file.ts";
import { readFleetOptions } from "../unit/read-fleet-options.ts";
import { unitTies } from "../unit/unit-ties.ts";

/**
 * Which of these units systemd would refuse to start because a quadlet they name has no service yet, and which one that is: a timer whose
 * container waits for its image, or what requires it. Also by way of each other.
 */
export function waitsForQuadlet(
  units: readonly WantedUnit[],
  absent: readonly Pick<WantedUnit, "name" | "service">[],
): ReadonlyMap<UnitName, UnitName> {
  const waiting = new Map<UnitName, UnitName>();
  const missing = new Map<UnitName, UnitName>(
    absent.flatMap(({ name, service }) => [
      [name, name],
      [service, name],
    ]),
  );
  const open = new Map(units.filter(({ name }) => !missing.has(name)).map((unit) => [unit, needsOf(unit)]));
  for (let found = true; found; ) {
    found = false;
    for (const [unit, needs] of open) {
      const need = needs.find((name) => missing.has(name));
      if (need === undefined) continue;
      const quadlet = missing.get(need)!;
      waiting.set(unit.name, quadlet);
      for (const name of [unit.name, unit.service]) missing.set(name, quadlet);
      open.delete(unit);
      found = true;
    }
  }
  return waiting;
}

function needsOf({ name, files }: WantedUnit): readonly UnitName[] {
  const parsed = files
    .filter(({ path }) => path === name || path.startsWith(`${name}.d/`))
    .map(({ path, text }) => parseUnitFile(path, text).file);
  const fragment = parsed.find(({ path }) => path === name);
  if (fragment === undefined) return [];
  const unit = effectiveUnit(
    fragment,
    parsed.filter(({ path }) => path !== name),
  );
  const { hardDependencies, activates, quadlets } = unitTies(name, unit, readFleetOptions(name, unit).options);
  return [...hardDependencies, ...activates, ...quadlets].map((reference) => reference.unit);
}
