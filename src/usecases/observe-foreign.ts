import type { UnitName } from "../domain/names.ts";
import { compareForeign, FOREIGN_FOLDER, type ForeignFiles } from "../domain/tasks/foreign-files.ts";
import type { WantedUnit } from "../domain/tasks/task.ts";
import { isQuadlet } from "../domain/unit/unit-name.ts";
import type { UnitManager } from "../ports/unit-manager.ts";
import type { AdoptedFiles } from "./adopted-files.ts";
import type { DetailsCache, Observation } from "./observe-units.ts";

/**
 * How many passes an answer stands, while the unit's state does: a conflict is nothing to read files for every five seconds, and who
 * has made the definitions equal waits a minute at most.
 */
const PASSES_KEPT = 12;

/** What there is of others' definitions, by unit; nothing of most. */
export async function observeForeign(
  wanted: readonly WantedUnit[],
  seen: ReadonlyMap<UnitName, Observation>,
  manager: UnitManager,
  adopted: AdoptedFiles,
  cache: DetailsCache,
): Promise<Map<UnitName, ForeignFiles>> {
  const found = new Map<UnitName, ForeignFiles>();
  const byName = new Map(wanted.map((unit) => [unit.name, unit]));
  let links: ReadonlyMap<string, readonly string[]> | null = null;
  for (const [name, { observed, managed }] of seen) {
    if (!mayBeForeign(observed, byName.get(name))) continue;
    const unit = byName.get(name);
    const cached = managed === null ? undefined : cache.get(managed.name);
    const basis = `${observed.owned}/${unit?.hash}`;
    const known = cached?.foreign;
    if (known !== undefined && known.basis === basis && known.passes < PASSES_KEPT) {
      known.passes += 1;
      if (known.files !== null) found.set(name, known.files);
      continue;
    }
    const under = await takeoverOf(name, observed, adopted);
    let files = under;
    if (under === null && !observed.owned && observed.systemd !== null && unit !== undefined) {
      links ??= await adopted.links();
      files = await compared(unit, manager, adopted, links);
    }
    if (files !== null) found.set(name, files);
    if (cached !== undefined && files?.state !== "under-way") cached.foreign = { basis, passes: 0, files };
  }
  return found;
}

function mayBeForeign(observed: Observation["observed"], wanted: WantedUnit | undefined): boolean {
  const { owned, onDisk, systemd } = observed;
  if (!owned) return systemd !== null || wanted?.adopt === true;
  return onDisk === null || (systemd?.fragmentPath.startsWith(`${FOREIGN_FOLDER}/`) ?? false);
}

async function takeoverOf(
  name: UnitName,
  { owned, systemd }: Observation["observed"],
  adopted: AdoptedFiles,
): Promise<ForeignFiles | null> {
  const record = await adopted.takeover(name);
  if (record === null) return null;
  // Somebody else's that is held and not ours was installed since, or put back: it is looked at anew.
  if (!record.done && (owned || systemd === null)) return { state: "under-way", paths: record.paths };
  if (!owned || systemd?.fragmentPath !== record.fragmentPath) return null;
  const isBack = record.paths.includes(record.fragmentPath) && (await adopted.read(record.fragmentPath)) !== null;
  return isBack ? null : { state: "taken" };
}

async function compared(
  { name, service, files: ours }: WantedUnit,
  manager: UnitManager,
  adopted: AdoptedFiles,
  links: ReadonlyMap<string, readonly string[]>,
): Promise<ForeignFiles | null> {
  const sources = await manager.sources(service);
  if (sources === null) return null;
  const made = isQuadlet(name) ? await adopted.quadletOf(name, sources.fragmentPath) : null;
  const fragments = made ?? (sources.fragmentPath === "" ? [] : [sources.fragmentPath]);
  const paths = fragments.length === 0 ? [] : [...fragments, ...sources.dropinPaths];
  const files = await Promise.all(paths.map(async (path) => ({ path, text: await adopted.read(path) })));
  return compareForeign(name, { ...sources, files }, links.get(service) ?? [], ours);
}
