/**
 * The words of a systemd list, as `extract_first_word` reads dependencies: blanks separate, single and double quotes group
 * (also in the middle of a word) and go, backslashes stay, because unit names hold them. An unclosed quote
 * ends the reading there, as it does in systemd: the words before it count.
 */
export function splitWords(text: string): { readonly words: readonly string[]; readonly unclosed: boolean } {
  const words: string[] = [];
  let word: string | null = null;
  let quote: string | null = null;
  for (const character of text) {
    if (quote !== null) {
      if (character === quote) quote = null;
      else word += character;
    } else if (character === '"' || character === "'") {
      quote = character;
      word ??= "";
    } else if (character === " " || character === "\t") {
      if (word !== null) words.push(word);
      word = null;
    } else {
      word = (word ?? "") + character;
    }
  }
  if (quote !== null) return { words, unclosed: true };
  if (word !== null) words.push(word);
  return { words, unclosed: false };
}
