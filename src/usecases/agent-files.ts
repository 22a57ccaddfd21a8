import {
  type AgentState,
  decodeAgentState,
  decodeOwnedUnits,
  decodeStoredUnit,
  encodeAgentState,
  encodeOwnedUnits,
  encodeStoredUnit,
  type OwnedUnit,
  type StoredUnit,
} from "../codec/agent-state.ts";
import type { UnitHash, UnitName } from "../domain/names.ts";
import { fencePath } from "../domain/spec/at-most-one-dropin.ts";
import type { InstalledFile } from "../domain/tasks/task.ts";
import type { FileStore } from "../ports/file-store.ts";
import type { SecretReader } from "../ports/secret-reader.ts";
import { AdoptedFiles } from "./adopted-files.ts";
import { BootSetKeeper } from "./boot-set.ts";
import { DeliveredFiles } from "./delivered-files.ts";
import { DriftedFiles } from "./drifted-files.ts";
import { HoldMemory } from "./hold-memory.ts";
import { MACHINE_ENV_PATH } from "./render-machine-env.ts";
import { installedPath, type UnitFolders } from "./unit-folders.ts";

export interface AgentFolders extends UnitFolders {
  /** Survives a reboot: `/var/lib/fleet/agent`. */
  readonly state: string;
  /** Goes with a reboot, like the unit directory: `/run/fleet-agent`. */
  readonly run: string;
}

export const AGENT_FOLDERS: AgentFolders = {
  state: "/var/lib/fleet/agent",
  run: "/run/fleet-agent",
  units: "/run/systemd/system",
  quadlets: "/run/containers/systemd",
};

/** What an agent keeps on its disk, each file whole or not there. */
export class AgentFiles {
  readonly #files: FileStore;
  readonly folders: AgentFolders;
  readonly adopted: AdoptedFiles;
  readonly delivered: DeliveredFiles;
  readonly drifted: DriftedFiles;
  readonly bootSet: BootSetKeeper;
  readonly holds: HoldMemory;
  /** What is owned by now: read once, because nobody else writes it. Null until then. */
  #owned: ReadonlyMap<UnitName, OwnedUnit> | null = null;
  /** The disk did not take it. */
  #isUnsaved = false;
  /** Texts are immutable by their hash: read once, asked for in every pass. */
  readonly #units = new Map<UnitHash, StoredUnit>();
  /** The names of their files, once asked for: a set of new units looks for none of them on the disk. */
  #stored: Set<string> | null = null;

  /** `secrets`: null where whoever uses it puts no secret into its place. */
  constructor(files: FileStore, folders: AgentFolders = AGENT_FOLDERS, secrets: SecretReader | null = null) {
    this.#files = files;
    this.folders = folders;
    this.adopted = new AdoptedFiles(files, `${folders.state}/adopted`);
    this.delivered = new DeliveredFiles(files, `${folders.state}/delivered.json`, secrets);
    this.drifted = new DriftedFiles(files, folders, `${folders.state}/drifted`, this.delivered);
    this.holds = new HoldMemory(files, folders.state);
    this.bootSet = new BootSetKeeper(files, folders, this);
  }

  async readState(): Promise<AgentState | null> {
    return decodeAgentState(await this.#files.read(`${this.folders.state}/state.json`));
  }

  async writeState(state: AgentState): Promise<void> {
    await this.#files.write(`${this.folders.state}/state.json`, encodeAgentState(state), { mode: 0o600 });
  }

  /** A hash comes from the registry: one that is none names no file, wherever a path made of it would lead. */
  async readUnit(hash: UnitHash): Promise<StoredUnit | null> {
    const known = this.#units.get(hash);
    if (known !== undefined) return known;
    if (!/^[0-9a-f]{64}$/.test(hash)) return null;
    this.#stored ??= new Set(await this.#files.list(`${this.folders.state}/units`));
    if (!this.#stored.has(`${hash}.json`)) return null;
    const stored = decodeStoredUnit(await this.#files.read(this.#unitPath(hash)));
    if (stored?.hash !== hash) return null;
    this.#units.set(hash, stored);
    return stored;
  }

  async writeUnit(unit: StoredUnit): Promise<void> {
    await this.#files.write(this.#unitPath(unit.hash), encodeStoredUnit(unit), { mode: 0o600 });
    this.#units.set(unit.hash, unit);
    this.#stored?.add(`${unit.hash}.json`);
  }

  /** Removes the stored texts of every hash not in use any more. */
  async keepOnly(hashes: ReadonlySet<UnitHash>): Promise<void> {
    for (const name of await this.#files.list(`${this.folders.state}/units`)) {
      const hash = name.replace(/\.json$/, "") as UnitHash;
      if (hashes.has(hash)) continue;
      this.#units.delete(hash);
      this.#stored?.delete(name);
      await this.#files.remove(`${this.folders.state}/units/${name}`);
    }
  }

  /** The same value for a unit as long as it is not written. */
  async readOwned(): Promise<Map<UnitName, OwnedUnit>> {
    this.#owned ??= decodeOwnedUnits(await this.#files.read(`${this.folders.run}/owned.json`));
    return new Map(this.#owned);
  }

  async writeOwned(owned: ReadonlyMap<UnitName, OwnedUnit>): Promise<void> {
    await this.#files.write(`${this.folders.run}/owned.json`, encodeOwnedUnits(owned), { mode: 0o600, durable: false });
    this.#owned = new Map(owned);
    this.#isUnsaved = false;
    this.bootSet.outdated();
  }

  /** Of what has been done already: also counts where it cannot be written now, until `saveOwned` can. */
  async keepOwned(owned: ReadonlyMap<UnitName, OwnedUnit>): Promise<void> {
    this.#owned = new Map(owned);
    this.#isUnsaved = true;
    await this.saveOwned();
  }

  async saveOwned(): Promise<void> {
    if (this.#isUnsaved && this.#owned !== null) await this.writeOwned(this.#owned);
  }

  async readMachineEnv(): Promise<string | null> {
    return this.#files.read(MACHINE_ENV_PATH);
  }

  async writeMachineEnv(text: string): Promise<void> {
    await this.#files.write(MACHINE_ENV_PATH, text, { durable: false });
    this.bootSet.outdated();
  }

  /** What a unit that runs at most once is started with. */
  async writeFenceToken(service: UnitName, token: string): Promise<void> {
    await this.#files.write(fencePath(service), `FLEET_FENCE_TOKEN=${token}\n`, { mode: 0o600, durable: false });
  }

  /** Makes it ready; `publishUnitFile` then needs no room on the disk. */
  async stageUnitFile(file: InstalledFile): Promise<void> {
    if (file.delivery !== undefined) await this.delivered.stage(file);
    else await this.#files.stage(installedPath(this.folders, file.path), file.text);
  }

  /** What was staged. */
  async publishUnitFile(file: InstalledFile): Promise<void> {
    await this.#files.publish(installedPath(this.folders, file.path));
    await this.drifted.wrote(file);
  }

  async unstageUnitFile(path: string): Promise<void> {
    await this.#files.unstage(installedPath(this.folders, path));
  }

  async removeUnitFile(path: string): Promise<void> {
    if (path.startsWith("/")) return this.delivered.remove(path);
    // Never the unit folder itself: a machine without /run/systemd/system is taken for one without systemd (sd_booted).
    await this.#files.remove(installedPath(this.folders, path), { prune: path.includes("/") });
  }

  #unitPath(hash: UnitHash): string {
    return `${this.folders.state}/units/${hash}.json`;
  }
}
