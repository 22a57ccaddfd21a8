import type { SourceLocation } from "../diagnostic.ts";
import type { DraftUnit } from "../spec/draft-unit.ts";
import { parseBoolean } from "../unit/parse-boolean.ts";
import type { UnitType } from "../unit/unit-name.ts";
import type { LintFinding } from "./lint-rules.ts";

/** Of each type, the directives of which systemd wants one, and its section. */
const NEEDS_ONE: Readonly<
  Partial<Record<UnitType, { readonly section: string; readonly of: RegExp; readonly text: string }>>
> = {
  timer: {
    section: "Timer",
    of: /^On(Calendar|(Active|Boot|Startup|Unit(A|Ina)ctive)Sec|ClockChange|TimezoneChange)$/,
    text: "OnCalendar= or another On…=",
  },
  socket: { section: "Socket", of: /^Listen/, text: "a Listen…=" },
  path: {
    section: "Path",
    of: /^(Path(Exists|ExistsGlob|Changed|Modified)|DirectoryNotEmpty)$/,
    text: "a Path…= or DirectoryNotEmpty=",
  },
};

/** Units that systemd does not load at all, as it says itself ("… Refusing."): where they are placed, nothing would run. */
export function whyRefused(unit: DraftUnit, type: UnitType): readonly LintFinding[] {
  if (type === "service") return serviceRefused(unit);
  const needs = NEEDS_ONE[type];
  if (needs === undefined) return [];
  const { effective, name } = unit;
  if (effective.assignments(needs.section).some(({ key, value }) => needs.of.test(key) && value !== "")) return [];
  const at = effective.sectionAt(needs.section) ?? { path: effective.path };
  return [refused(at, `${name} without ${needs.text}`, "add one")];
}

function serviceRefused({ effective }: DraftUnit): readonly LintFinding[] {
  const last = (key: string) => effective.last("Service", key);
  const at = effective.sectionAt("Service") ?? { path: effective.path };
  const starts = effective.values("Service", "ExecStart");
  const type = last("Type")?.value;
  const findings = starts
    .filter(({ value }) => isNoExecutable(value))
    .map((start) =>
      refused(
        start.at,
        `ExecStart= with the relative path ${programOf(start.value)}`,
        "write it from the root on: systemd looks up bare names only",
      ),
    );
  if (starts.length === 0 && (effective.last("Unit", "SuccessAction")?.value ?? "none") === "none") {
    const stops = effective.values("Service", "ExecStop").length > 0;
    if (!stops) findings.push(refused(at, "a service without ExecStart=", "add ExecStart="));
    else if (parseBoolean(last("RemainAfterExit")?.value ?? "no") !== true) {
      findings.push(refused(at, "a service with ExecStop= alone", "add ExecStart=, or RemainAfterExit=yes"));
    }
  }
  if (starts.length > 1 && type !== "oneshot") {
    const next = "only Type=oneshot has several; a drop-in replaces one by an empty ExecStart= first";
    findings.push(refused(starts[1]!.at, "a second ExecStart=", next));
  }
  const restart = last("Restart");
  if (type === "oneshot" && restart !== null && /^(always|on-success)$/.test(restart.value)) {
    const next = "a oneshot that is done would begin again: use on-failure, or a timer";
    findings.push(refused(restart.at, `Restart=${restart.value} with Type=oneshot`, next));
  }
  if (type === "dbus" && last("BusName") === null)
    findings.push(refused(last("Type")!.at, "Type=dbus without BusName=", "add BusName="));
  return findings;
}

function refused(at: SourceLocation, saw: string, next: string): LintFinding {
  return { rule: "unit-refused", at, saw: `${saw}: systemd refuses to load the unit`, next };
}

/** The program without the signs before it (`-@:+!|`) and without its quotes. */
function programOf(command: string): string {
  return /^[-@:+!|]*["']?([^ \t"']*)/.exec(command)?.[1] ?? "";
}

/** Neither from the root on nor a bare name; with a specifier only the machine knows. */
function isNoExecutable(command: string): boolean {
  const program = programOf(command);
  return program.includes("/") && !program.startsWith("/") && !program.includes("%");
}
