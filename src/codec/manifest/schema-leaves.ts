import { z } from "zod";
import { parseDuration } from "../../domain/spec/duration.ts";

/** What a leaf is for an editor, which sees YAML's own types and not the source text. */
export const editorForms = z.registry<{ readonly form: Readonly<Record<string, unknown>> }>();

export function scalar(expected: string, accepts: (text: string) => boolean, form: Readonly<Record<string, unknown>>) {
  const leaf = z.string({ error: expected }).refine(accepts, { error: expected });
  editorForms.add(leaf, { form: { description: expected, ...form } });
  return leaf;
}

export function matching(expected: string, pattern: RegExp) {
  return scalar(expected, (text) => pattern.test(text), { type: "string", pattern: pattern.source });
}

/** One of a few words. */
export function word<const Words extends readonly [string, ...string[]]>(words: Words) {
  const leaf = z.enum(words, { error: words.join(" | ") });
  editorForms.add(leaf, { form: { enum: words } });
  return leaf;
}

export function flag() {
  const leaf = word(["true", "false"]);
  editorForms.remove(leaf);
  editorForms.add(leaf, { form: { type: "boolean" } });
  return leaf;
}

export function count(lowest: number, highest: number) {
  return scalar(`a whole number from ${lowest} to ${highest}`, (text) => isCount(text, lowest, highest), {
    type: "integer",
    minimum: lowest,
    maximum: highest,
  });
}

/** Plain decimal digits without leading zeros, compared only when short enough to be exact. */
export function isCount(text: string, lowest: number, highest: number): boolean {
  return /^(0|[1-9][0-9]{0,8})$/.test(text) && Number(text) >= lowest && Number(text) <= highest;
}

export function duration(lowestMs = 0) {
  const expected =
    lowestMs === 0
      ? "a duration such as 90s, 2m or 24h"
      : `a duration of ${lowestMs / 1000}s or more, such as 30s or 2m`;
  return scalar(expected, (text) => (parseDuration(text) ?? -1) >= lowestMs, {
    type: "string",
    pattern: "^(0|[1-9][0-9]*)(ms|s|m|h)$",
  });
}

export const mapping = (what: string) => ({
  error: (issue: { code?: string }) => (issue.code === "unrecognized_keys" ? undefined : what),
});

/** Far longer than any argument list a kernel passes on, and short enough to print. */
const TEXT_MAX = 32_768;

/** Taken as written; YAML's own numbers and booleans are welcome because their source text is what counts. */
export const sourceText = scalar(
  'a text (write "" for an empty one)',
  (text) => text.length <= TEXT_MAX && !text.includes("\0"),
  {
    type: ["string", "number", "boolean"],
  },
);

/** More rules, signers or recipients than people can keep apart; and some are held against each file that changes. */
const SHORT_LIST_MAX = 50;

export function shortList<Item extends z.ZodType>(item: Item, what: string) {
  const error = `a list of 1 to ${SHORT_LIST_MAX} ${what}`;
  return z.array(item, { error }).min(1, { error }).max(SHORT_LIST_MAX, { error });
}
