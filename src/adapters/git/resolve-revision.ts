import type { CommitId } from "../../domain/names.ts";
import type { CommitReader } from "./commit-reader.ts";

/** A revision with this many steps back is a mistake, not a wish. */
const STEPS_BACK_MAX = 10_000;

/**
 * `NAME`, `NAME~n`, `NAME^`, `NAME^n` and their chains as a commit; null where there is none. `named` looks up the part
 * before the first `~` or `^`. Other forms of gitrevisions(7) (`@{…}`, `:/text`, ranges) mean nothing here.
 */
export async function resolveRevision(
  revision: string,
  named: (name: string) => Promise<CommitId | null>,
  reader: () => CommitReader,
): Promise<CommitId | null> {
  const parts = /^([^~^\s]+)((?:[~^]\d{0,5})*)$/.exec(revision);
  if (parts === null) return null;
  let commit = await named(parts[1]!);
  for (const [step] of parts[2]!.matchAll(/[~^]\d*/g)) {
    const count = step.length === 1 ? 1 : Number(step.slice(1));
    if (step[0] === "~") {
      if (count > STEPS_BACK_MAX) return null;
      for (let back = 0; back < count && commit !== null; back++) commit = parentOf(reader(), commit, 1);
    } else if (commit !== null && count > 0) commit = parentOf(reader(), commit, count);
  }
  return commit;
}

function parentOf(reader: CommitReader, commit: CommitId, which: number): CommitId | null {
  const parent = reader.commit(commit)?.parents[which - 1];
  return parent === undefined || !reader.hasCommit(parent) ? null : (parent as CommitId);
}
