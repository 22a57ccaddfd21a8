import type { UnitName } from "../../domain/names.ts";
import type { Clock } from "../../ports/clock.ts";
import type { CheckRunner } from "../../ports/health-probe.ts";
import { SYSTEM_BUS } from "./system-bus.ts";
import { commandOf, TransientUnits, type UnitProperties } from "./transient-units.ts";

const SERVICE = "org.freedesktop.systemd1.Service";
const PROPERTIES = "org.freedesktop.DBus.Properties";
/** How its units are called; the agent's watch of units does not listen to them. */
export const CHECK_UNITS = "fleet-health-";
/** A program that goes on after its time, and after SIGTERM, is killed. */
const STOP_SECONDS = 1;
const MEMORY_MAX_BYTES = 256n * 1024n * 1024n;
const TASKS_MAX = 64n;
/** systemd's levels: of a check that fails, the agent tells; each would write three lines into the journal. */
const LOG_CRITICAL_ONLY = 2;

/** Who a service runs as, as systemd shows it. Empty: root. */
interface ServiceUser {
  readonly user: string;
  readonly group: string;
  readonly supplementary: readonly string[];
  readonly isDynamic: boolean;
}

/**
 * Runs the programs of health checks as transient units of systemd's, each as the user and group of the service it asks about: what a
 * repository may have run as that user, it may have run as that user here too, and nothing more. A service with `DynamicUser=` shares its
 * user, which lives for as long as it runs. Read-only, without new privileges, in a slice of its own, with limits; what it prints
 * goes nowhere. The mount and network namespaces of the service are not its own: it sees the machine.
 */
export class TransientCheck implements CheckRunner {
  readonly #units: TransientUnits;
  readonly #prefix: string;
  readonly #clock: Clock;
  #runs = 0;

  /** `address`: a D-Bus address; the system's bus where not given. `process`: a number that no other agent of this boot has. */
  constructor(clock: Clock, process: number, address: string = SYSTEM_BUS) {
    this.#clock = clock;
    this.#prefix = `${CHECK_UNITS}${process}-`;
    this.#units = new TransientUnits(clock, address);
  }

  async run(service: UnitName, argv: readonly string[], timeoutMs: number): Promise<"passed" | "failed" | "timeout"> {
    const user = await this.#userOf(service);
    const name = `${this.#prefix}${++this.#runs}.service`;
    const properties = propertiesOf(service, argv, timeoutMs, user);
    const beganMs = this.#clock.monotonicMs();
    // Of one whose end nobody told, nothing is known: it has failed, and is asked again.
    const result = await this.#units.run(`running a health check of ${service}`, name, properties);
    if (result === "done") return "passed";
    // systemd calls both a failure.
    return this.#clock.monotonicMs() - beganMs < timeoutMs ? "failed" : "timeout";
  }

  close(): void {
    this.#units.close();
  }

  async #userOf(service: UnitName): Promise<ServiceUser> {
    const doing = `looking for the user of ${service}`;
    const [path] = await this.#units.call(doing, { member: "GetUnit", signature: "s", body: [service] });
    const get = async (property: string) => {
      const call = { path: path as string, interface: PROPERTIES, member: "Get", signature: "ss" };
      const [value] = await this.#units.call(doing, { ...call, body: [SERVICE, property] });
      return value;
    };
    const [user, group, supplementary, isDynamic] = await Promise.all(
      ["User", "Group", "SupplementaryGroups", "DynamicUser"].map(get),
    );
    return {
      user: user as string,
      group: group as string,
      supplementary: supplementary as readonly string[],
      isDynamic: isDynamic === true,
    };
  }
}

function propertiesOf(
  service: UnitName,
  argv: readonly string[],
  timeoutMs: number,
  { user, group, supplementary, isDynamic }: ServiceUser,
): UnitProperties {
  const text = (name: string, value: string) => [name, { signature: "s", value }] as const;
  const yes = (name: string) => [name, { signature: "b", value: true }] as const;
  const long = (name: string, value: bigint) => [name, { signature: "t", value }] as const;
  return [
    text("Description", `Health check of ${service}: ${argv.join(" ")}`),
    text("Type", "oneshot"),
    // Else every start and end of one changes the targets at the root of all dependencies, and whoever watches units hears of that.
    ["DefaultDependencies", { signature: "b", value: false }],
    commandOf(argv),
    long("TimeoutStartUSec", BigInt(timeoutMs) * 1_000n),
    long("TimeoutStopUSec", BigInt(STOP_SECONDS) * 1_000_000n),
    text("CollectMode", "inactive-or-failed"),
    text("Slice", "fleet-health.slice"),
    text("StandardOutput", "null"),
    text("StandardError", "null"),
    ["LogLevelMax", { signature: "i", value: LOG_CRITICAL_ONLY }],
    ...(user === "" ? [] : [text("User", user)]),
    ...(group === "" ? [] : [text("Group", group)]),
    ...(supplementary.length === 0
      ? []
      : [["SupplementaryGroups", { signature: "as", value: supplementary }] as const]),
    ...(isDynamic ? [yes("DynamicUser")] : []),
    ...[
      "NoNewPrivileges",
      "PrivateDevices",
      "ProtectKernelTunables",
      "ProtectKernelModules",
      "ProtectControlGroups",
    ].map(yes),
    ...["RestrictSUIDSGID", "LockPersonality", "RestrictRealtime"].map(yes),
    text("ProtectSystem", "strict"),
    text("ProtectHome", "read-only"),
    long("MemoryMax", MEMORY_MAX_BYTES),
    long("TasksMax", TASKS_MAX),
  ];
}
