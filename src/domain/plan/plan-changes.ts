import { canonicalJson, type Json } from "../canonical-json.ts";
import type { ClusterSnapshot } from "../cluster/cluster-snapshot.ts";
import { foreignPlaces } from "../cluster/foreign-places.ts";
import type { Machine } from "../cluster/machine.ts";
import { type CommitId, compareText, type MachineId, type Sha256, type UnitName } from "../names.ts";
import { placeUnits } from "../placement/place-units.ts";
import { machinesOfUnits, placedNow } from "../placement/placed-now.ts";
import type { PlacementResult } from "../placement/placement.ts";
import { type BaseSpec, isSpec } from "../rollout/base-versions.ts";
import { filmOf } from "../rollout/film-of.ts";
import type { ClusterSpec } from "../spec/cluster-spec.ts";
import { basisOf } from "./basis-of.ts";
import { changedFiles } from "./changed-files.ts";
import { diffPlacements } from "./diff-placements.ts";
import { knownFiles } from "./known-files.ts";
import {
  CHANGE_ACTIONS,
  type Change,
  EFFECTS,
  PLAN_FORMAT,
  type Plan,
  type PlanCounts,
  RULES_VERSION,
} from "./plan.ts";

export interface PlanInput {
  readonly spec: ClusterSpec;
  /** The spec of the release in force, or null where this repository cannot tell: then a change of files is taken for a restart. */
  readonly released: ClusterSpec | null;
  /** The last release whose rollout ended well; machines of closed rings have its versions. Absent: the release in force. */
  readonly base?: BaseSpec;
  readonly snapshot: ClusterSnapshot;
  /** `machinesOf` the spec and the snapshot. */
  readonly machines: readonly Machine[];
  readonly commit: CommitId;
  /** Which view of the commit this is, or null for the whole commit. */
  readonly partial: string | null;
  readonly sha256: Sha256;
}

/**
 * What this commit would change, with no choices left in it. "Before" is what the registry has assigned, not what the release
 * before said. With no machine at all nothing is decided and nothing goes: units that would run are `unknown`.
 */
export function planChanges(input: PlanInput): Plan {
  const { spec, released, snapshot, machines, sha256 } = input;
  const hasMachines = machines.length > 0;
  const before = placedNow(snapshot);
  const foreign = foreignPlaces(snapshot, before);
  const result = hasMachines
    ? placeUnits({ ...input, current: machinesOfUnits(before), preferred: homesOf(foreign, spec) })
    : NOTHING_PLACED;
  const names = new Map(machines.map(({ id, name }) => [id, name]));
  const base = input.base ?? released ?? (snapshot.release === null ? null : "unknown");
  const files = knownFiles([spec, ...new Set([released, base].filter(isSpec))], names, sha256);
  const changes = hasMachines ? diffPlacements(before, result.placements, spec, files, foreign) : [];
  const { waves, refusals, rings } = filmOf({
    spec,
    released,
    base,
    before,
    wanted: result.placements,
    machines,
    changesTo: (from, to) => {
      if (to === result.placements && from === before) return changes;
      return hasMachines ? diffPlacements(from, to, spec, files, from === before ? foreign : NOBODY) : [];
    },
    sha256,
  });
  const content = { specHash: spec.specHash, changes, placements: result.placements, waves };
  const document: Omit<Plan, "planId"> = {
    ...content,
    format_version: PLAN_FORMAT,
    rules: RULES_VERSION,
    cluster: spec.cluster,
    clusterId: snapshot.identity?.id ?? null,
    commit: input.commit,
    base: {
      releaseSeq: snapshot.release?.seq ?? 0,
      releaseCommit: snapshot.release?.commit ?? null,
      basis: basisOf(snapshot, result, sha256),
    },
    machines: machines
      .map(({ id, name, presence, metadata }) => ({ id, name, present: presence === "present", metadata }))
      .sort((a, b) => compareText(a.name, b.name) || compareText(a.id, b.id)),
    refusals,
    ...(rings.length === 0 ? {} : { rings }),
    unplaced: result.unplaced,
    counts: countsOf(changes, result, filesChanged(input)),
    unknown: hasMachines ? [] : spec.units.filter((unit) => unit.goal !== "inactive").map((unit) => unit.name),
    partial: input.partial,
    contentId: contentIdOf(content, sha256),
  };
  return { ...document, planId: planIdOf(document, sha256) };
}

/** What is to be taken over goes where it runs; of several machines that run it, to the first by name. */
function homesOf(
  foreign: ReadonlyMap<UnitName, readonly MachineId[]>,
  spec: ClusterSpec,
): ReadonlyMap<UnitName, MachineId> {
  const adopting = spec.units.filter((unit) => unit.adopt === true);
  return new Map(adopting.flatMap(({ name }) => (foreign.get(name) ?? []).slice(0, 1).map((home) => [name, home])));
}

const NOBODY: ReadonlyMap<UnitName, readonly MachineId[]> = new Map();
const NOTHING_PLACED: PlacementResult = { placements: [], unplaced: [] };

/** sha256 of what a plan does, and of nothing that only explains it or says when and from where it was made. */
export function contentIdOf(plan: Pick<Plan, "specHash" | "changes" | "placements">, sha256: Sha256): string {
  const content = {
    specHash: plan.specHash,
    changes: plan.changes.filter(changesPlacement).map(({ action, unit, from, to }) => ({ action, unit, from, to })),
    placements: plan.placements.map(({ reason: _, ...rest }) => rest),
  };
  return sha256(canonicalJson(content as unknown as Json));
}

/** What is only carried along follows from the rest. */
function changesPlacement({ from, to }: Change): boolean {
  return from?.machine !== to?.machine || from?.hash !== to?.hash || from?.goal !== to?.goal;
}

/** sha256 of the whole document; the id itself, where there is one already, is left out. */
export function planIdOf(plan: Omit<Plan, "planId">, sha256: Sha256): string {
  return sha256(canonicalJson({ ...plan, planId: undefined } as unknown as Json));
}

function filesChanged({ spec, released, snapshot }: PlanInput): number | null {
  if (released !== null) return changedFiles(released, spec);
  return snapshot.release === null ? changedFiles({ ...spec, units: [], machines: [] }, spec) : null;
}

/** How many of each; also of a part of the changes. */
export function countsOf(
  changes: readonly Change[],
  { placements, unplaced }: Pick<PlacementResult, "placements" | "unplaced">,
  files: number | null,
): PlanCounts {
  const count = <K extends string>(keys: readonly K[], keyOf: (change: Change) => K) => {
    const counts = Object.fromEntries(keys.map((key) => [key, 0])) as Record<K, number>;
    for (const change of changes) counts[keyOf(change)] += 1;
    return counts;
  };
  return {
    actions: count(CHANGE_ACTIONS, (change) => change.action),
    effects: count(EFFECTS, (change) => change.effect),
    files,
    unchanged: placements.length - changes.filter((change) => change.to !== null).length,
    unplaced: unplaced.reduce((sum, group) => sum + group.units.length, 0),
  };
}
