import type { SingleUnit } from "../domain/tasks/at-most-once.ts";
import type { UnitManager } from "../ports/unit-manager.ts";
import type { AgentFiles } from "./agent-files.ts";
import type { UnitJobs } from "./unit-jobs.ts";

export interface LapseWorld {
  readonly manager: UnitManager;
  readonly files: AgentFiles;
  readonly jobs: UnitJobs;
}

/** A lease unit in one of these holds up what is bound to it, or is about to. */
const HOLDS: ReadonlySet<string> = new Set(["active", "activating", "reloading"]);

/**
 * What went down with its lease was stopped, as if by us: it did not fail by itself, whatever systemd calls a stop that needed SIGKILL, and
 * starts again once it may. The lease unit tells: it stays up when a unit fails by its own fault.
 */
export async function forgetLapsed(units: readonly SingleUnit[], { manager, files, jobs }: LapseWorld): Promise<void> {
  const leases = [...new Set(units.map(({ lease }) => lease))].sort();
  const held = new Set((await manager.list(leases)).filter(({ active }) => HOLDS.has(active)).map(({ name }) => name));
  if (held.size === leases.length) return;
  const owned = await files.readOwned();
  // One that ran once and ended is done, lease or not.
  const lapsed = units.filter(
    ({ name, lease, oneshot }) =>
      !held.has(lease) && !oneshot && !jobs.isBusy(name) && (owned.get(name)?.started ?? null) !== null,
  );
  if (lapsed.length === 0) return;
  for (const { name } of lapsed) owned.set(name, { ...owned.get(name)!, started: null });
  await files.writeOwned(owned);
}
