import { openRegistry } from "../../src/adapters/etcd/open-registry.ts";
import { systemClock } from "../../src/adapters/system-clock.ts";
import type { EntryChange, Registry } from "../../src/ports/registry.ts";
import { monotonicMs } from "./monotonic-ms.ts";

/** One change of one key, as the registry told it. */
export interface RegistryWrite {
  readonly key: string;
  /** Null where the key was deleted. */
  readonly value: string | null;
  readonly revision: number;
  /** When it was heard, by the clock systemd dates starts with. */
  readonly heardMs: number;
}

/** Every write to a registry from some revision on, by its own history. */
export class RegistryWrites {
  readonly all: RegistryWrite[] = [];
  readonly #registry: Registry;
  readonly #ended = new AbortController();
  readonly #following: Promise<void>;
  onWrite: (write: RegistryWrite) => void = () => {};

  private constructor(registry: Registry, prefix: string, after: number) {
    this.#registry = registry;
    this.#following = this.#follow(prefix, after);
  }

  static async from(address: string, prefix: string): Promise<RegistryWrites> {
    const registry = await openRegistry(address, { clock: systemClock });
    const { revision } = await registry.list(prefix);
    return new RegistryWrites(registry, prefix, revision);
  }

  /** Those of keys that begin so, after a revision. */
  of(prefix: string, after = 0): RegistryWrite[] {
    return this.all.filter(({ key, revision }) => key.startsWith(prefix) && revision > after);
  }

  /** Of the whole store, now. */
  async revision(): Promise<number> {
    return (await this.#registry.describe()).revision;
  }

  async end(): Promise<void> {
    this.#ended.abort();
    await this.#following;
    await this.#registry.close();
  }

  async #follow(prefix: string, after: number): Promise<void> {
    for await (const message of this.#registry.watch(prefix, after, this.#ended.signal)) {
      if (message.kind !== "changes") continue;
      const heardMs = monotonicMs();
      for (const change of message.changes) {
        const write = { ...writeOf(change), heardMs };
        this.all.push(write);
        this.onWrite(write);
      }
    }
  }
}

function writeOf(change: EntryChange): Omit<RegistryWrite, "heardMs"> {
  if (change.kind === "delete") return { key: change.key, value: null, revision: change.modRevision };
  return { key: change.entry.key, value: change.entry.value, revision: change.entry.modRevision };
}
