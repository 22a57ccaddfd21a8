import { encodeRecord } from "../codec/record.ts";
import type { RegistryKeys } from "../codec/registry-keys.ts";
import type { ReleaseRecord } from "../codec/registry-records.ts";
import { snapshotFromEntries } from "../codec/snapshot-from-entries.ts";
import type { ClusterSnapshot, Member } from "../domain/cluster/cluster-snapshot.ts";
import { type Choice, chooseAdopted } from "../domain/fencing/choose-adopted.ts";
import { highestEpoch } from "../domain/fencing/highest-epoch.ts";
import type { RegistryMark } from "../domain/fencing/judge-replaced.ts";
import type { Clock, RandomId } from "../ports/clock.ts";
import { OperationError, UnknownResultError } from "../ports/operation-error.ts";
import type { Registry } from "../ports/registry.ts";
import { readKnownMark } from "./read-known-mark.ts";

/** What is left of a cluster, in its registry and by its machines' own words. */
export interface Remains {
  readonly snapshot: ClusterSnapshot;
  readonly known: RegistryMark | null;
  /** 0 where there is no such record. */
  readonly clusterModRevision: number;
}

/** At one revision, but for the engine's word. */
export async function readRemains(registry: Registry, keys: RegistryKeys): Promise<Remains> {
  const exact = (prefix: string) => ({ kind: "list", prefix, exact: true }) as const;
  const prefixes = ["members/", "presence/", "kept/"].map(
    (prefix) => ({ kind: "list", prefix: `${keys.root}${prefix}` }) as const,
  );
  const then = [exact(keys.cluster), exact(keys.release), exact(keys.importing), ...prefixes];
  const { listings, revision } = await registry.txn({ when: [], then });
  const [clusters = [], releases = [], imports = [], ...rest] = listings;
  if (imports.length > 0) {
    throw new OperationError("import-under-way", "an import into this registry was begun and is not finished", {
      next: "let it finish, or import again: fleet registry import FILE",
    });
  }
  const entries = [...clusters, ...releases, ...rest.flat()];
  const { snapshot, newerVersion } = snapshotFromEntries(keys, entries, revision);
  if (newerVersion !== null) {
    throw new OperationError("newer-fleet", `the registry holds records of version ${newerVersion}`, {
      next: "use the fleet version the cluster runs",
    });
  }
  const known = await readKnownMark(registry, keys);
  return { snapshot, known, clusterModRevision: clusters[0]?.modRevision ?? 0 };
}

/** An agent tells within a pass of its connection's return; after that much quiet nobody has more to say. */
const QUIET_MS = 3_000;
const ASK_AGAIN_MS = 250;

/**
 * Reads again until every machine that is there has told what it keeps, or none has told anything new for a while: one that goes by what
 * the registry shows has nothing to tell. It goes on listening while nobody has told of what an engine remembers, or, in a registry without a
 * cluster, while anybody is `silent`; for `patienceMs` at most. `silent`: sorted as members are.
 */
export async function hearMachines(
  registry: Registry,
  keys: RegistryKeys,
  clock: Clock,
  patienceMs: number,
): Promise<{ readonly remains: Remains; readonly silent: readonly Member[] }> {
  const beganMs = clock.monotonicMs();
  let heard = { words: "", atMs: beganMs };
  for (;;) {
    const remains = await readRemains(registry, keys);
    const { identity, members, kept = [] } = remains.snapshot;
    const nowMs = clock.monotonicMs();
    const words = kept
      .map(({ machine, epoch, generation, release }) => [machine, epoch, generation, release.seq])
      .join();
    if (words !== heard.words) heard = { words, atMs: nowMs };
    const told = new Set(kept.map(({ machine }) => machine));
    const untold = members.filter(({ id, present, setEpoch }) => present && setEpoch !== undefined && !told.has(id));
    const silent = identity === null ? untold : [];
    const mayBeMore = silent.length > 0 || members.length === 0 || knowsMore(remains);
    const isQuiet = nowMs - heard.atMs >= QUIET_MS && !mayBeMore;
    const isAll = untold.length === 0 && kept.length > 0 && !mayBeMore;
    if (isAll || isQuiet || nowMs - beganMs >= patienceMs) return { remains, silent };
    await clock.sleep(ASK_AGAIN_MS);
  }
}

/** An engine remembers a release, or an epoch, that neither the registry nor a machine has told of yet. */
function knowsMore({ snapshot, known }: Remains): boolean {
  if (known === null) return false;
  const { release, kept = [] } = snapshot;
  const seq = Math.max(release?.seq ?? 0, ...kept.map((set) => set.release.seq));
  return known.seq > seq || known.epoch > highestEpoch(snapshot, null);
}

/**
 * Raises the registry's epoch and puts back what it has lost, in one transaction; the engine then takes every machine's set over as that
 * machine says it is. False where somebody wrote first: nothing was changed. A lost reply is settled by looking.
 */
export async function adoptRegistry(
  registry: Registry,
  keys: RegistryKeys,
  remains: Remains,
  choice: Extract<Choice, { kind: "adopt" }>,
  newId: RandomId,
): Promise<boolean> {
  const cluster = encodeRecord(choice.identity);
  const record: ReleaseRecord | null =
    choice.isReleasePutBack && choice.release !== null ? { ...choice.release, op: newId() } : null;
  const release = record === null ? null : encodeRecord(record);
  try {
    const { succeeded } = await registry.txn({
      when: [
        { key: keys.cluster, target: "mod", is: "=", value: remains.clusterModRevision },
        { key: keys.release, target: "mod", is: "=", value: remains.snapshot.releaseModRevision },
        { key: keys.importing, target: "create", is: "=", value: 0 },
      ],
      then: [
        { kind: "put", key: keys.cluster, value: cluster },
        ...(record === null || release === null
          ? []
          : [
              { kind: "put", key: keys.release, value: release } as const,
              { kind: "put", key: keys.releaseAt(record.seq), value: release } as const,
            ]),
      ],
    });
    return succeeded;
  } catch (error) {
    if (!(error instanceof UnknownResultError)) throw error;
    // Whoever wrote the very same meant the very same.
    const [now] = (await registry.list(keys.cluster, { exact: true })).entries;
    if (now?.value === cluster) return true;
    throw error;
  }
}

/** The choice for what is left; rejects where there is nothing to choose, or only a person can. */
export function adoptionOf({ snapshot, known }: Remains): Extract<Choice, { kind: "adopt" }> {
  const choice = chooseAdopted(snapshot, known);
  if (choice.kind === "adopt") return choice;
  if (choice.kind === "nothing") {
    throw new OperationError("nothing-to-adopt", "the registry holds no cluster, and no machine has told of one", {
      next: "check --registry and that the agents run and use it; fleet apply makes a new cluster",
    });
  }
  const clusters = choice.clusters.map(({ id, machines }) => `${machines.join(", ")} to ${id.slice(0, 8)}`);
  throw new OperationError("several-clusters", `machines of several clusters speak here: ${clusters.join("; ")}`, {
    next: "point those that belong elsewhere to their own registry, and adopt again",
  });
}
