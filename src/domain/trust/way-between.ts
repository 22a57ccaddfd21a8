import { invariant } from "../invariant.ts";
import type { CommitId } from "../names.ts";

export interface CommitNode {
  readonly commit: CommitId;
  /** In the commit's order. */
  readonly parents: readonly CommitId[];
}

/** One commit of the way between two others. */
export interface WayStep<Node extends CommitNode> {
  readonly at: Node;
  /** The step before. */
  readonly parent: CommitId;
  /** The step before is not its first parent. */
  readonly isDetour: boolean;
  /** What came in by it over its other parents and over none before it. */
  readonly broughtIn: readonly Node[];
}

/**
 * The way from a commit to a later one, oldest first: from the later one back, always to the first of its parents that is or descends from
 * the earlier. As long as the branch is gone along by its own commits, those are first parents; where it was merged into something else
 * by a `git pull`, they are not (protocol rule 36). `commits`: at least all that the later one has and the earlier has not.
 */
export function wayBetween<Node extends CommitNode>(
  from: CommitId,
  to: CommitId,
  commits: ReadonlyMap<CommitId, Node>,
): readonly WayStep<Node>[] {
  const descends = descendantsOf(from, commits);
  const back: { readonly at: Node; readonly parent: CommitId }[] = [];
  for (let commit = to; commit !== from; ) {
    const at = commits.get(commit);
    const parent = at?.parents.find((one) => one === from || descends.has(one));
    invariant(at !== undefined && parent !== undefined, `${to} descends from ${from}`);
    back.push({ at, parent });
    commit = parent;
  }
  const there = new Set<CommitId>([from]);
  return back.reverse().map(({ at, parent }) => {
    const broughtIn = arriving(at, there, commits);
    there.add(at.commit);
    return { at, parent, isDetour: at.parents[0] !== parent, broughtIn };
  });
}

/** All among these that have it in their history. */
function descendantsOf(from: CommitId, commits: ReadonlyMap<CommitId, CommitNode>): ReadonlySet<CommitId> {
  const children = new Map<CommitId, CommitId[]>();
  for (const { commit, parents } of commits.values()) {
    for (const parent of parents) {
      const known = children.get(parent);
      if (known === undefined) children.set(parent, [commit]);
      else known.push(commit);
    }
  }
  const found = new Set<CommitId>(children.get(from));
  for (const commit of found) for (const child of children.get(commit) ?? []) found.add(child);
  return found;
}

/** What is reached from its parents and was not there; it is from now on. */
function arriving<Node extends CommitNode>(
  { parents }: Node,
  there: Set<CommitId>,
  commits: ReadonlyMap<CommitId, Node>,
): readonly Node[] {
  const found: Node[] = [];
  const left = [...parents];
  for (let commit = left.pop(); commit !== undefined; commit = left.pop()) {
    const read = commits.get(commit);
    if (read === undefined || there.has(commit)) continue;
    there.add(commit);
    found.push(read);
    left.push(...read.parents);
  }
  return found;
}
