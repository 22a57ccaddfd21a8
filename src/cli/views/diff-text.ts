import { type StructuredPatchHunk, structuredPatch } from "diff";
import { maskSecrets } from "../../domain/lint/mask-secrets.ts";
import type { EffectiveLine } from "../../domain/unit/print-effective-unit.ts";
import type { UnitDiff } from "../../usecases/diff-plan.ts";
import { printable } from "./printable.ts";

/** Two units that share nothing take seconds to compare; beyond this the whole unit counts as replaced. */
const EDIT_LENGTH_MAX = 1_000;
/** Instances named before the rest is counted. */
const UNITS_NAMED_MAX = 6;

/**
 * Unified diffs of units as systemd reads them. Each hunk says where its first change is written. Secrets are masked, also where one that
 * changed is all that did.
 */
export function diffText(diffs: readonly UnitDiff[]): string {
  return diffs.map((diff) => unitDiffText(diff)).join("\n");
}

/** One of them, every line printable. */
export function unitDiffText(diff: UnitDiff): string {
  return `${unitDiffLines(diff).map(printable).join("\n")}\n`;
}

function unitDiffLines({ units, before, after }: UnitDiff): string[] {
  const more = units.length - UNITS_NAMED_MAX;
  const name = `${units.slice(0, UNITS_NAMED_MAX).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
  const heads = [`--- ${before === null ? "/dev/null" : name}`, `+++ ${after === null ? "/dev/null" : name}`];
  const options = { context: 3, maxEditLength: EDIT_LENGTH_MAX };
  const patch = structuredPatch("", "", textOf(before), textOf(after), "", "", options);
  if (patch === undefined)
    return [...heads, `(replaced: ${before?.length ?? 0} lines by ${after?.length ?? 0} others)`];
  const sides = { before: side(before), after: side(after) };
  return [...heads, ...patch.hunks.flatMap((hunk) => hunkLines(hunk, sides))];
}

interface DiffSide {
  readonly lines: readonly EffectiveLine[];
  /** The same lines as they may be shown. */
  readonly masked: readonly string[];
}

function side(lines: readonly EffectiveLine[] | null): DiffSide {
  return { lines: lines ?? [], masked: maskSecrets(textOf(lines)).split("\n") };
}

function textOf(lines: readonly EffectiveLine[] | null): string {
  return lines === null ? "" : lines.map((line) => `${line.text}\n`).join("");
}

/** The texts themselves are compared, and of each line its masked form is shown: masked texts could look alike. */
function hunkLines(hunk: StructuredPatchHunk, { before, after }: { before: DiffSide; after: DiffSide }): string[] {
  let [old, young] = [hunk.oldStart - 1, hunk.newStart - 1];
  let added: EffectiveLine["at"] = null;
  let removed: EffectiveLine["at"] = null;
  const lines: string[] = [];
  for (const sign of hunk.lines.map((line) => line[0])) {
    if (sign === "-") {
      removed ??= before.lines[old]?.at ?? null;
      lines.push(`-${before.masked[old++]}`);
    } else if (sign === "+" || sign === " ") {
      if (sign === "+") added ??= after.lines[young]?.at ?? null;
      else old++;
      lines.push(`${sign}${after.masked[young++]}`);
    }
  }
  // What comes says where it is written; what only goes says where it was.
  const at = added ?? removed;
  const place = at === null ? "" : ` ${at.path}${at.line === undefined ? "" : `:${at.line}`}`;
  const range = (start: number, count: number) => `${count === 0 ? start - 1 : start},${count}`;
  const ranges = `-${range(hunk.oldStart, hunk.oldLines)} +${range(hunk.newStart, hunk.newLines)}`;
  return [`@@ ${ranges} @@${place}`, ...lines];
}
