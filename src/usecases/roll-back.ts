import type { CommitId } from "../domain/names.ts";
import type { GitSource } from "../ports/git-source.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { CommitHistory } from "./read-history.ts";

/** What is to be taken again, and why. */
export interface Rollback {
  readonly target: CommitId;
  /** Its release; null where a revision was named. */
  readonly seq: number | null;
  /** The release that is left, where a cluster was asked. */
  readonly from: { readonly seq: number; readonly failed: boolean } | null;
  /** In the words of whoever asked; null: they gave none. */
  readonly why: string | null;
}

/** Writes to the repository somebody stands in. */
export interface CommitWriter {
  commitTree(treeOf: CommitId, parent: CommitId, message: string): Promise<CommitId>;
}

/** Commits named in the message before the rest is counted. */
const UNDONE_NAMED_MAX = 20;
/** Subjects are one line each; see `describeCommit`. */
const UNDONE_WALKED_MAX = 1_000;

/**
 * Writes the commit that goes back: the tree of an earlier one on top of `head`, as nothing else is accepted by machines once a release was
 * complete (protocol rule 3). No branch moves. Rejects with `not-a-descendant` where `head` does not come after the target, and
 * `nothing-to-undo` where their files are the same.
 */
export async function writeRollback(
  source: Pick<GitSource, "isAncestor" | "changedFiles" | "describeCommit">,
  history: CommitHistory,
  writer: CommitWriter,
  head: CommitId,
  rollback: Rollback,
): Promise<CommitId> {
  const { target } = rollback;
  if ((await source.isAncestor(target, head)) !== "yes") {
    throw new OperationError("not-a-descendant", `HEAD does not come after ${target.slice(0, 12)}`, {
      next: "stand on the branch the cluster follows: git switch main",
    });
  }
  if ((await source.changedFiles(target, head)).length === 0) {
    throw new OperationError("nothing-to-undo", `HEAD has the very files of ${target.slice(0, 12)}`, {
      next: "fleet history says what was released since",
    });
  }
  const undone = await undoneCommits(source, history, head, target);
  const { subject } = await source.describeCommit(target);
  return writer.commitTree(target, head, messageOf(rollback, subject, undone));
}

/** By first parents, newest first; where the target came by a merge, up to the commit that brought it. */
async function undoneCommits(
  source: Pick<GitSource, "describeCommit" | "isAncestor">,
  history: CommitHistory,
  head: CommitId,
  target: CommitId,
): Promise<readonly string[]> {
  const undone: string[] = [];
  for (let at: CommitId | null = head; at !== null && at !== target && undone.length < UNDONE_WALKED_MAX; ) {
    if ((await source.isAncestor(target, at)) !== "yes") break;
    const { subject } = await source.describeCommit(at);
    undone.push(`${at.slice(0, 12)} ${subject}`);
    at = (await history.commit(at)).parents[0] ?? null;
  }
  return undone;
}

function messageOf({ target, seq, from, why }: Rollback, subject: string, undone: readonly string[]): string {
  const short = target.slice(0, 12);
  const what = seq === null ? short : `release ${seq} (${short})`;
  const more = undone.length - UNDONE_NAMED_MAX;
  const left = from === null ? [] : [`Release ${from.seq} is left${from.failed ? ", whose rollout failed" : ""}.`];
  const lines = [
    `Roll back to ${what}`,
    "",
    `The files are those of ${short} "${subject}" again.`,
    ...left,
    ...(why === null ? [] : [`Why: ${why}`]),
    "",
    "Undone:",
    ...undone.slice(0, UNDONE_NAMED_MAX).map((line) => `- ${line}`),
    ...(more > 0 ? [`- and ${more} more`] : []),
  ];
  return `${lines.join("\n")}\n`;
}
