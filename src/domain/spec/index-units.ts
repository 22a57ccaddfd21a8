import type { Sha256, UnitHash } from "../names.ts";
import { unitHashes } from "../placement/unit-hashes.ts";
import type { ClusterSpec, SpecUnit, UnitGoal } from "./cluster-spec.ts";

/** What lists show of a unit that is not running anywhere yet. */
export interface UnitIndexEntry {
  readonly name: SpecUnit["name"];
  readonly goal: UnitGoal;
  /** As it is on a machine without overlays of its own. */
  readonly hash: UnitHash;
  readonly global: boolean;
  readonly group: string;
  readonly description: string;
}

/** A spec's index: for people and for lists, never for deciding what runs. */
export function indexUnits(spec: ClusterSpec, sha256: Sha256): UnitIndexEntry[] {
  const hashOf = unitHashes(spec, sha256);
  return spec.units.map((unit) => ({
    name: unit.name,
    goal: unit.goal,
    hash: hashOf(unit, null),
    global: unit.options.global,
    group: unit.group,
    description: /^[ \t]*Description[ \t]*=[ \t]*(.*?)\s*$/m.exec(unit.fragment.text)?.[1] ?? "",
  }));
}
