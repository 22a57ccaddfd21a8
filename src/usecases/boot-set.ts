import { encodeOwnedUnits, type OwnedUnit, type StoredUnit } from "../codec/agent-state.ts";
import { encodeBootSet } from "../codec/boot-set.ts";
import { compareText, type UnitHash, type UnitName } from "../domain/names.ts";
import { stopAfterOfFiles } from "../domain/spec/at-most-one-dropin.ts";
import { startOrder } from "../domain/tasks/start-order.ts";
import { isQuadlet } from "../domain/unit/unit-name.ts";
import type { FileStore } from "../ports/file-store.ts";
import { isSealed } from "./delivered-files.ts";
import { MACHINE_ENV_PATH } from "./render-machine-env.ts";
import { installedPath, type UnitFolders } from "./unit-folders.ts";

export interface BootSetFolders extends UnitFolders {
  readonly state: string;
  readonly run: string;
}

/** What a boot set is made of. */
interface Installed {
  readOwned(): Promise<ReadonlyMap<UnitName, OwnedUnit>>;
  readMachineEnv(): Promise<string | null>;
  readUnit(hash: UnitHash): Promise<StoredUnit | null>;
}

/**
 * The units as they stand, in one file that a shell script can read: after a boot without a working agent it starts them (protocol rule
 * 26). One file, because its rename swaps the whole set at once, and because a file a unit would be two fsyncs a unit.
 */
export class BootSetKeeper {
  readonly #files: FileStore;
  readonly #folders: BootSetFolders;
  readonly #installed: Installed;
  #isOutdated = true;
  #isReady = false;

  constructor(files: FileStore, folders: BootSetFolders, installed: Installed) {
    this.#files = files;
    this.#folders = folders;
    this.#installed = installed;
  }

  /** What it is made of was written anew. */
  outdated(): void {
    this.#isOutdated = true;
  }

  /**
   * After each pass. Writes only what differs. Before a machine has a set (`knowsSet` false) nothing was said about any unit: then an
   * earlier set stays. The first call says by `ready` that no script is needed in this boot.
   */
  async afterPass(knowsSet: boolean): Promise<void> {
    if (knowsSet) await this.#keep();
    if (this.#isReady) return;
    await this.#files.write(`${this.#folders.run}/ready`, "", { durable: false });
    this.#isReady = true;
  }

  async #keep(): Promise<void> {
    if (!this.#isOutdated) return;
    const machineEnv = await this.#installed.readMachineEnv();
    const text = await this.#render(await this.#installed.readOwned(), machineEnv);
    const path = `${this.#folders.state}/boot-set`;
    if ((await this.#files.read(path)) !== text) await this.#files.write(path, text, { mode: 0o600 });
    this.#isOutdated = false;
  }

  async #render(owned: ReadonlyMap<UnitName, OwnedUnit>, machineEnv: string | null): Promise<string> {
    const whole = new Map<UnitName, OwnedUnit>();
    const units: StoredUnit[] = [];
    for (const [name, unit] of [...owned].sort(([a], [b]) => compareText(a, b))) {
      // A text whose write was cut short is written again by the next pass, and is in the set then.
      const stored = unit.onDisk === null ? null : await this.#installed.readUnit(unit.onDisk);
      if (stored === null) continue;
      // Its secrets are gone with the boot, and only an agent can put them back: it writes all of the unit then.
      if (stored.files.some(isSealed)) continue;
      units.push({ ...stored, name });
      // Read anew after a boot, and started from it: there is no older text in force.
      // What runs at most once may run elsewhere by now: only an agent that has asked starts it.
      const isSingle = stopAfterOfFiles(name, stored.files) !== null;
      const started = unit.started === null || isSingle ? null : unit.onDisk;
      // Whether a generator has made a quadlet's service is not known before the next reload.
      const loaded = isQuadlet(name) ? null : unit.onDisk;
      whole.set(name, { ...unit, files: stored.files.map(({ path }) => path).sort(), loaded, started });
    }
    // What units read outlasts a boot where it is.
    const own = units.flatMap(({ files }) => files.filter(({ delivery }) => delivery === undefined));
    const texts = new Map(own.map(({ path, text }) => [path, text] as const));
    const files = [...texts].map(([path, text]) => ({ path: installedPath(this.#folders, path), text }));
    const environment = machineEnv === null ? [] : [{ path: MACHINE_ENV_PATH, text: machineEnv }];
    // Last, so that an agent that comes meanwhile takes nothing for its own that is not there yet.
    const memory = { path: `${this.#folders.run}/owned.json`, text: encodeOwnedUnits(whole) };
    const start = startOrder(units.map((unit) => ({ ...unit, goal: "launched" as const })))
      .filter(({ name }) => whole.get(name)?.started != null)
      .map(({ service }) => service);
    return encodeBootSet({ files: [...files, ...environment, memory], start });
  }
}
