import { encodeKept } from "../codec/kept-record.ts";
import type { RegistryKeys } from "../codec/registry-keys.ts";
import type { KeptSet } from "../domain/cluster/cluster-snapshot.ts";
import type { MachineId } from "../domain/names.ts";
import type { Registry } from "../ports/registry.ts";
import type { RegistryMirror } from "./registry-mirror.ts";

/** Tells the registry what this machine goes by while the registry does not show it, and takes that back once it does. */
export class KeptTeller {
  readonly #registry: Registry;
  readonly #key: string;
  /** The registry's revision after the last write: a mirror that is behind it shows what was there before. */
  #writtenAt = 0;

  constructor(registry: Registry, keys: RegistryKeys, machine: MachineId) {
    this.#registry = registry;
    this.#key = keys.kept(machine);
  }

  /** `kept` is null while the machine goes by what the registry shows. */
  async tell(kept: KeptSet | null, mirror: RegistryMirror): Promise<void> {
    if (!mirror.connected || mirror.revision < this.#writtenAt) return;
    const text = kept === null ? null : encodeKept(kept);
    if ((mirror.get(this.#key)?.value ?? null) === text) return;
    const { revision } = await this.#registry.txn({
      when: [],
      then: [text === null ? { kind: "delete", key: this.#key } : { kind: "put", key: this.#key, value: text }],
    });
    this.#writtenAt = revision;
  }
}
