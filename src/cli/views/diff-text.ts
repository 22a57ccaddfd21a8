import { createTwoFilesPatch } from "diff";
import type { FileChange } from "../../usecases/diff-plan.ts";
import { printable } from "./printable.ts";

/** Two files that share nothing take seconds to compare; beyond this the whole file counts as replaced. */
const EDIT_LENGTH_MAX = 1_000;

/** Unified diffs of the files as machines have them. */
export function diffText(changes: readonly FileChange[]): string {
  return changes.map(fileDiff).join("\n");
}

function fileDiff({ path, before, after }: FileChange): string {
  const [from, to] = [before === null ? "/dev/null" : `a/${path}`, after === null ? "/dev/null" : `b/${path}`];
  const patch = createTwoFilesPatch(from, to, before ?? "", after ?? "", "", "", {
    context: 3,
    maxEditLength: EDIT_LENGTH_MAX,
    headerOptions: { includeIndex: false, includeUnderline: false, includeFileHeaders: true },
  });
  const text = patch ?? `--- ${from}\n+++ ${to}\n(replaced: ${(after ?? "").split("\n").length} lines)\n`;
  return text.split("\n").map(printable).join("\n");
}
