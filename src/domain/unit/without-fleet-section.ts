import { parseUnitFile } from "./parse-unit-file.ts";

/**
 * A quadlet's file, or a drop-in of one, without what it says to fleet: podman's generator would take `[X-Fleet]` over into the service. Its
 * lines are left empty, so that the numbers in the generator's words are those of the repository.
 */
export function withoutFleetSection(path: string, text: string): string {
  if (!text.includes("X-Fleet")) return text;
  let isFleets = false;
  const lines = parseUnitFile(path, text).file.entries.map((entry) => {
    if (entry.kind === "section") isFleets = entry.name === "X-Fleet";
    return isFleets && entry.kind !== "comment" ? entry.raw.replace(/[^\n]+/g, "") : entry.raw;
  });
  return lines.join("");
}
