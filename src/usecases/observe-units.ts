import type { OwnedUnit } from "../codec/agent-state.ts";
import type { UnitName } from "../domain/names.ts";
import type { ForeignFiles } from "../domain/tasks/foreign-files.ts";
import { isHeldBySystemd } from "../domain/tasks/is-held.ts";
import { isAboutToRestart } from "../domain/tasks/restart-loop.ts";
import type { ObservedUnit, WantedUnit } from "../domain/tasks/task.ts";
import type { ManagedUnit, UnitDetails, UnitManager } from "../ports/unit-manager.ts";

/** What was seen of one unit, with what only a question of its own tells. */
export interface Observation {
  readonly observed: ObservedUnit;
  readonly managed: ManagedUnit | null;
  readonly details: UnitDetails | null;
}

/** Details by service, kept while the state they were asked in lasts. */
export type DetailsCache = Map<UnitName, CachedDetails>;
export interface CachedDetails {
  readonly state: string;
  readonly details: UnitDetails | null;
  /** What was seen last, and is again as long as nothing about it is news. */
  last?: Observation & { readonly owner: OwnedUnit | null };
  /** What others' files were found to be, how many passes ago. */
  foreign?: { readonly basis: string; passes: number; readonly files: ForeignFiles | null };
}

/**
 * Looks at every unit that is wanted here or is ours: one call for all of them, then one question each for those whose state is
 * new: not of one with a job under way, which is about to be in another. `details` is the memory between passes; whoever acts on a unit
 * deletes its entry.
 */
export async function observeUnits(
  manager: UnitManager,
  wanted: readonly WantedUnit[],
  owned: ReadonlyMap<UnitName, OwnedUnit>,
  details: DetailsCache,
  isBusy: (unit: UnitName) => boolean,
): Promise<Map<UnitName, Observation>> {
  const services = new Map<UnitName, UnitName>();
  for (const [name, unit] of owned) services.set(name, unit.service);
  for (const unit of wanted) services.set(unit.name, unit.service);
  const managed = new Map((await manager.list([...services.values()])).map((unit) => [unit.name, unit]));
  const observations = await Promise.all(
    [...services].map(async ([name, service]) => {
      const unit = managed.get(service) ?? null;
      const known = isBusy(name) ? (details.get(service)?.details ?? null) : await detailsOf(manager, unit, details);
      const seen = { name, service, owned: owned.get(name) ?? null, managed: unit, details: known };
      return [name, recalled(seen, details.get(service)) ?? observation(seen, details.get(service))] as const;
    }),
  );
  return new Map(observations);
}

async function detailsOf(
  manager: UnitManager,
  unit: ManagedUnit | null,
  cache: DetailsCache,
): Promise<UnitDetails | null> {
  if (unit === null || !isHeldBySystemd(unit)) return null;
  const state = `${unit.load}/${unit.active}/${unit.sub}`;
  const cached = cache.get(unit.name);
  // Between two looks it may have been started again, and have ended again.
  if (cached?.state === state && !isAboutToRestart(unit)) return cached.details;
  const details = await manager.details(unit);
  cache.set(unit.name, { state, details });
  return details;
}

interface Seen {
  readonly name: UnitName;
  readonly service: UnitName;
  readonly owned: OwnedUnit | null;
  readonly managed: ManagedUnit | null;
  readonly details: UnitDetails | null;
}

/** The same value as in the pass before: whoever finds it again need not look into it. */
function recalled({ name, owned, managed, details }: Seen, cached: CachedDetails | undefined): Observation | null {
  const last = cached?.last;
  if (last === undefined || last.observed.name !== name) return null;
  if (last.owner !== owned || last.details !== details || !isSameState(last.managed, managed)) return null;
  return last;
}

function isSameState(a: ManagedUnit | null, b: ManagedUnit | null): boolean {
  return a?.load === b?.load && a?.active === b?.active && a?.sub === b?.sub;
}

function observation(seen: Seen, cached: CachedDetails | undefined): Observation {
  const { name, service, owned, managed, details } = seen;
  const held = managed !== null && isHeldBySystemd(managed);
  const up = held && managed.active !== "inactive" && managed.active !== "failed";
  // A quadlet's service is what the generator made of it at the last reload, whether systemd holds it by now or not.
  const loaded = owned === null ? null : held || name !== service ? owned.loaded : owned.onDisk;
  const found = {
    observed: {
      name,
      service,
      owned: owned !== null,
      onDisk: owned?.onDisk ?? null,
      loaded,
      // What runs was started from what is loaded, or took it over: nothing counts as loaded under a unit that is still to notice.
      running: up ? loaded : null,
      started: owned?.started ?? null,
      systemd: held
        ? { load: managed.load, active: managed.active, sub: managed.sub, fragmentPath: details?.fragmentPath ?? "" }
        : null,
    },
    managed,
    details,
  };
  if (cached !== undefined) cached.last = { ...found, owner: owned };
  return cached?.last ?? found;
}
