/**
 * The lines of a text that were not in the one before, for whoever keeps lines; then `gone: …` for each line of before whose first word no
 * line begins with any more. How wide columns are makes no line another.
 */
export function newLines(before: string, now: string): string[] {
  const known = new Set(linesOf(before).map(narrow));
  const lines = linesOf(now);
  const first = new Set(lines.map(firstWord));
  const gone = new Set(
    linesOf(before)
      .map(firstWord)
      .filter((word) => !first.has(word)),
  );
  return [...lines.filter((line) => !known.has(narrow(line))), ...[...gone].map((word) => `gone: ${word}`)];
}

function linesOf(text: string): string[] {
  return text.split("\n").filter((line) => line.trim() !== "");
}

function narrow(line: string): string {
  return line.trim().replace(/ {2,}/g, "  ");
}

function firstWord(line: string): string {
  return line.trimStart().split(" ", 1)[0]!;
}
