import type { UnitHash } from "../domain/names.ts";
import { FILES_ROOT } from "../domain/spec/delivered-file.ts";
import type { ObservedUnit } from "../domain/tasks/task.ts";
import type { UnitManager, UnitSources } from "../ports/unit-manager.ts";
import type { FileChange, FileDrift } from "./drifted-files.ts";
import type { Observation } from "./observe-units.ts";

/** Stands for the text that is found on disk where others changed it: no text of ours has it. */
export const AS_FOUND = "0".repeat(64) as UnitHash;

/**
 * A unit whose files others changed, as it is to be acted on. What systemd never read, or no process was started from, is as a write
 * that was cut short: the files are written again and nothing restarts. What runs counts as another text, and its effect decides.
 */
export async function asFound(
  { observed, managed }: Observation,
  drift: FileDrift,
  manager: UnitManager,
): Promise<ObservedUnit> {
  const changedByHand = { others: drift.others };
  // A write of our own was cut short: what was in force then is known.
  if (observed.onDisk === null) return { ...observed, changedByHand };
  const held = managed !== null && managed.load === "loaded";
  const sources = held ? await manager.sources(managed.name) : null;
  const since = held && sources !== null ? (await manager.details(managed)).since : "";
  if (sources === null || since === "") return { ...observed, onDisk: null, changedByHand };
  const startedMs = Date.parse(since);
  const isInForce = drift.changes.some((change) => {
    return startedMs > change.atMs && (isLoaded(change, sources) || isQuadletDropin(change) || isRead(change));
  });
  if (!isInForce) return { ...observed, onDisk: null, changedByHand };
  return {
    ...observed,
    onDisk: AS_FOUND,
    loaded: AS_FOUND,
    running: observed.running === null ? null : AS_FOUND,
    started: observed.started === null ? null : AS_FOUND,
    changedByHand,
  };
}

/** The generator has made them part of the service, or is about to: systemd cannot tell, and so they count as part of it. */
function isQuadletDropin({ path }: FileChange): boolean {
  return path.includes("/containers/systemd/") && path.endsWith(".conf");
}

/** Of a file that the unit reads: whatever has started since has read it so, and systemd knows nothing of it. */
function isRead({ path }: FileChange): boolean {
  return path.startsWith(`${FILES_ROOT}/`);
}

/**
 * Whether systemd has read it so. Of drop-ins that came or went, its own list tells: NeedDaemonReload stays "no" after a unit's first
 * drop-in (measured on systemd 252). Nothing is started from a mask, or from no file.
 */
function isLoaded({ kind, path }: FileChange, { isOutdated, dropinPaths }: UnitSources): boolean {
  if (kind === "edited") return !isOutdated;
  if (kind === "extra-dropin") return dropinPaths.includes(path);
  return kind === "deleted" && path.endsWith(".conf") && !dropinPaths.includes(path);
}
