/**
 * The words of a command line as systemd reads that of `ExecStart=`: blanks separate, single and double quotes group where a word
 * begins or in its midst and go, and a backslash escapes as in C. Null where a quote stays open or an escape means nothing to systemd.
 */
export function splitCommand(line: string): readonly string[] | null {
  const words: string[] = [];
  let word: string | null = null;
  let quote: string | null = null;
  for (let at = 0; at < line.length; at++) {
    const character = line[at]!;
    if (character === "\\") {
      const escaped = readEscape(line.slice(at + 1));
      if (escaped === null) return null;
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
  if (quote !== null) return null;
  return word === null ? words : [...words, word];
}

const ESCAPES: Readonly<Record<string, string>> = {
  ...{ a: "\x07", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", v: "\v" },
  ...{ "\\": "\\", '"': '"', "'": "'", s: " " },
};

/** What follows a backslash. Octal and Unicode escapes, which nobody writes in a command, are none of ours. */
function readEscape(rest: string): { readonly text: string; readonly length: number } | null {
  const hex = /^x([0-9A-Fa-f]{2})/.exec(rest);
  if (hex !== null && hex[1] !== "00") return { text: String.fromCharCode(Number.parseInt(hex[1]!, 16)), length: 3 };
  const text = ESCAPES[rest[0] ?? ""];
  return text === undefined ? null : { text, length: 1 };
}
