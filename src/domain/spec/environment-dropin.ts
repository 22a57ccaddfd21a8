import type { Diagnostic } from "../diagnostic.ts";
import { UNIT_LINE_MAX } from "../unit/parse-unit-file.ts";
import type { UnitType } from "../unit/unit-name.ts";
import type { EnvironmentVariable } from "./manifest.ts";

/** Sorts behind what an author writes (10-…, 50-…) and leaves room for who must have the last word. */
export const ENVIRONMENT_DROPIN = "90-fleet-environment.conf";

/** The section that takes `Environment=`, for the types that run something. */
const SECTIONS: Partial<Record<UnitType, string>> = {
  container: "Container",
  mount: "Mount",
  service: "Service",
  socket: "Socket",
  swap: "Swap",
};

export function takesEnvironment(type: UnitType): boolean {
  return SECTIONS[type] !== undefined;
}

/** The manifest's `environment:` as a drop-in: one line a variable, sorted by name by the caller. */
export function environmentDropin(
  type: UnitType,
  variables: readonly EnvironmentVariable[],
): { text: string; diagnostics: readonly Diagnostic[] } {
  const diagnostics: Diagnostic[] = [];
  const lines = variables.map((variable) => {
    const line = environmentLine(variable.name, variable.value);
    if (/[\0-\x08\x0b-\x1f\x7f]/.test(variable.value)) {
      const saw = `a control character in the value of ${variable.name}`;
      diagnostics.push({ code: "environment-value", severity: "error", at: variable.at, saw });
    }
    if (new TextEncoder().encode(line).length > UNIT_LINE_MAX) {
      diagnostics.push({
        code: "environment-value",
        severity: "error",
        at: variable.at,
        saw: `a value of ${variable.value.length} characters for ${variable.name}`,
        expected: `at most ${UNIT_LINE_MAX} bytes as a line of a unit file`,
      });
    }
    return `${line}\n`;
  });
  return { text: `[${SECTIONS[type]}]\n${lines.join("")}`, diagnostics };
}

/**
 * One assignment that systemd reads back to exactly this value: it removes the quotes, then resolves C escapes, then
 * specifiers. Variables (`$`) are not expanded in `Environment=`.
 */
function environmentLine(name: string, value: string): string {
  const escaped = value
    .replaceAll("\\", "\\\\")
    .replaceAll('"', '\\"')
    .replaceAll("\n", "\\n")
    .replaceAll("\t", "\\t")
    .replaceAll("%", "%%");
  return `Environment="${name}=${escaped}"`;
}
