import type { ClusterIdentity, ClusterSnapshot, Release } from "../cluster/cluster-snapshot.ts";
import type { CommitId } from "../names.ts";

/** How far a cluster's registry had come when somebody last looked, kept on that one's own disk. */
export interface RegistryMark {
  readonly clusterId: string;
  readonly epoch: number;
  /** The highest term it led or saw; 0 before the first. */
  readonly term: number;
  /** The highest release; 0 before the first. */
  readonly seq: number;
  readonly commit: CommitId | null;
}

/** What a registry shows of its own past. */
export interface ShownRegistry {
  readonly identity: ClusterIdentity | null;
  readonly release: Release | null;
  /** Null where it was not looked at; 0 where there is none. */
  readonly term: number | null;
}

/** Why a registry is not the one that was known: it was replaced, wiped or restored from a backup. Data, never sentences. */
export type Replaced =
  | { readonly code: "cluster-gone"; readonly clusterId: string }
  | { readonly code: "other-cluster"; readonly saw: string; readonly known: string }
  | { readonly code: "epoch-behind"; readonly saw: number; readonly known: number }
  | { readonly code: "release-gone"; readonly known: number }
  | { readonly code: "release-behind"; readonly saw: number; readonly known: number }
  /** The same number names another commit: it was restored, and then applied to. */
  | { readonly code: "other-release"; readonly seq: number; readonly saw: CommitId; readonly known: CommitId }
  | { readonly code: "term-behind"; readonly saw: number; readonly known: number }
  /** Of a machine's own set: the registry's is older than the one its agent has. */
  | { readonly code: "set-behind"; readonly saw: number; readonly known: number }
  /** A machine says that it has taken a release the registry does not have. */
  | { readonly code: "member-ahead"; readonly machine: string; readonly saw: number; readonly known: number };

/**
 * Whether the registry went back behind what is remembered (reliability.md §3.1, rule 6). Epochs come first: a higher one was raised by
 * somebody on purpose (`fleet registry adopt`, `import`), and then lower numbers are no sign of anything.
 */
export function judgeReplaced(shown: ShownRegistry, known: RegistryMark | null): Replaced | null {
  if (known === null) return null;
  const { identity, release, term } = shown;
  if (identity === null) return { code: "cluster-gone", clusterId: known.clusterId };
  if (identity.epoch > known.epoch) return null;
  if (identity.id !== known.clusterId) return { code: "other-cluster", saw: identity.id, known: known.clusterId };
  if (identity.epoch < known.epoch) return { code: "epoch-behind", saw: identity.epoch, known: known.epoch };
  const because = judgeRelease(release, known);
  if (because !== null) return because;
  return term !== null && term < known.term ? { code: "term-behind", saw: term, known: known.term } : null;
}

/** Of the same cluster and epoch. */
export function judgeRelease(release: Release | null, known: Pick<RegistryMark, "seq" | "commit">): Replaced | null {
  if (known.seq === 0) return null;
  if (release === null) return { code: "release-gone", known: known.seq };
  if (release.seq < known.seq) return { code: "release-behind", saw: release.seq, known: known.seq };
  if (release.seq > known.seq || known.commit === null || release.commit === known.commit) return null;
  return { code: "other-release", seq: release.seq, saw: release.commit, known: known.commit };
}

/** What to remember of a registry that was not replaced; null where it holds no cluster yet. */
export function markOf({ identity, release, term }: ShownRegistry, known: RegistryMark | null): RegistryMark | null {
  if (identity === null) return known;
  // In a new epoch terms, too, begin with what is there: an engine that remembers nothing may lead it first.
  const before = known?.epoch === identity.epoch ? known.term : 0;
  return {
    clusterId: identity.id,
    epoch: identity.epoch,
    term: Math.max(term ?? 0, before),
    seq: release?.seq ?? 0,
    commit: release?.commit ?? null,
  };
}

/**
 * For an engine that remembers nothing: machines know. One that has taken a later release than the registry has says that this is not the
 * registry it took it from. What it took in an earlier epoch counts no more.
 */
export function memberAhead({ identity, release, members }: ClusterSnapshot): Replaced | null {
  if (identity === null || release === null) return null;
  const ahead = members.find(({ acceptedSeq, acceptedEpoch }) => {
    const epoch = acceptedEpoch ?? 1;
    return epoch > identity.epoch || (epoch === identity.epoch && acceptedSeq > release.seq);
  });
  if (ahead === undefined) return null;
  return { code: "member-ahead", machine: ahead.name, saw: release.seq, known: ahead.acceptedSeq };
}
