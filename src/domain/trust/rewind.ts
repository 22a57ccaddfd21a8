import type { CommitId } from "../names.ts";

/** An operator's order, on the machine itself, that it may go back to exactly that commit although what it took does not lead there. */
export interface Rewind {
  readonly commit: CommitId;
  /** Who gave it, for people: a user's name. */
  readonly by: string;
  readonly why: string;
  /** RFC 3339, by the machine's clock. */
  readonly at: string;
}

/** Of who gave the order, and of why, in characters: each is a part of a line of a status. */
export const REWIND_TEXT_MAX = 400;

/** Whether what a file or a machine says is one: what is not lets nothing through, and is not shown. */
export function isRewind(value: unknown): value is Rewind {
  if (typeof value !== "object" || value === null) return false;
  const { commit, by, why, at } = value as Readonly<Record<string, unknown>>;
  const isText = (text: unknown) => typeof text === "string" && text.length <= REWIND_TEXT_MAX;
  return typeof commit === "string" && /^[0-9a-f]{40}$/.test(commit) && isText(by) && isText(why) && isText(at);
}
