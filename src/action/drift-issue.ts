import type { Sha256 } from "../domain/names.ts";
import type { Forge, Written } from "./forge.ts";

/** One issue for each manifest and label, from when something is not as it should be until nothing is. */
export interface DriftIssue {
  readonly manifest: string;
  readonly label: string;
  readonly title: string;
  /** What is found, the same for as long as it is; null: nothing. */
  readonly facts: readonly string[] | null;
  /** Markdown. */
  readonly text: string;
  /** Said where it is closed. */
  readonly goneText: string;
  readonly sha256: Sha256;
}

const MARKER = /^<!-- fleet:drift ([0-9a-f]{16}) ([0-9a-f]{16}) -->(?:\r?\n|$)/;

/** Opens, edits or closes it; null where there is none to have. Of several that a race left, all but one are closed. Rejects as RestClient does. */
export async function tellDrift(forge: Forge, issue: DriftIssue): Promise<Written | null> {
  const { sha256, facts, text } = issue;
  const which = sha256(JSON.stringify([issue.manifest, issue.label])).slice(0, 16);
  const open: Written[] = [];
  for (const found of await forge.openIssues()) {
    if (MARKER.exec(found.body)?.[1] === which && (await forge.isOwn(found))) open.push(found);
  }
  const [kept, ...others] = open.sort((a, b) => a.id - b.id);
  const gone = facts === null ? open : others;
  for (const { id } of gone) {
    if (facts === null) await forge.createComment(id, issue.goneText);
    await forge.updateIssue(id, { state: "closed", state_reason: "completed" });
  }
  if (facts === null) return kept ?? null;
  const digest = sha256(JSON.stringify(facts)).slice(0, 16);
  const body = `<!-- fleet:drift ${which} ${digest} -->\n${text}`;
  if (kept === undefined) return forge.createIssue(issue.title, body);
  return MARKER.exec(kept.body)?.[2] === digest ? kept : forge.updateIssue(kept.id, { title: issue.title, body });
}
