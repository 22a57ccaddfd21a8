import type { UnitName } from "../names.ts";
import { type EffectiveUnit, effectiveUnit } from "../unit/effective-unit.ts";
import { parseUnitFile } from "../unit/parse-unit-file.ts";
import { stopPropagation } from "../unit/stop-propagation.ts";
import type { WantedUnit } from "./task.ts";

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

/** Units that take this one along when they stop, as it says itself. */
export function leadersOf(unit: WantedUnit): readonly UnitName[] {
  return stopPropagation(unit.name, wantedText(unit)).from;
}

function followersOf(units: readonly WantedUnit[]): Map<UnitName, UnitName[]> {
  const nameOf = new Map<UnitName, UnitName>();
  for (const unit of units) nameOf.set(unit.service, unit.name);
  for (const unit of units) nameOf.set(unit.name, unit.name);
  const followers = new Map<UnitName, UnitName[]>();
  const add = (leader: UnitName, follower: UnitName) => {
    if (leader !== follower) followers.set(leader, [...(followers.get(leader) ?? []), follower]);
  };
  for (const unit of units) {
    const { from, to } = stopPropagation(unit.name, wantedText(unit));
    for (const leader of from) add(nameOf.get(leader) ?? leader, unit.name);
    for (const follower of to) add(unit.name, nameOf.get(follower) ?? follower);
  }
  return followers;
}

/** As the files that go to disk amount to. */
export function wantedText(unit: WantedUnit): EffectiveUnit {
  const read = (path: string) => {
    const file = unit.files.find((candidate) => candidate.path === path);
    return parseUnitFile(path, file?.text ?? "").file;
  };
  const dropins = unit.files.map((file) => file.path).filter((path) => path.startsWith(`${unit.name}.d/`));
  return effectiveUnit(read(unit.name), dropins.sort().map(read));
}
