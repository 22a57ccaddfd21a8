import { splitWords } from "./split-words.ts";

/** The words of a command line as systemd reads that of `ExecStart=`: a backslash escapes as in C. Null where systemd would refuse it. */
export function splitCommand(line: string): readonly string[] | null {
  const { words, isCut } = splitWords(line, readEscape);
  return isCut ? null : words;
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
