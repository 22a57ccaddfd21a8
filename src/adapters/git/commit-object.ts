import { corrupt } from "./git-object.ts";

/** The parts of a commit that fleet reads. Text is decoded as UTF-8, wrong bytes as U+FFFD: it is for people only. */
export interface CommitObject {
  readonly tree: string;
  readonly parents: readonly string[];
  readonly author: string;
  readonly authoredMs: number;
  readonly subject: string;
}

/** A subject is one line on a terminal; more of it is somebody's mistake. */
const SUBJECT_LENGTH_MAX = 200;

export function parseCommit(content: Buffer, oid: string): CommitObject {
  const text = content.toString("utf8");
  const bodyAt = text.indexOf("\n\n");
  const headers = (bodyAt < 0 ? text : text.slice(0, bodyAt)).split("\n");
  const tree = /^tree ([0-9a-f]{40})$/.exec(headers[0] ?? "")?.[1];
  if (tree === undefined) throw corrupt(`commit ${oid} does not start with a tree`);
  const parents: string[] = [];
  for (const line of headers.slice(1)) {
    const parent = /^parent ([0-9a-f]{40})$/.exec(line)?.[1];
    if (parent === undefined) break;
    parents.push(parent);
  }
  const author = /^author (.*?) ?<[^>]*> ?(-?\d{1,12})?/.exec(headers.find((line) => line.startsWith("author ")) ?? "");
  const subject =
    bodyAt < 0
      ? ""
      : (text
          .slice(bodyAt + 2)
          .trimStart()
          .split("\n", 1)[0] ?? "");
  return {
    tree,
    parents,
    author: withoutControls(author?.[1] ?? ""),
    authoredMs: Number(author?.[2] ?? 0) * 1000,
    subject: withoutControls(subject).slice(0, SUBJECT_LENGTH_MAX),
  };
}

/** The commit an annotated tag points to at the end of its own chain, one step: the object it names. */
export function parseTagTarget(content: Buffer, oid: string): string {
  const target = /^object ([0-9a-f]{40})\n/.exec(content.subarray(0, 64).toString("latin1"))?.[1];
  if (target === undefined) throw corrupt(`tag ${oid} does not say what it tags`);
  return target;
}

function withoutControls(text: string): string {
  return text.replace(/[\x00-\x1f\x7f-\x9f]/g, " ").trim();
}
