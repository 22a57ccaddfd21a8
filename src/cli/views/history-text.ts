import { CHANGE_ACTIONS } from "../../domain/plan/plan.ts";
import type { HistoryEntry } from "../../usecases/list-history.ts";
import { SIGNS } from "./change-rows.ts";
import { signerText } from "./signer-text.ts";
import { table } from "./table.ts";

const SUBJECT_LENGTH = 48;

/** The last releases, or commits where only git was asked, newest first. */
export function historyText(entries: readonly HistoryEntry[]): string {
  const isSigned = entries.some(({ facts }) => facts?.signer != null);
  const areReleases = entries.some(({ release }) => release !== null);
  const rows = entries.map((entry) => [
    ...(areReleases ? [entry.release === null ? "" : `@${entry.release.seq}`] : []),
    entry.commit.slice(0, 8),
    entry.facts?.author ?? "",
    ...(isSigned ? [signerText(entry.facts?.signer ?? null)] : []),
    ...(areReleases ? [timeText(entry.release?.at), entry.release?.by ?? ""] : [authoredText(entry)]),
    changesText(entry),
    ...(areReleases ? [endText(entry)] : []),
    entry.facts === null ? "(not in this repository)" : entry.facts.subject.slice(0, SUBJECT_LENGTH),
  ]);
  const header = [
    ...(areReleases ? ["release"] : []),
    "commit",
    "author",
    ...(isSigned ? ["signer"] : []),
    ...(areReleases ? ["applied", "by"] : ["written"]),
    "changes",
    ...(areReleases ? ["ended"] : []),
    "subject",
  ];
  return table(header, rows);
}

/** Minutes are enough, in UTC as everywhere. */
function timeText(at: string | undefined): string {
  return at === undefined ? "" : at.slice(0, 16).replace("T", " ");
}

function authoredText({ facts }: HistoryEntry): string {
  return facts === null ? "" : timeText(new Date(facts.authoredMs).toISOString());
}

/** With the signs of a plan. */
function changesText({ changes, facts }: HistoryEntry): string {
  if (changes === null) return facts === null ? "" : "?";
  const some = CHANGE_ACTIONS.filter((action) => changes[action] > 0);
  return some.length === 0 ? "none" : some.map((action) => `${SIGNS[action]}${changes[action]}`).join(" ");
}

function endText({ rollout }: HistoryEntry): string {
  if (rollout === null) return "?";
  const [first] = rollout.failures;
  return first === undefined ? rollout.phase : `${rollout.phase}: ${first.unit}`;
}
