import type { UnitAssignment, UnitEntry, UnitFile } from "../unit/unit-file.ts";

/**
 * The file as people who keep them write it: one blank line before a section, none twice, nothing at the ends of lines, no blanks around a
 * key's `=`, a line break at the end. systemd reads the same from it, and doing it again changes nothing. Lines that go on, and those of
 * a value that went on, stay as they are: what stands in them is the value's. Null where a line is none that systemd would read.
 */
export function formatUnitFile({ entries }: UnitFile): string | null {
  let text = "";
  let isGap = false;
  for (const entry of entries) {
    if (entry.kind === "broken") return null;
    if (entry.kind === "blank") {
      isGap = true;
      continue;
    }
    if (text !== "" && (isGap || entry.kind === "section")) text += "\n";
    isGap = false;
    text += lineOf(entry);
  }
  return text;
}

function lineOf(entry: Exclude<UnitEntry, { kind: "blank" | "broken" }>): string {
  switch (entry.kind) {
    case "comment":
      return `${entry.raw.trim()}\n`;
    case "section":
      return `[${entry.name}]\n`;
    case "assignment":
      return `${entry.key}=${writtenValue(entry)}\n`;
  }
}

/** What stands behind the key. Of several lines each is as it was: the last may end in a backslash that an empty line follows. */
function writtenValue({ raw }: UnitAssignment): string {
  const value = raw.slice(raw.indexOf("=") + 1).replace(/^[ \t]+/, "");
  const trimmed = value.replace(/[ \t\r\n]+$/, "");
  return trimmed.includes("\n") || trimmed.endsWith("\\") ? value.replace(/\n$/, "") : trimmed;
}
