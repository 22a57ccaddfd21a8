import type { Resources } from "../cluster/resources.ts";
import type { ClusterSpec, Group, SpecUnit } from "../spec/cluster-spec.ts";
import { AtomBook } from "./atom-book.ts";
import type { ReplicaSpread, Replicas } from "./replica-rules.ts";

/**
 * A group as the placement sees it: its units that are wanted at all, and its relations to others by the number of a glob.
 * Most atoms have no relation, and cost nothing to check.
 */
export interface Atom {
  readonly group: Group;
  /** Sorted by name; never empty, none `inactive`. */
  readonly units: readonly SpecUnit[];
  /** Above those it gives way to; see `ReplaceLevels`. */
  readonly level: number;
  /** Two of one key are allowed on the same machines by the commit; see `staticReject`. */
  readonly staticKey: string;
  /** Conflict globs its units declare, and those that match its units. */
  readonly shuns: readonly number[];
  readonly shunnedBy: readonly number[];
  /** Replace globs its units declare, and those that match its units. */
  readonly replaces: readonly number[];
  readonly replacedBy: readonly number[];
  /** It is in one of the four lists, so that neighbours matter. */
  readonly hasRelations: boolean;
  /** What its units ask for, summed. */
  readonly requests: Resources;
  /** Its sets of replicas that are kept apart; mostly none. */
  readonly replicas: readonly Replicas[];
  /** What it is spread by; a global group is everywhere, and by nothing. */
  readonly spreads: readonly ReplicaSpread[];
}

/** Everything of the commit that is to be placed, by group name. */
export function atomsOf(spec: ClusterSpec): readonly Atom[] {
  const book = new AtomBook();
  book.update(spec);
  return book.atoms();
}
