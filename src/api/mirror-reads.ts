import type { RegistryKeys } from "../codec/registry-keys.ts";
import type { RegistryMirror } from "../daemon/registry-mirror.ts";
import { InvariantError } from "../domain/invariant.ts";
import { compareText } from "../domain/names.ts";
import type { Entry, Listing, ListOptions, Registry, RegistryReader, Txn, TxnResult } from "../ports/registry.ts";
import { LeastRecent } from "../usecases/least-recent.ts";

/** What a cluster's readers read. Not in it: tokens, admissions and locks, which nobody is shown, and what never changes once written. */
const FOLLOWED = [
  "cluster",
  // As a prefix it holds the history, too.
  "release",
  "engine/",
  "assign/",
  "placements/",
  "members/",
  "presence/",
  "kept/",
  "status/",
  "rollout/",
  "rollout-orders/",
  "holds/",
  "claims/",
] as const;

/** Named by what is in them, so one reading is good for ever. */
const IMMUTABLE = ["specs/", "plans/"] as const;

/** Characters of those kept: the index and the plan of 20,000 units are some 10 MiB each. */
const KEPT_MAX = 32 * 1_048_576;

export function followedPrefixes(keys: RegistryKeys): string[] {
  return FOLLOWED.map((name) => `${keys.root}${name}`);
}

/**
 * A mirror as the registry that use cases read: they give the same values as a terminal gets, and the registry is asked nothing. Only what
 * never changes (the index of a spec, a plan) is read from it, once. Writes are a mistake of ours.
 */
export class MirrorReads implements RegistryReader {
  readonly #keys: RegistryKeys;
  readonly #mirror: RegistryMirror;
  readonly #registry: Pick<Registry, "list">;
  readonly #immutable = new LeastRecent<string, Promise<Listing>>(KEPT_MAX);
  /** By the first step of their key, each sorted by key. */
  #shelves: { readonly changes: number; readonly byStep: ReadonlyMap<string, readonly Entry[]> } | null = null;

  constructor(keys: RegistryKeys, mirror: RegistryMirror, registry: Pick<Registry, "list">) {
    this.#keys = keys;
    this.#mirror = mirror;
    this.#registry = registry;
  }

  async list(prefix: string, { exact = false }: ListOptions = {}): Promise<Listing> {
    if (IMMUTABLE.some((folder) => prefix.startsWith(`${this.#keys.root}${folder}`))) return this.#read(prefix);
    if (!followedPrefixes(this.#keys).some((followed) => prefix.startsWith(followed))) {
      throw new InvariantError(`${prefix} is not followed`);
    }
    return { revision: this.#mirror.revision, entries: this.#entries(prefix, exact) };
  }

  async txn({ when, then }: Txn): Promise<TxnResult> {
    const listings = then.map((operation) => {
      if (operation.kind !== "list" || when.length > 0) throw new InvariantError("a mirror is only read");
      return this.#entries(operation.prefix, operation.exact === true);
    });
    return { succeeded: true, revision: this.#mirror.revision, listings };
  }

  #entries(prefix: string, exact: boolean): readonly Entry[] {
    if (exact) {
      const entry = this.#mirror.get(prefix);
      return entry === null ? [] : [entry];
    }
    return (this.#byStep().get(this.#step(prefix)) ?? []).filter(({ key }) => key.startsWith(prefix));
  }

  #byStep(): ReadonlyMap<string, readonly Entry[]> {
    const { changes } = this.#mirror;
    if (this.#shelves?.changes === changes) return this.#shelves.byStep;
    const byStep = Map.groupBy(this.#mirror.entries(), ({ key }) => this.#step(key));
    for (const entries of byStep.values()) entries.sort((a, b) => compareText(a.key, b.key));
    this.#shelves = { changes, byStep };
    return byStep;
  }

  #step(key: string): string {
    return key.slice(this.#keys.root.length).split("/", 1)[0]!;
  }

  async #read(prefix: string): Promise<Listing> {
    const known = this.#immutable.get(prefix);
    if (known !== undefined) return known;
    const reading = this.#registry.list(prefix);
    this.#immutable.set(prefix, reading, 1);
    try {
      const listing = await reading;
      const weight = listing.entries.reduce((sum, { value }) => sum + value.length, 1);
      // What is not there yet may be written in a moment.
      if (listing.entries.length === 0) this.#immutable.delete(prefix);
      else this.#immutable.set(prefix, reading, weight);
      return listing;
    } catch (error) {
      this.#immutable.delete(prefix);
      throw error;
    }
  }
}
