import { displayWidth } from "./display-width.ts";

/** Text in that many cells: what is too long ends with `…`, at the end of a word where that costs less than a third. */
export function cutEnd(text: string, cells: number): string {
  if (displayWidth(text) <= cells) return text;
  const start = startOf([...text], cells - 1);
  const space = start.lastIndexOf(" ");
  return `${(space * 3 >= start.length * 2 ? start.slice(0, space) : start).trimEnd()}…`;
}

/** A name in that many cells: its end is kept, as the type of a unit is there. */
export function cutMiddle(text: string, cells: number): string {
  if (displayWidth(text) <= cells) return text;
  const characters = [...text];
  const end = [...startOf(characters.toReversed(), Math.ceil((cells - 1) / 2))].toReversed().join("");
  return `${startOf(characters, cells - 1 - displayWidth(end))}…${end}`;
}

/** Padded with spaces at its end. */
export function padEnd(text: string, cells: number): string {
  return text + " ".repeat(Math.max(0, cells - displayWidth(text)));
}

/** Further in than the line itself, so that the next line is seen to be another. */
const HANGING = 4;

/** A line broken between words, what follows indented; a word longer than a line stays whole, to be found by a search. */
export function wrapWords(line: string, cells: number): string[] {
  if (displayWidth(line) <= cells) return [line];
  const indent = " ".repeat(/^ */.exec(line)![0].length + HANGING);
  const lines: string[] = [];
  let current = "";
  for (const [, space, word] of line.matchAll(/( *)([^ ]+)/g)) {
    const longer = `${current}${space}${word}`;
    if (current === "" || displayWidth(longer) <= cells) {
      current = longer;
    } else {
      lines.push(current);
      current = `${indent}${word}`;
    }
  }
  return [...lines, current];
}

/** Each line of a text, broken so; null: lines are as long as they are. */
export function wrapText(text: string, columns: number | null): string {
  if (columns === null) return text;
  return text
    .split("\n")
    .flatMap((line) => wrapWords(line, columns))
    .join("\n");
}

function startOf(characters: readonly string[], cells: number): string {
  let start = "";
  for (const character of characters) {
    if (displayWidth(start + character) > cells) break;
    start += character;
  }
  return start;
}
