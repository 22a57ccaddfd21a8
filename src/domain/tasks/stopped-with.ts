import type { UnitName } from "../names.ts";
import { effectiveUnit } from "../unit/effective-unit.ts";
import { parseUnitFile } from "../unit/parse-unit-file.ts";
import type { WantedUnit } from "./task.ts";

/** The directives through which systemd stops a unit together with the one it names. */
const PROPAGATING = ["Requires", "Requisite", "BindsTo", "PartOf", "StopPropagatedFrom"] as const;

/**
 * The units of this machine's set that systemd stops together with those given, directly or through others, each with the one of the
 * given that takes it along. All are named as the commit names them.
 */
export function stoppedWith(stopped: readonly UnitName[], units: readonly WantedUnit[]): Map<UnitName, UnitName> {
  const followers = followersOf(units);
  const found = new Map<UnitName, UnitName>();
  for (const origin of [...stopped].sort()) {
    const open = [origin];
    for (let unit = open.pop(); unit !== undefined; unit = open.pop()) {
      for (const follower of followers.get(unit) ?? []) {
        if (found.has(follower) || stopped.includes(follower)) continue;
        found.set(follower, origin);
        open.push(follower);
      }
    }
  }
  return found;
}

function followersOf(units: readonly WantedUnit[]): Map<UnitName, UnitName[]> {
  const nameOf = new Map<string, UnitName>();
  for (const unit of units) nameOf.set(unit.service, unit.name);
  for (const unit of units) nameOf.set(unit.name, unit.name);
  const followers = new Map<UnitName, UnitName[]>();
  for (const unit of units) {
    for (const named of namedBy(unit)) {
      const leader = nameOf.get(named) ?? (named as UnitName);
      if (leader !== unit.name) followers.set(leader, [...(followers.get(leader) ?? []), unit.name]);
    }
  }
  return followers;
}

function namedBy(unit: WantedUnit): Set<string> {
  const read = (path: string) => {
    const file = unit.files.find((candidate) => candidate.path === path);
    return parseUnitFile(path, file?.text ?? "").file;
  };
  const dropins = unit.files.map((file) => file.path).filter((path) => path.startsWith(`${unit.name}.d/`));
  const effective = effectiveUnit(read(unit.name), dropins.sort().map(read));
  const values = PROPAGATING.flatMap((key) => effective.allValues("Unit", key));
  return new Set(values.flatMap(({ value }) => value.split(/\s+/)));
}
