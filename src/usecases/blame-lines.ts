import { lineOrigins } from "../domain/history/line-origins.ts";
import type { CommitId } from "../domain/names.ts";
import type { GitSource } from "../ports/git-source.ts";
import { OperationError } from "../ports/operation-error.ts";
import { type CommitHistory, HISTORY_COMMITS_MAX } from "./read-history.ts";

/** Larger files of a repository of units are not text. */
const FILE_BYTES_MAX = 1024 * 1024;

/** The commit that brought a line in as it is, or that it is older than what can be read here. */
export type LineOrigin =
  | { readonly kind: "commit"; readonly commit: CommitId }
  /** In the oldest commit that was reached: the clone is shallow, or the history longer than anybody looks through. */
  | { readonly kind: "older"; readonly than: CommitId };

/** By path, by line counted from 1. */
export type LineOrigins = ReadonlyMap<string, ReadonlyMap<number, LineOrigin>>;

/** One file on the way back: where the lines asked for stand in it by now. */
interface Trail {
  readonly path: string;
  oid: string;
  lines: readonly string[];
  /** Line as asked → index in `lines`. */
  open: Map<number, number>;
}

/**
 * Which commit each of these lines came with, going back from `commit` by first parents: a merge counts as the commit that brought its
 * lines to the branch, which is when a cluster could first run them. A file that was renamed begins with its new name.
 */
export async function blameLines(
  source: Pick<GitSource, "listFiles" | "readBlob">,
  history: CommitHistory,
  commit: CommitId,
  wanted: ReadonlyMap<string, ReadonlySet<number>>,
): Promise<LineOrigins> {
  const found = new Map<string, Map<number, LineOrigin>>([...wanted.keys()].map((path) => [path, new Map()]));
  let trails = await beginTrails(source, commit, wanted);
  let at = commit;
  for (let walked = 0; trails.length > 0; walked++) {
    const settle = (trail: Trail, lines: Iterable<number>, origin: LineOrigin) => {
      for (const line of lines) found.get(trail.path)!.set(line, origin);
    };
    const parent = (await history.commit(at)).parents[0] ?? null;
    const isEnd = parent !== null && (walked >= HISTORY_COMMITS_MAX || !(await isHere(history, parent)));
    if (parent === null || isEnd) {
      const origin: LineOrigin = isEnd ? { kind: "older", than: at } : { kind: "commit", commit: at };
      for (const trail of trails) settle(trail, trail.open.keys(), origin);
      break;
    }
    const oids = await oidsOf(source, parent, trails);
    for (const trail of trails) {
      const oid = oids.get(trail.path) ?? null;
      if (oid === trail.oid) continue;
      const older = oid === null ? [] : await linesOf(source, oid);
      const origins = lineOrigins(older, trail.lines);
      const stays = [...trail.open].flatMap(([line, index]) => {
        const origin = origins[index] ?? null;
        if (origin === null) settle(trail, [line], { kind: "commit", commit: at });
        return origin === null ? [] : [[line, origin] as const];
      });
      Object.assign(trail, { oid: oid ?? "", lines: older, open: new Map(stays) });
    }
    trails = trails.filter(({ open }) => open.size > 0);
    at = parent;
  }
  return found;
}

async function beginTrails(
  source: Pick<GitSource, "listFiles" | "readBlob">,
  commit: CommitId,
  wanted: ReadonlyMap<string, ReadonlySet<number>>,
): Promise<Trail[]> {
  const paths = [...wanted].map(([path, lines]) => ({ path, lines }));
  const oids = await oidsOf(source, commit, paths);
  const trails: Trail[] = [];
  for (const { path, lines } of paths) {
    const oid = oids.get(path);
    if (oid === undefined) continue;
    const open = new Map([...lines].map((line) => [line, line - 1]));
    trails.push({ path, oid, lines: await linesOf(source, oid), open });
  }
  return trails;
}

async function oidsOf(
  source: Pick<GitSource, "listFiles">,
  commit: CommitId,
  files: readonly { readonly path: string }[],
): Promise<ReadonlyMap<string, string>> {
  const listed = await source.listFiles(
    commit,
    files.map(({ path }) => path),
  );
  return new Map(listed.flatMap(({ path, oid, kind }) => (kind === "file" ? [[path, oid]] : [])));
}

/** What is no text, or too long for one, has no lines that could be told from those of another version. */
async function linesOf(source: Pick<GitSource, "readBlob">, oid: string): Promise<readonly string[]> {
  try {
    return new TextDecoder().decode(await source.readBlob(oid, FILE_BYTES_MAX)).split("\n");
  } catch (error) {
    if (error instanceof OperationError && error.code === "blob-too-large") return [];
    throw error;
  }
}

async function isHere(history: CommitHistory, commit: CommitId): Promise<boolean> {
  try {
    await history.commit(commit);
    return true;
  } catch (error) {
    if (error instanceof OperationError && error.code === "commit-unknown") return false;
    throw error;
  }
}
