import { printable } from "./printable.ts";

/** Everything that could start markup, a link, a tag, an entity or a cell. */
const MARKUP = /[\\`*_{}[\]()<>#+!|&~]/g;

/**
 * Text as text in Markdown: one line, no markup, and nobody called: a forge makes a mention of `@name`, an issue's link of `#1`, and a
 * commit's of a bare id; an invisible joint after the sign parts them.
 */
export function markdownText(text: string): string {
  return printable(text.replace(/\s+/g, " "))
    .replace(MARKUP, (character) => (character === "<" ? "&lt;" : character === "&" ? "&amp;" : `\\${character}`))
    .replace(/@(?=\w)/g, "@\u200b");
}

/** A fence that nothing in the text can end: longer than any run of backticks in it. */
export function markdownFence(text: string): string {
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  return "`".repeat(Math.max(3, longest + 1));
}
