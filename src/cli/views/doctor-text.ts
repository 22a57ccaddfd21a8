import type { AreaReport } from "../../domain/doctor/finding.ts";
import { counted } from "./counted.ts";
import { printableLine } from "./printable.ts";

const MARK: Readonly<Record<AreaReport["severity"], string>> = { ok: "ok     ", warning: "warning", error: "ERROR  " };

/** One line for each area, and under it what is wrong, what was expected and the next step. */
export function doctorText(areas: readonly AreaReport[], allIsWell = "nothing is wrong on this machine"): string {
  const width = Math.max(...areas.map(({ area }) => area.length));
  const lines = areas.flatMap(({ area, severity, saw, findings }) => [
    `${MARK[severity]}  ${area.padEnd(width)}  ${printableLine(saw)}`,
    ...findings.flatMap((finding) => [
      `         ${finding.severity} ${finding.code}: ${printableLine(finding.saw)}`,
      `           expected: ${finding.expected}`,
      `           next: ${printableLine(finding.next)}`,
    ]),
  ]);
  return [...lines, "", verdictText(areas, allIsWell)].join("\n");
}

function verdictText(areas: readonly AreaReport[], allIsWell: string): string {
  const all = areas.flatMap(({ findings }) => findings);
  const errors = all.filter(({ severity }) => severity === "error").length;
  const warnings = all.length - errors;
  if (all.length === 0) return allIsWell;
  return `${counted(errors, "error")}, ${counted(warnings, "warning")}`;
}
