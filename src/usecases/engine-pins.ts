import { decodeEngineKeys, ENGINE_KEYS_FILE, encodeEngineKeys } from "../codec/engine-keys-record.ts";
import { decodeJoin, JOIN_FILE } from "../codec/join-record.ts";
import type { EngineKeys } from "../domain/hub/judge-engine.ts";
import { listedEngineKeys } from "../domain/hub/listed-engine-keys.ts";
import type { NodeKey } from "../domain/identity/node-key.ts";
import type { MachineId } from "../domain/names.ts";
import type { SpecMachine } from "../domain/spec/cluster-spec.ts";
import type { FileStore } from "../ports/file-store.ts";

/**
 * Which engines a machine takes for its own: until an accepted commit lists any `engineKey`, those pinned at its join; from then on exactly
 * those that the last accepted commit which lists any does. They are on its disk, so that a restart without git knows them. A commit that
 * lists none says nothing: absence is no instruction, and would cut off every machine at once.
 */
export class EnginePins {
  readonly #files: Pick<FileStore, "read" | "write">;
  readonly #folder: string;
  #keys: EngineKeys = new Map();
  #unsaved: ReadonlyMap<NodeKey, MachineId> | null = null;

  /** `folder`: the state directory. */
  constructor(files: Pick<FileStore, "read" | "write">, folder: string) {
    this.#files = files;
    this.#folder = folder;
  }

  get keys(): EngineKeys {
    return this.#keys;
  }

  /** From the disk, unless what was accepted is not there yet. Rejects with OperationError where it cannot be read. */
  async recall(): Promise<void> {
    if (this.#unsaved !== null) return;
    const before = this.#keys;
    const known = await this.#kept();
    // What was accepted meanwhile is newer.
    if (this.#keys === before) this.#keys = known;
  }

  /** Goes by what a commit says that this machine has accepted; whether that is anything new. It counts before it is on the disk. */
  accept(machines: readonly Pick<SpecMachine, "id" | "engineKey">[]): boolean {
    const listed = listedEngineKeys(machines);
    if (listed.size === 0 || isSame(listed, this.#keys)) return false;
    this.#keys = listed;
    this.#unsaved = listed;
    return true;
  }

  /** Puts on the disk what is not there yet. Rejects with OperationError; then it is still to be done. */
  async save(): Promise<void> {
    const keys = this.#unsaved;
    if (keys === null) return;
    await this.#files.write(`${this.#folder}/${ENGINE_KEYS_FILE}`, encodeEngineKeys(keys), { mode: 0o600 });
    if (this.#unsaved === keys) this.#unsaved = null;
  }

  async #kept(): Promise<EngineKeys> {
    const listed = decodeEngineKeys(await this.#files.read(`${this.#folder}/${ENGINE_KEYS_FILE}`));
    if (listed !== null) return listed;
    const join = decodeJoin(await this.#files.read(`${this.#folder}/${JOIN_FILE}`));
    return new Map((join?.engineKeys ?? []).map((key) => [key, null]));
  }
}

function isSame(a: EngineKeys, b: EngineKeys): boolean {
  return a.size === b.size && [...a].every(([key, machine]) => b.get(key) === machine);
}
