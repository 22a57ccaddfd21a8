import type { StoredUnit } from "../codec/agent-state.ts";
import type { PlacedUnit, StatusProblem } from "../domain/cluster/cluster-snapshot.ts";
import type { MachineId, Sha256, UnitName } from "../domain/names.ts";
import type { SpecUnit } from "../domain/spec/cluster-spec.ts";
import type { SpecPart } from "../domain/spec/commit-part.ts";
import type { WantedUnit } from "../domain/tasks/task.ts";
import { wantedUnit } from "../domain/tasks/wanted-unit.ts";
import type { AgentFiles } from "./agent-files.ts";

/** Each has a file open, and together they share the syncs of their folder: what a set brings is on disk in a few, and not in hundreds. */
const WRITES_AT_ONCE = 8;

export interface WantedUnits {
  readonly wanted: readonly WantedUnit[];
  /** Units of the set whose text this machine has never accepted: left exactly as they are. */
  readonly missing: ReadonlyMap<UnitName, StatusProblem>;
}

/** What a release before the accepted one, that may be gone back to, says of these units; null: there is none. */
export type EarlierSpec = (units: ReadonlySet<UnitName>) => Promise<SpecPart | null>;

const NOTHING_EARLIER: EarlierSpec = async () => null;

/**
 * Puts texts to the hashes of a set: from the store of texts accepted earlier, else from the accepted release's spec, else from an earlier
 * one's that may still run, and then stored, so that a set outlives its commit. A hash in none is not run, whoever wrote it into the registry.
 */
export async function findWantedUnits(
  placements: readonly PlacedUnit[],
  machine: { readonly machine: MachineId; readonly name: string },
  spec: SpecPart | null,
  files: AgentFiles,
  sha256: Sha256,
  earlier: EarlierSpec = NOTHING_EARLIER,
): Promise<WantedUnits> {
  const specUnits = new Map(spec?.units.map((unit) => [unit.name, unit]));
  // The commit may know this machine, by its id, under another name than its own.
  const nameIn = (of: SpecPart | null) =>
    of?.machines.find((entry) => entry.id === machine.machine)?.key ?? machine.name;
  const machineName = nameIn(spec);
  const wanted: WantedUnit[] = [];
  const missing = new Map<UnitName, StatusProblem>();
  const fresh: StoredUnit[] = [];
  const unknown: PlacedUnit[] = [];
  for (const placed of placements) {
    const { unit: name, hash, goal } = placed;
    const unit = specUnits.get(name);
    const ofCommit = (found: SpecUnit | undefined) =>
      spec === null || found === undefined ? null : wantedUnit(found, machineName, spec, goal, sha256);
    const adopt = unit?.adopt === true ? { adopt: true } : {};
    const known = await files.readUnit(hash);
    if (known?.name === name) {
      const stored = { ...withPolicy(known, unit), after: orderOf(known, unit, ofCommit) };
      // It must outlive the commit too: without git, what `off` leaves alone would be put back after a restart of the agent.
      const isNews = stored.drift !== known.drift || stored.confirm !== known.confirm || stored.after !== known.after;
      if (isNews) fresh.push(stored);
      wanted.push({ ...stored, goal, ...adopt });
      continue;
    }
    const compiled = ofCommit(unit);
    if (compiled?.hash === hash) {
      const { goal: _goal, ...text } = withPolicy(compiled, unit);
      fresh.push(text);
      wanted.push({ ...text, goal, ...adopt });
      continue;
    }
    // What is only to be let go is stopped as it is: for that its newer text need never have come here.
    const asItIs = goal === "inactive" ? await installedText(name, files) : null;
    if (asItIs !== null) wanted.push({ ...asItIs, goal });
    else unknown.push(placed);
  }
  const older = unknown.length === 0 ? null : await earlier(new Set(unknown.map(({ unit }) => unit)));
  for (const { unit: name, hash, goal } of unknown) {
    const unit = older?.units.find((one) => one.name === name);
    const compiled = older === null || unit === undefined ? null : wantedUnit(unit, nameIn(older), older, goal, sha256);
    if (compiled?.hash === hash) {
      const { goal: _goal, ...text } = withPolicy(compiled, specUnits.get(name) ?? unit);
      fresh.push(text);
      wanted.push({ ...text, goal, ...(unit?.adopt === true ? { adopt: true } : {}) });
    } else {
      const detail = `no accepted commit holds ${name} as ${hash.slice(0, 12)}`;
      missing.set(name, { code: "text-unavailable", detail, journal: [] });
    }
  }
  await store(fresh, files);
  return { wanted, missing };
}

/** A unit that came after it may say that it starts before it: of the same text that is to be known too, and remembered. */
function orderOf(
  { hash, after }: StoredUnit,
  unit: SpecUnit | undefined,
  ofCommit: (unit: SpecUnit) => WantedUnit | null,
): readonly UnitName[] {
  if (unit === undefined || unit.after.join() === after.join()) return after;
  return ofCommit(unit)?.hash === hash ? unit.after : after;
}

/** What was written here of it last, or null where nothing was, or that is not known whole. */
async function installedText(unit: UnitName, files: AgentFiles): Promise<StoredUnit | null> {
  const onDisk = (await files.readOwned()).get(unit)?.onDisk ?? null;
  return onDisk === null ? null : files.readUnit(onDisk);
}

/** Rejects with the first failure once all have ended. */
async function store(units: readonly StoredUnit[], files: AgentFiles): Promise<void> {
  const queue = units.values();
  const outcomes = await Promise.allSettled(
    Array.from({ length: WRITES_AT_ONCE }, async () => {
      for (const unit of queue) await files.writeUnit(unit);
    }),
  );
  const failed = outcomes.find((outcome) => outcome.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

/** What the accepted release says of drift and of its confirmation, which are no part of a text; without one, what was said last. */
function withPolicy<T extends Pick<WantedUnit, "drift" | "confirm">>(unit: T, spec: SpecUnit | undefined): T {
  if (spec === undefined) return unit;
  const { drift: _earlier, confirm: _before, ...rest } = unit;
  const drift = spec.drift === undefined ? {} : { drift: spec.drift };
  const confirm = spec.confirm === undefined ? {} : { confirm: spec.confirm };
  return { ...rest, ...drift, ...confirm } as T;
}
