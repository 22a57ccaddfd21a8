import type { Diagnostic, SourceExcerpt } from "../diagnostic.ts";
import { findSecrets, type SecretRange } from "./find-secrets.ts";
import { MASK, maskRanges, maskSecrets } from "./mask-secrets.ts";

/**
 * The diagnostics with the lines they point at, for people: nobody should have to open the file. `textOf` gives the text of a path
 * as it was read, null where there is none. Secrets are masked in the line, and where a finding quotes it.
 */
export function withExcerpts(
  diagnostics: readonly Diagnostic[],
  textOf: (path: string) => string | null,
): readonly Diagnostic[] {
  const sources = new Map<string, Source | null>();
  return diagnostics.map((diagnostic) => {
    const { at } = diagnostic;
    if (at === undefined) return diagnostic;
    if (!sources.has(at.path)) sources.set(at.path, sourceOf(textOf(at.path)));
    const source = sources.get(at.path) ?? null;
    if (source === null) return diagnostic;
    const masked = maskedFields(diagnostic, source);
    const excerpt = at.line === undefined ? null : excerptOf(source, at.line, at.column ?? null);
    return excerpt === null ? masked : { ...masked, excerpt };
  });
}

interface Source {
  readonly text: string;
  /** Where each line begins. */
  readonly starts: readonly number[];
  readonly secrets: readonly SecretRange[];
}

function sourceOf(text: string | null): Source | null {
  if (text === null) return null;
  const starts = [0];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  const webhooks = webhooksIn(text);
  const others = findSecrets(text).filter(({ start, end }) =>
    webhooks.every((range) => end <= range.start || start >= range.end),
  );
  return { text, starts, secrets: [...webhooks, ...others].sort((a, b) => a.start - b.start) };
}

/** Behind the host of `webhook:` in a manifest. */
const WEBHOOK = /\bwebhook["']?[ \t]*:[ \t]*["']?https?:\/\/[^\s/"',}]{1,300}\/([^\s"',}]{1,2000})/dg;

/** Most of them let whoever knows them write to somebody's chat. They are meant to stand there, so they are no finding; nor are they shown. */
function webhooksIn(text: string): readonly SecretRange[] {
  if (!text.includes("webhook")) return [];
  return [...text.matchAll(WEBHOOK)].map(({ indices }) => {
    const [start, end] = indices![1]!;
    return { start, end, known: "a webhook's address" };
  });
}

function excerptOf({ text, starts, secrets }: Source, line: number, column: number | null): SourceExcerpt | null {
  const start = starts[line - 1];
  if (start === undefined) return null;
  const end = (starts[line] ?? text.length + 1) - 1;
  const inLine = secrets
    .filter((range) => range.start < end && range.end > start)
    .map((range) => ({ ...range, start: Math.max(range.start, start) - start, end: Math.min(range.end, end) - start }));
  const masked = maskRanges(text.slice(start, end), inLine);
  return { text: masked, column: column === null ? null : maskedColumn(column - 1, inLine) + 1 };
}

/** Where a character of the original stands in the masked line; inside of a secret: where its mask begins. */
function maskedColumn(column: number, ranges: readonly SecretRange[]): number {
  let shift = 0;
  for (const { start, end } of ranges) {
    if (column >= end) shift += MASK.length - (end - start);
    else if (column > start) return start + shift;
  }
  return column + shift;
}

function maskedFields(diagnostic: Diagnostic, { text, secrets }: Source): Diagnostic {
  const mask = (field: string) => maskSecrets(withoutQuoted(field, text, secrets));
  const { saw, expected, next } = diagnostic;
  return {
    ...diagnostic,
    saw: mask(saw),
    ...(expected === undefined ? {} : { expected: mask(expected) }),
    ...(next === undefined ? {} : { next: mask(next) }),
  };
}

/** Shorter ones would be found by chance. */
const QUOTED_LENGTH_MIN = 4;

/** A finding may quote the file and cut the quote short, and then a secret in it has lost the form that gives it away. */
function withoutQuoted(field: string, text: string, secrets: readonly SecretRange[]): string {
  if (!field.includes('"')) return field;
  let masked = field;
  for (const { start, end } of secrets) {
    const value = text.slice(start, end);
    const begin = value.slice(0, Math.max(QUOTED_LENGTH_MIN, Math.min(value.length, 8)));
    const at = value.length < QUOTED_LENGTH_MIN ? -1 : masked.indexOf(begin);
    if (at === -1) continue;
    let length = begin.length;
    while (length < value.length && masked[at + length] === value[length]) length++;
    masked = masked.slice(0, at) + MASK + masked.slice(at + length);
  }
  return masked;
}
