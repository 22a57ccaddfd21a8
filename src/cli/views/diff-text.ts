import { formatPatch, type StructuredPatchHunk, structuredPatch } from "diff";
import { maskSecrets } from "../../domain/lint/mask-secrets.ts";
import type { FileChange } from "../../usecases/diff-plan.ts";
import { printable } from "./printable.ts";

/** Two files that share nothing take seconds to compare; beyond this the whole file counts as replaced. */
const EDIT_LENGTH_MAX = 1_000;
const HEADERS = { includeIndex: false, includeUnderline: false, includeFileHeaders: true };

/** Unified diffs of the files as machines have them; secrets are masked, also where one that changed is all that did. */
export function diffText(changes: readonly FileChange[]): string {
  return changes.map(fileDiff).join("\n");
}

function fileDiff({ path, before, after }: FileChange): string {
  const [from, to] = [before === null ? "/dev/null" : `a/${path}`, after === null ? "/dev/null" : `b/${path}`];
  const options = { context: 3, maxEditLength: EDIT_LENGTH_MAX };
  const patch = structuredPatch(from, to, before ?? "", after ?? "", "", "", options);
  if (patch === undefined)
    return printable(`--- ${from}\n+++ ${to}\n(replaced: ${(after ?? "").split("\n").length} lines)\n`);
  const lines = { before: maskedLines(before), after: maskedLines(after) };
  const masked = { ...patch, hunks: patch.hunks.map((hunk) => maskedHunk(hunk, lines)) };
  return formatPatch(masked, HEADERS).split("\n").map(printable).join("\n");
}

function maskedLines(text: string | null): readonly string[] {
  return maskSecrets(text ?? "").split("\n");
}

/** The files themselves are compared, and of each line its masked form is shown: masked files could look alike. */
function maskedHunk(
  hunk: StructuredPatchHunk,
  { before, after }: { readonly before: readonly string[]; readonly after: readonly string[] },
): StructuredPatchHunk {
  let [old, young] = [hunk.oldStart - 1, hunk.newStart - 1];
  const lines = hunk.lines.map((line) => {
    const sign = line[0]!;
    if (sign === "-") return `-${before[old++]}`;
    if (sign === "\\") return line;
    if (sign === " ") old++;
    return `${sign}${after[young++]}`;
  });
  return { ...hunk, lines };
}
