import type { UnitName } from "../../domain/names.ts";
import type { ManagedUnit, UnitDetails, UnitSources } from "../../ports/unit-manager.ts";
import { SYSTEMD_PATH, type SystemdCall } from "./system-bus.ts";

type CallSystemd = (call: SystemdCall) => Promise<readonly unknown[]>;

const UNIT = "org.freedesktop.systemd1.Unit";
/**
 * When the active state last changed is the latest of these; a state one settles in has its own. StateChangeTimestamp is not: it counts
 * sub states too. Of a unit that never ran, only the conditions were looked at.
 */
const STATE_TIMES: Readonly<Record<string, readonly string[]>> = {
  active: ["ActiveEnterTimestamp"],
  inactive: ["InactiveEnterTimestamp", "ConditionTimestamp"],
  failed: ["InactiveEnterTimestamp", "ConditionTimestamp"],
};
const ALL_STATE_TIMES = ["ActiveEnterTimestamp", "ActiveExitTimestamp", "InactiveEnterTimestamp", "ConditionTimestamp"];
/** Interfaces with a `Result`, by the name's suffix. */
const RESULT_INTERFACES: Readonly<Record<string, string>> = Object.fromEntries(
  ["Service", "Socket", "Mount", "Automount", "Swap", "Timer", "Path", "Scope"].map((type) => [
    type.toLowerCase(),
    `org.freedesktop.systemd1.${type}`,
  ]),
);

/**
 * Asks for each property by itself, all at once: GetAll would make systemd look at the unit's files for each unit. Nothing is asked
 * that follows from the state: with thousands of units, these questions are most of what a start costs us.
 */
export async function readUnitDetails({ name, active }: ManagedUnit, call: CallSystemd): Promise<UnitDetails> {
  const path = objectPath(name);
  const get = (type: string, property: string) => readProperty(path, type, property, call);
  const typed = RESULT_INTERFACES[name.slice(name.lastIndexOf(".") + 1)];
  const [fragmentPath, invocation, result, ...times] = await Promise.all([
    get(UNIT, "FragmentPath"),
    get(UNIT, "InvocationID"),
    // A start forgets how the run before it ended; what is up has ended in no way.
    typed === undefined ? "" : active === "active" ? "success" : get(typed, "Result"),
    ...(STATE_TIMES[active] ?? ALL_STATE_TIMES).map((property) => get(UNIT, property)),
  ]);
  return {
    fragmentPath: fragmentPath as string,
    since: timeText(Math.max(...times.map(Number))),
    result: result as string,
    invocation: Buffer.from(invocation as Uint8Array).toString("hex"),
  };
}

/** As systemd names the object of a unit: whatever is no letter and no digit, and a digit in front, as `_` and its two hexadecimal digits. */
function objectPath(name: UnitName): string {
  const label = name.replace(/^\d|[^A-Za-z0-9]/g, (char) => `_${char.charCodeAt(0).toString(16).padStart(2, "0")}`);
  return `${SYSTEMD_PATH}/unit/${label}`;
}

export async function readUnitSources(path: string, call: CallSystemd): Promise<UnitSources> {
  const properties = ["FragmentPath", "DropInPaths", "Names", "NeedDaemonReload"];
  const values = await Promise.all(properties.map((property) => readProperty(path, UNIT, property, call)));
  const [fragmentPath, dropinPaths, names, isOutdated] = values as [string, string[], UnitName[], boolean];
  return { fragmentPath, dropinPaths, names: [...names].sort(), isOutdated };
}

/** systemd's microseconds since the epoch (below 2^53 until the year 2255), 0 for never. */
function timeText(microseconds: number): string {
  return microseconds === 0 ? "" : new Date(microseconds / 1000).toISOString();
}

/**
 * When it was last started, in microseconds since the epoch; 0 for never. By the check of its conditions, which comes before the
 * fork: InactiveExitTimestamp is taken after it, and on a busy machine a program's first words are older than that.
 */
export async function readStart(path: string, call: CallSystemd): Promise<bigint> {
  return (await readProperty(path, UNIT, "ConditionTimestamp", call)) as bigint;
}

async function readProperty(path: string, type: string, property: string, call: CallSystemd): Promise<unknown> {
  const [value] = await call({
    path,
    interface: "org.freedesktop.DBus.Properties",
    member: "Get",
    signature: "ss",
    body: [type, property],
  });
  return value;
}
