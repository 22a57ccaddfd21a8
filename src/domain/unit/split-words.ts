/** What a backslash and the text behind it stand for; `length`: characters of that text which are part of it. Null: systemd refuses it. */
export type ReadEscape = (rest: string) => { readonly text: string; readonly length: number } | null;

/** In lists of units: their names hold backslashes. */
const STAYS: ReadEscape = () => ({ text: "\\", length: 0 });

/**
 * The words of a line, as systemd's `extract_first_word` reads them: blanks separate, single and double quotes group (also in the middle
 * of a word) and go. An unclosed quote, or an escape that means nothing, ends the reading there, as it does in systemd: the words before
 * it count.
 */
export function splitWords(
  text: string,
  readEscape: ReadEscape = STAYS,
): { readonly words: readonly string[]; readonly isCut: boolean } {
  const words: string[] = [];
  let word: string | null = null;
  let quote: string | null = null;
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!;
    if (character === "\\") {
      const escaped = readEscape(text.slice(at + 1));
      if (escaped === null) return { words, isCut: true };
      word = (word ?? "") + escaped.text;
      at += escaped.length;
    } else if (quote !== null) {
      if (character === quote) quote = null;
      else word += character;
    } else if (character === '"' || character === "'") {
      quote = character;
      word ??= "";
    } else if (character === " " || character === "\t") {
      if (word !== null) words.push(word);
      word = null;
    } else word = (word ?? "") + character;
  }
  if (quote !== null) return { words, isCut: true };
  if (word !== null) words.push(word);
  return { words, isCut: false };
}
