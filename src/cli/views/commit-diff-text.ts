import type { CommitId } from "../../domain/names.ts";
import type { Change } from "../../domain/plan/plan.ts";
import type { CommitDiff } from "../../usecases/diff-commits.ts";
import { groupsOf, SIGNS } from "./change-rows.ts";
import { changeLines } from "./change-table.ts";
import { counted } from "./counted.ts";
import { describeChange } from "./describe-reason.ts";
import { printableLine } from "./printable.ts";
import type { Terminal } from "./terminal.ts";

export type Compared = Extract<CommitDiff, { kind: "compared" }>;

/** Settings of units and keys of the manifest named before the rest is counted. */
const SETTINGS_SHOWN_MAX = 20;

/** What two commits differ in, for people: units by what it would do to them, then what the manifest says otherwise. */
export function commitDiffText(compared: Compared, terminal: Terminal | null): string {
  const { before, after, diff } = compared;
  const head = `${shortId(before)}..${shortId(after)}`;
  const settings = diff.settings.map(({ unit, keys }) => `${unit}: ${keys.join(", ")}`);
  const parts = [
    changeLines(groupsOf(changesOf(compared)), terminal),
    listed("settings of units", settings),
    listed("of the cluster", diff.cluster),
  ].filter((lines) => lines.length > 0);
  if (parts.length === 0) return `${head}: the same to every unit`;
  return [[`${head}  ${countsText(diff.changes)}`], ...parts].map((lines) => lines.join("\n")).join("\n\n");
}

/** The same content for programs. `machine`: null is every machine that has no files of its own for it. */
export function commitDiffJson({ before, after, diff }: Compared): unknown {
  const named = new Set<string>(diff.machines.map(({ id }) => id));
  return {
    before,
    after,
    changes: diff.changes.map(({ action, effect, unit, from, to, reason }) => ({
      ...{ action, effect, unit },
      machine: named.has((to ?? from)!.machine) ? (to ?? from)!.machine : null,
      reason: reason.code === "new-unit" ? { code: reason.code } : reason,
      goal: { before: from?.goal ?? null, after: to?.goal ?? null },
      hash: { before: from?.hash ?? null, after: to?.hash ?? null },
    })),
    settings: diff.settings,
    cluster: diff.cluster,
  };
}

function changesOf({ diff }: Compared) {
  const names = new Map(diff.machines.map(({ id, name }) => [id, name]));
  return diff.changes.map((change) => ({
    effect: change.effect,
    sign: SIGNS[change.action],
    why: whyText(change),
    unit: change.unit,
    place: names.get((change.to ?? change.from)!.machine) ?? "",
  }));
}

/** Nothing is placed here: of a new unit there is no more to say. */
function whyText(change: Change): string {
  if (change.reason.code === "new-unit") return "new";
  if (change.reason.code === "gone-from-commit") return "gone";
  return describeChange(change, new Map());
}

function countsText(changes: readonly Change[]): string {
  const count = (...actions: readonly Change["action"][]) =>
    new Set(changes.filter(({ action }) => actions.includes(action)).map(({ unit }) => unit)).size;
  const told = [
    ["added", count("add")],
    ["changed", count("change")],
    ["removed", count("remove")],
  ] as const;
  const some = told.filter(([, number]) => number > 0).map(([word, number]) => `${number} ${word}`);
  return some.length === 0
    ? "no unit differs"
    : `${counted(count("add", "change", "remove"), "unit")}: ${some.join(", ")}`;
}

function listed(title: string, items: readonly string[]): readonly string[] {
  if (items.length === 0) return [];
  const more = items.length - SETTINGS_SHOWN_MAX;
  const rest = more > 0 ? [`  and ${more} more (--json has all)`] : [];
  return [`${title}:`, ...items.slice(0, SETTINGS_SHOWN_MAX).map((item) => `  ${printableLine(item)}`), ...rest];
}

function shortId(commit: CommitId): string {
  return commit.slice(0, 7);
}
