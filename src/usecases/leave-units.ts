import type { OwnedUnit } from "../codec/agent-state.ts";
import { decodeLeave, encodeLeave, type LeaveRecord, type LeavingUnit } from "../codec/leave-record.ts";
import { bootTarget } from "../domain/join/boot-target.ts";
import { compareText, type UnitName } from "../domain/names.ts";
import { AT_MOST_ONE_DROPIN } from "../domain/spec/at-most-one-dropin.ts";
import { FOREIGN_FOLDER, FOREIGN_QUADLETS } from "../domain/tasks/foreign-files.ts";
import { isQuadlet } from "../domain/unit/unit-name.ts";
import type { Clock } from "../ports/clock.ts";
import type { FileStore } from "../ports/file-store.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { ServiceControl } from "../ports/service-control.ts";
import type { UnitManager } from "../ports/unit-manager.ts";
import type { AgentFiles } from "./agent-files.ts";
import { DriftWatch } from "./drift-watch.ts";
import { reconcileUnits } from "./reconcile-units.ts";
import { MACHINE_ENV_PATH } from "./render-machine-env.ts";
import { installedPath } from "./unit-folders.ts";
import { UnitJobs } from "./unit-jobs.ts";

/** Twice systemd's own patience with a stop, and some more: what takes longer has said so in its unit. */
const STOPS_LIMIT_MS = 200_000;
const LOOK_AGAIN_MS = 250;
/** machine.env lies in memory, and nobody renders it any more: units that read it find this copy after a boot. */
const KEPT_ENV = "/etc/fleet/machine.env";
/** Where files of units go that stay, and are there after a boot. */
const KEPT_FOLDERS = { units: FOREIGN_FOLDER, quadlets: FOREIGN_QUADLETS };
const KEPT_INSTALL = "90-fleet-install.conf";
const KEPT_ENV_RULE = "/etc/tmpfiles.d/fleet-machine-env.conf";

export interface LeaveUnitsWorld {
  readonly manager: UnitManager;
  readonly control: Pick<ServiceControl, "wantAtBoot">;
  readonly disk: FileStore;
  readonly files: AgentFiles;
  readonly clock: Clock;
}

export interface LeftUnits {
  /** In /etc/systemd/system now, and running as before. */
  readonly kept: readonly UnitName[];
  readonly removed: readonly UnitName[];
  /** Taken over once: their owner's files are back, and they run as before. */
  readonly givenBack: readonly UnitName[];
  /** Not kept, because somebody else has a file of that name: theirs counts, as it did. */
  readonly shadowed: readonly UnitName[];
}

/**
 * What fleet runs on this machine, when the machine leaves: stopped and removed, or with `keep` left running with files of its own, so that
 * it also survives a boot, and nothing restarts. What was taken over goes back to its owner either way. No agent may be at work. May end
 * anywhere: what is to be done is on the disk before anything is, and the same again does the rest. Rejects with `leave-begun` where it was
 * begun otherwise, `units-left` where something would not stop.
 */
export async function leaveUnits(keep: boolean, world: LeaveUnitsWorld): Promise<LeftUnits> {
  const { units } = await beginLeave(keep, world);
  if (units.length === 0) return { kept: [], removed: [], givenBack: [], shadowed: [] };
  const givenBack = await giveBack(units, world);
  const rest = units.filter(({ name }) => !givenBack.includes(name));
  const names = rest.map(({ name }) => name);
  if (!keep) {
    await stopAndRemove(world);
    return { kept: [], removed: names, givenBack, shadowed: [] };
  }
  const shadowed = await keepUnits(rest, world);
  return { kept: names.filter((name) => !shadowed.includes(name)), removed: [], givenBack, shadowed };
}

/** Where what was begun is remembered; gone once all is done. */
export function leavePath(files: AgentFiles): string {
  return `${files.folders.state}/leave.json`;
}

async function beginLeave(keep: boolean, { disk, files }: LeaveUnitsWorld): Promise<LeaveRecord> {
  const path = leavePath(files);
  const begun = decodeLeave(await disk.read(path));
  if (begun !== null) {
    if (begun.keep === keep) return begun;
    const [was, next] = begun.keep ? ["with", "fleet leave --keep-units"] : ["without", "fleet leave"];
    throw new OperationError("leave-begun", `leaving was begun ${was} --keep-units, and is not done`, { next });
  }
  const owned = [...(await files.readOwned())].sort(([a], [b]) => compareText(a, b));
  const record: LeaveRecord = { keep, units: owned.map(([name, unit]) => leaving(name, unit)) };
  await disk.write(path, encodeLeave(record), { mode: 0o600 });
  return record;
}

function leaving(name: UnitName, { service, files, onDisk, started }: OwnedUnit): LeavingUnit {
  return { name, service, hash: onDisk, files, isStarted: started !== null };
}

async function giveBack(units: readonly LeavingUnit[], { files, manager }: LeaveUnitsWorld): Promise<UnitName[]> {
  const given: UnitName[] = [];
  const owned = await files.readOwned();
  for (const { name, files: ours } of units) {
    // Theirs first: whoever makes systemd read everything in between finds one or the other.
    if (!(await files.adopted.giveBack(name))) continue;
    for (const path of ours) await files.removeUnitFile(path);
    owned.delete(name);
    given.push(name);
  }
  if (given.length === 0) return given;
  await files.writeOwned(owned);
  await manager.reload();
  // Last: until then it is known whose it is, and nobody stops it.
  for (const name of given) await files.adopted.forget(name);
  return given;
}

/** As an agent does whose set is empty. */
async function stopAndRemove({ manager, files, clock }: LeaveUnitsWorld): Promise<void> {
  const untilMs = clock.monotonicMs() + STOPS_LIMIT_MS;
  const jobs = new UnitJobs(manager, () => undefined);
  const world = { manager, files, clock, jobs, drift: new DriftWatch(clock, () => undefined) };
  for (;;) {
    const { problems } = await reconcileUnits([], new Set(), { ...world, details: new Map() });
    const left = [...(await files.readOwned()).keys()];
    if (left.length === 0) return;
    if (clock.monotonicMs() > untilMs) {
      const why = left.map((unit) => `${unit} (${problems.get(unit)?.detail ?? "it does not stop"})`);
      throw new OperationError("units-left", `some units are still there: ${why.join(", ")}`, {
        next: "stop them by hand (systemctl stop, systemctl kill), then run fleet leave again",
      });
    }
    await clock.sleep(LOOK_AGAIN_MS);
  }
}

/** Those that could not be kept, because there is a file of somebody else. */
async function keepUnits(units: readonly LeavingUnit[], world: LeaveUnitsWorld): Promise<UnitName[]> {
  const { control, disk, files, manager } = world;
  const shadowed: UnitName[] = [];
  let readsEnv = false;
  for (const unit of units) {
    const stored = unit.hash === null ? null : await files.readUnit(unit.hash);
    const texts = new Map(stored?.files.map(({ path, text }) => [path, text] as const));
    readsEnv ||= [...texts.values()].some((text) => text.includes(MACHINE_ENV_PATH));
    let isShadowed = false;
    for (const path of unit.files) {
      if (!(await keepFile(path, texts.get(path) ?? null, world))) isShadowed = true;
    }
    if (isShadowed) shadowed.push(unit.name);
    else if (unit.isStarted && isQuadlet(unit.name)) await wantQuadletAtBoot(unit.name, texts, disk);
  }
  if (readsEnv) await keepMachineEnv(disk);
  const wanted = units.filter(
    ({ name, service, isStarted }) => isStarted && name === service && !shadowed.includes(name),
  );
  for (const [target, group] of Map.groupBy(wanted, ({ name }) => bootTarget(name))) {
    await control.wantAtBoot(
      target,
      group.map(({ name }) => name),
    );
  }
  // What it has loaded it has from where there is nothing any more.
  await manager.reload();
  // They are read on: an agent that comes here again one day has not written them.
  await files.delivered.forget();
  await files.writeOwned(new Map());
  return shadowed;
}

/** Nothing but its own [Install] has the service of a quadlet wanted at boot: a generator makes it anew each time. */
async function wantQuadletAtBoot(name: UnitName, texts: ReadonlyMap<string, string>, disk: FileStore): Promise<void> {
  if ([...texts.values()].some((text) => /^\s*(WantedBy|RequiredBy)\s*=\s*\S/m.test(text))) return;
  const path = installedPath(KEPT_FOLDERS, `${name}.d/${KEPT_INSTALL}`);
  await disk.write(path, `# Started at boot by fleet before it left.\n[Install]\nWantedBy=${bootTarget(name)}\n`);
}

/** False where there is a file of somebody else, which counts before ours as it did. A boot in between has taken ours; its text is known. */
async function keepFile(path: string, text: string | null, { disk, files }: LeaveUnitsWorld): Promise<boolean> {
  const [from, to] = [installedPath(files.folders, path), installedPath(KEPT_FOLDERS, path)];
  // What a unit reads stays where the unit names it.
  if (from === to) return true;
  // Nobody renews the lease it is bound to.
  if (path.endsWith(`/${AT_MOST_ONE_DROPIN}`)) {
    await files.removeUnitFile(path);
    return true;
  }
  const ours = (await disk.read(from)) ?? text;
  const [there = null] = await disk.fingerprints([to]);
  const isTheirs = there !== null && (there.kind !== "file" || (ours !== null && (await disk.read(to)) !== ours));
  if (!isTheirs && there === null && ours !== null) await disk.write(to, ours);
  await files.removeUnitFile(path);
  return !isTheirs;
}

async function keepMachineEnv(disk: FileStore): Promise<void> {
  const text = await disk.read(MACHINE_ENV_PATH);
  if (text === null) return;
  await disk.write(KEPT_ENV, text);
  await disk.write(
    KEPT_ENV_RULE,
    `# Units that fleet left behind read it.\nC ${MACHINE_ENV_PATH} 0644 root root - ${KEPT_ENV}\n`,
  );
}
