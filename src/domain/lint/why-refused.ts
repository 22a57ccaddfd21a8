import type { SourceLocation } from "../diagnostic.ts";
import type { DraftUnit } from "../spec/draft-unit.ts";
import { parseBoolean } from "../unit/parse-boolean.ts";
import { isQuadlet, type UnitType } from "../unit/unit-name.ts";
import type { LintFinding } from "./lint-rules.ts";

interface Need {
  readonly section: string;
  /** Of these systemd wants one; an empty one of any drops all before it. */
  readonly values: RegExp;
  /** Or one of these to be true. */
  readonly switches: RegExp | null;
  readonly text: string;
}

const NEEDS: Readonly<Partial<Record<UnitType, Need>>> = {
  timer: {
    section: "Timer",
    values: /^On(Calendar|(Active|Boot|Startup|Unit(A|Ina)ctive)Sec)$/,
    switches: /^On(Clock|Timezone)Change$/,
    text: "OnCalendar= or another On…=",
  },
  socket: {
    section: "Socket",
    values: /^Listen(Stream|Datagram|SequentialPacket|FIFO|Special|Netlink|MessageQueue|USBFunction)$/,
    switches: null,
    text: "a Listen…=",
  },
  path: {
    section: "Path",
    values: /^(Path(Exists|ExistsGlob|Changed|Modified)|DirectoryNotEmpty)$/,
    switches: null,
    text: "a Path…= or DirectoryNotEmpty=",
  },
  build: { section: "Build", values: /^ImageTag$/, switches: null, text: "ImageTag=" },
  container: { section: "Container", values: /^(Image|Rootfs)$/, switches: null, text: "Image= or Rootfs=" },
  image: { section: "Image", values: /^Image$/, switches: null, text: "Image=" },
  kube: { section: "Kube", values: /^Yaml$/, switches: null, text: "Yaml=" },
};

/**
 * Units that systemd does not load at all, as it says itself ("… Refusing."), or of which podman's generator makes no service: where they are
 * placed, nothing would run.
 */
export function whyRefused(unit: DraftUnit, type: UnitType): readonly LintFinding[] {
  if (type === "service") return serviceRefused(unit);
  const need = NEEDS[type];
  if (need === undefined || hasOne(unit, need)) return [];
  const at = unit.effective.sectionAt(need.section) ?? { path: unit.effective.path };
  return [refused(at, `${unit.name} without ${need.text}`, "add one", isQuadlet(unit.name))];
}

function hasOne({ effective }: DraftUnit, { section, values, switches }: Need): boolean {
  const written = effective.assignments(section).filter(({ key }) => values.test(key));
  if (written.length > 0 && written.at(-1)!.value !== "") return true;
  if (switches === null) return false;
  const on = new Map(
    effective.assignments(section).flatMap(({ key, value }) => (switches.test(key) ? [[key, value] as const] : [])),
  );
  return [...on.values()].some((value) => parseBoolean(value) === true);
}

/** The checks of systemd's service_add_extras and service_verify, in their order. */
function serviceRefused({ effective }: DraftUnit): readonly LintFinding[] {
  const last = (key: string) => effective.last("Service", key);
  const at = effective.sectionAt("Service") ?? { path: effective.path };
  const written = effective.values("Service", "ExecStart");
  const wrong = written.find(({ value }) => isNoExecutable(value) && !mayFail(value));
  if (wrong !== undefined) {
    const next = "write it from the root on: systemd looks up bare names only";
    return [refused(wrong.at, `ExecStart= with the relative path ${programOf(wrong.value)}`, next)];
  }
  // Where failing is allowed, systemd leaves the line out.
  const starts = written.filter(({ value }) => !isNoExecutable(value));
  const [type, restart, busName] = [last("Type"), last("Restart"), last("BusName")];
  const isOneshot = type === null ? busName === null && starts.length === 0 : type.value === "oneshot";
  const stops = effective.values("Service", "ExecStop").length > 0;
  const endsMachine = (effective.last("Unit", "SuccessAction")?.value ?? "none") !== "none";
  if (starts.length === 0) {
    if (!isOneshot || (!stops && !endsMachine)) return [refused(at, "a service without ExecStart=", "add ExecStart=")];
    if (!endsMachine && parseBoolean(last("RemainAfterExit")?.value ?? "no") !== true) {
      return [refused(at, "a service with ExecStop= alone", "add ExecStart=, or RemainAfterExit=yes")];
    }
  }
  if (starts.length > 1 && !isOneshot) {
    const next = "only Type=oneshot has several; a drop-in replaces one by an empty ExecStart= first";
    return [refused(starts[1]!.at, "a second ExecStart=", next)];
  }
  if (isOneshot && restart !== null && /^(always|on-success)$/.test(restart.value)) {
    const next = "a oneshot that is done would begin again: use on-failure, or a timer";
    return [refused(restart.at, `Restart=${restart.value} with Type=oneshot`, next)];
  }
  if (type?.value === "dbus" && busName === null) {
    return [refused(type.at, "Type=dbus without BusName=", "add BusName=")];
  }
  return [];
}

function refused(at: SourceLocation, saw: string, next: string, byPodman = false): LintFinding {
  const refusal = byPodman ? "podman's generator makes no service of it" : "systemd refuses to load the unit";
  return { rule: "unit-refused", at, saw: `${saw}: ${refusal}`, next };
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

function mayFail(command: string): boolean {
  return /^[@:+!|]*-/.test(command);
}
