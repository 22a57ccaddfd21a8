import type { CommitId } from "../../domain/names.ts";
import { CommitReader } from "./commit-reader.ts";
import type { MirrorTransport } from "./mirror-transport.ts";

/**
 * Fetches as much history as these steps say until it shows that a fresh clone's tip goes on from a commit known before. Returns the tip and
 * how much history is there then; null where it does not, or not within the last step.
 */
export async function proveDescent(
  transport: MirrorTransport,
  clone: { readonly folder: string; readonly remote: string; readonly tip: string },
  known: string,
  steps: readonly number[],
): Promise<{ readonly tip: string; readonly depth: number } | null> {
  const { folder, remote } = clone;
  let tip = clone.tip;
  for (const depth of steps) {
    tip = await withReader(folder, (reader) => transport.transfer(folder, remote, depth, { tip, reader }));
    const answer = await withReader(folder, (reader) => reader.isAncestor(known as CommitId, tip as CommitId));
    if (answer === "yes") return { tip, depth };
    if (answer === "no") return null;
  }
  return null;
}

async function withReader<T>(folder: string, use: (reader: CommitReader) => Promise<T>): Promise<T> {
  const reader = new CommitReader(folder);
  try {
    return await use(reader);
  } finally {
    reader.close();
  }
}
