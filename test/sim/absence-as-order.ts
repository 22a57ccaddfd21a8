import { sha256 } from "../../src/adapters/sha256.ts";
import { encodeRecord } from "../../src/codec/record.ts";
import { registryKeys } from "../../src/codec/registry-keys.ts";
import type { PlacedUnit } from "../../src/domain/cluster/cluster-snapshot.ts";
import { digestOfSet } from "../../src/domain/cluster/digest-of-set.ts";
import type { MachineId, UnitName } from "../../src/domain/names.ts";
import type { Entry, Listing, ListOptions, Registry, WatchMessage } from "../../src/ports/registry.ts";
import { changed } from "./defects.ts";

/** A registry whose headers always describe what is there, so that its agent takes half a set, or none, for a whole one. */
export function absenceAsOrder(inner: Registry, machine: MachineId): Registry {
  const set = registryKeys("sim").set(machine);
  return changed(inner, {
    async list(prefix: string, options?: ListOptions): Promise<Listing> {
      const listing = await inner.list(prefix, options);
      if (prefix !== set) return listing;
      return { ...listing, entries: described(set, listing.entries, listing.revision) };
    },
    watch: (prefix, after, signal) =>
      prefix === set ? relisting(inner, set, after, signal) : inner.watch(prefix, after, signal),
  });
}

/** After every change the whole of it again, under a header made up for it. */
async function* relisting(
  inner: Registry,
  set: string,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<WatchMessage> {
  for await (const message of inner.watch(set, after, signal)) {
    if (message.kind !== "changes") {
      yield message;
      continue;
    }
    const { entries, revision } = await inner.list(set);
    const gone = message.changes.filter((change) => change.kind === "delete" && change.key !== set);
    const now = described(set, entries, revision).map((entry) => ({ kind: "put", entry }) as const);
    yield { kind: "changes", revision: message.revision, changes: [...gone, ...now] };
  }
}

function described(set: string, entries: readonly Entry[], revision: number): Entry[] {
  const placed = entries.filter(({ key }) => key !== set);
  const placements = placed.map(({ key, value }): PlacedUnit => {
    const { hash, goal } = JSON.parse(value) as Pick<PlacedUnit, "hash" | "goal">;
    return { unit: key.slice(set.length + 1) as UnitName, hash, goal };
  });
  const header = { epoch: 1, generation: revision, count: placements.length, digest: digestOfSet(placements, sha256) };
  const entry = { key: set, value: encodeRecord({ ...header, op: "" }), version: 1, lease: null };
  return [...placed, { ...entry, createRevision: revision, modRevision: revision }];
}
