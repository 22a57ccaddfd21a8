import type { Removal, RemovedUnit } from "../../domain/cluster/judge-removal.ts";
import type { MachineId, UnitName } from "../../domain/names.ts";
import { printable } from "./printable.ts";

/** What removing a machine does, before anybody says yes: units that lose something first, units of one fate on one line. */
export function removalText({ machine, name, units, listed }: Removal, names: ReadonlyMap<MachineId, string>): string {
  const lines = new Map<string, UnitName[]>();
  const costly = units.filter((one) => isCostly(one));
  for (const one of [...costly, ...units.filter((one) => !isCostly(one))]) {
    const text = fateText(one, names);
    lines.set(text, [...(lines.get(text) ?? []), one.unit]);
  }
  const stanza =
    listed === null
      ? []
      : [
          `The commit lists it as ${listed}: when it comes back it is admitted again. To keep it away take it out there.`,
        ];
  return printable(
    [
      `remove ${name} (${machine}): ${units.length === 0 ? "nothing was placed there" : `${units.length} placed there`}`,
      ...[...lines].map(([text, some]) => `  ${some.join(", ")}: ${text}`),
      ...stanza,
    ].join("\n"),
  );
}

function isCostly({ becomes, data }: RemovedUnit): boolean {
  return data.length > 0 || becomes.code === "nowhere" || becomes.code === "unknown";
}

function fateText({ becomes, data }: RemovedUnit, names: ReadonlyMap<MachineId, string>): string {
  const lost = data.length === 0 ? "" : `; its data stays behind (${data.join(", ")})`;
  switch (becomes.code) {
    case "moves":
      return `${data.length === 0 ? "moves to" : "starts anew on"} ${names.get(becomes.to) ?? becomes.to}${lost}`;
    case "global":
      return `global, the others have it${lost}`;
    case "gone":
      return "not in the commit any more";
    case "nowhere":
      return `runs nowhere: no other machine may have it${lost}`;
    case "unknown":
      return "what becomes of it is not known here";
  }
}
