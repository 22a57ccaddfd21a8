import type { SourceLocation } from "../diagnostic.ts";
import type { DraftUnit } from "../spec/draft-unit.ts";
import { findLocalState } from "../unit/local-state.ts";
import { parseBoolean } from "../unit/parse-boolean.ts";
import { isQuadlet, type UnitType, unitNameParts } from "../unit/unit-name.ts";
import { dependencyContradictions } from "./dependency-contradictions.ts";
import { type LintFinding, type LintSettings, levelOf } from "./lint-rules.ts";
import { registryPort } from "./registry-port.ts";
import { reservedFor } from "./reserved-names.ts";
import { whyRefused } from "./why-refused.ts";

/** What a unit and its drop-ins show taken together: a drop-in may well bring what the fragment lacks. */
export function lintUnit(
  unit: DraftUnit,
  settings: LintSettings,
  registryPorts: readonly number[],
): readonly LintFinding[] {
  const { type } = unitNameParts(unit.name);
  return [
    ...reservedName(unit),
    ...whyRefused(unit, type),
    ...endlessStop(unit, type),
    ...(type === "service" ? serviceHabits(unit, settings) : []),
    ...registryPort(unit, registryPorts),
    ...networkOnline(unit),
    ...dependencyContradictions(unit),
    // The one rule that costs something is off by default.
    ...(levelOf("state-that-cannot-move", settings) === "off" ? [] : stateThatStays(unit)),
  ];
}

function reservedName({ name, service, fragment }: DraftUnit): readonly LintFinding[] {
  const owner = reservedFor(service);
  if (owner === null) return [];
  const saw = `${name}, the name of a unit of ${owner}'s own, which it would hide on its machine`;
  return [{ rule: "reserved-names", at: { path: fragment.path }, saw, next: "rename the file" }];
}

/** `0` is systemd's old word for no end at all. */
function endlessStop({ effective }: DraftUnit, type: UnitType): readonly LintFinding[] {
  const section = STOP_SECTIONS[type];
  if (section === undefined) return [];
  // Both set the same time, and the later one counts.
  const set = effective
    .assignments(section)
    .filter(({ key, value }) => value !== "" && (key === "TimeoutStopSec" || key === "TimeoutSec"))
    .at(-1);
  if (set === undefined || !/^(infinity|0(us|ms|s|sec|m|min|h)?)$/i.test(set.value)) return [];
  const saw = `${set.key}=${set.value}: a stop that hangs is never ended`;
  const next = "a rollout, a move or a drain would wait for good: say how long a stop may take";
  return [{ rule: "endless-stop-timeout", at: set.at, saw, next }];
}

const STOP_SECTIONS: Readonly<Partial<Record<UnitType, string>>> = {
  build: "Service",
  container: "Service",
  kube: "Service",
  mount: "Mount",
  pod: "Service",
  scope: "Scope",
  service: "Service",
  socket: "Socket",
  swap: "Swap",
};

function serviceHabits({ effective, fragment }: DraftUnit, settings: LintSettings): readonly LintFinding[] {
  const findings: LintFinding[] = [];
  const last = (key: string) => effective.last("Service", key);
  const [type, killMode] = [last("Type"), last("KillMode")];
  if (type?.value === "forking" && last("PIDFile") === null) {
    const next = "add PIDFile=, or let the program stay in the foreground with Type=exec";
    const saw = "Type=forking without PIDFile=: systemd guesses which process is the service";
    findings.push({ rule: "forking-without-pidfile", at: type.at, saw, next });
  }
  if (killMode?.value === "none") {
    const saw = "KillMode=none: what a stop leaves running is nobody's";
    const next = "use mixed or control-group; systemd will give up none";
    findings.push({ rule: "kill-mode-none", at: killMode.at, saw, next });
  }
  if (levelOf("implied-root", settings) === "off") return findings;
  const dynamic = parseBoolean(last("DynamicUser")?.value ?? "no") === true;
  const user = last("User")?.value ?? "root";
  if (!dynamic && (user === "root" || user === "0") && effective.values("Service", "ExecStart").length > 0) {
    const at = last("User")?.at ?? effective.sectionAt("Service") ?? { path: fragment.path };
    const saw = last("User") === null ? "a service that runs as root because nobody said otherwise" : "User=root";
    findings.push({ rule: "implied-root", at, saw, next: "add User= or DynamicUser=yes" });
  }
  return findings;
}

const ONLINE = "network-online.target";
const PULLS_IN = ["Wants", "Requires", "BindsTo", "Requisite", "BindTo"];

/** podman's generator adds the `Wants=` by itself. */
function networkOnline({ name, effective }: DraftUnit): readonly LintFinding[] {
  if (isQuadlet(name) || !effective.assignments("Unit").some(({ value }) => value.includes(ONLINE))) return [];
  const named = (key: string) =>
    effective.allValues("Unit", key).find(({ value }) => value.split(/[ \t]+/).includes(ONLINE));
  const after = named("After");
  if (after === undefined || PULLS_IN.some((key) => named(key) !== undefined)) return [];
  const saw = "After=network-online.target, which nothing here starts";
  return [{ rule: "network-online-not-wanted", at: after.at, saw, next: "add Wants=network-online.target" }];
}

function stateThatStays({ name, effective, move, fragment }: DraftUnit): readonly LintFinding[] {
  if (move !== null) return [];
  const [first] = findLocalState(name, effective);
  if (first === undefined) return [];
  const at: SourceLocation = effective.sectionAt("X-Fleet") ?? { path: fragment.path };
  const saw = `${first.because} holds ${name} to its machine, also when that is lost`;
  return [{ rule: "state-that-cannot-move", at, saw, next: "say which is meant: Move=never or Move=auto" }];
}
