import { isKnownDirective } from "./systemd-directives.ts";
import type { UnitEffect } from "./unit-effect.ts";

/**
 * What a changed directive does by itself; what depends on the rest of the unit (`.mount` options, timers that may have ended,
 * reload triggers) is `effectInContext`'s. Everything not listed here is a restart: what processes are given when they start
 * (Exec*=, Environment=, User=, limits, sandboxes), what names another object (Where=, Unit=, Slice=), and what nobody knows.
 * Asked of a real systemd 252: test/e2e/effects.test.ts.
 */
export function effectOfDirective(section: string, key: string): UnitEffect {
  // [Install] is for `systemctl enable`, which fleet never calls. systemd skips sections and keys that begin with X-.
  if (section === "Install" || section.startsWith("X-")) return "quiet";
  if (section === "Unit" && key === "X-Restart-Triggers") return "restart";
  if (section === "Unit" && key === "X-Reload-Triggers") return "reload";
  if (key.startsWith("X-")) return "quiet";
  if (section === "Unit" && (key === "Description" || key === "Documentation")) return "quiet";
  if (!isKnownDirective(section, key)) return "restart";
  if (section === "Unit" && isCondition(key)) return "daemon-reload";
  return REREAD.get(section)?.has(key) === true ? "daemon-reload" : "restart";
}

/** `ConditionPathExists=`, `AssertHost=`, …: looked at when the unit is about to start, and never again. */
export function isCondition(key: string): boolean {
  return /^(?:Condition|Assert)[A-Z]/.test(key);
}

/**
 * The unit graph: consulted when a job is made or a unit changes state, and starting units is fleet's own work. Not among them:
 * BindsTo= and StopWhenUnneeded= (the reload itself stops the unit where what it is bound to, or what needs it, is not
 * there: seen), JoinsNamespaceOf= (namespaces are made at the start).
 */
const GRAPH = `
  After Before Wants Requires Requisite PartOf Upholds Conflicts RequiresMountsFor WantsMountsFor DefaultDependencies
  PropagatesReloadTo PropagateReloadTo ReloadPropagatedFrom PropagateReloadFrom PropagatesStopTo StopPropagatedFrom
`;

/** What happens when a unit ends or fails, how often it may start, how long a job may take: asked at that moment. */
const AT_EVENTS = `
  OnFailure OnSuccess OnFailureJobMode OnSuccessJobMode OnFailureIsolate
  FailureAction SuccessAction FailureActionExitStatus SuccessActionExitStatus RebootArgument
  StartLimitInterval StartLimitIntervalSec StartLimitBurst StartLimitAction
  JobTimeoutSec JobRunningTimeoutSec JobTimeoutAction JobTimeoutRebootArgument
  RefuseManualStart RefuseManualStop AllowIsolate IgnoreOnIsolate CollectMode
`;

/** systemd.kill(5): asked when something is to be killed. */
const KILL = "KillMode KillSignal RestartKillSignal FinalKillSignal WatchdogSignal SendSIGHUP SendSIGKILL";

/**
 * Limits of the control group: systemd invalidates what it wrote and writes it anew after a reload (unit_deserialize_state). Not
 * among them: what moves the group or its controllers (Slice=, Delegate=, DisableControllers=), and what is attached
 * as programs or told to other daemons (devices, IP filters, systemd-oomd).
 */
const RESOURCES = `
  CPUAccounting CPUWeight StartupCPUWeight CPUQuota CPUQuotaPeriodSec
  AllowedCPUs StartupAllowedCPUs AllowedMemoryNodes StartupAllowedMemoryNodes
  MemoryAccounting MemoryMin MemoryLow MemoryHigh MemoryMax MemorySwapMax
  TasksAccounting TasksMax
  IOAccounting IOWeight StartupIOWeight IODeviceWeight IODeviceLatencyTargetSec
  IOReadBandwidthMax IOWriteBandwidthMax IOReadIOPSMax IOWriteIOPSMax
`;

/**
 * Commands and times of the end of a service's life, and what counts as success. Not among them: RuntimeMaxSec= and WatchdogSec= (a
 * shorter one may kill at once; the process was told the old one), RemainAfterExit=, NotifyAccess=, PIDFile= (part of how it
 * was started), ExecStartPre= and ExecStartPost= (what they prepare is asked for now).
 */
const SERVICE = `
  ExecReload ExecStop ExecStopPost
  Restart RestartSec SuccessExitStatus RestartPreventExitStatus RestartForceExitStatus
  TimeoutSec TimeoutStartSec TimeoutStopSec TimeoutAbortSec TimeoutStartFailureMode TimeoutStopFailureMode TimeoutCleanSec
  StartLimitInterval StartLimitBurst StartLimitAction FailureAction RebootArgument
`;

/** When the timer elapses next is computed anew from what is read; `effectInContext` knows when it is not. */
const TIMER =
  "OnCalendar OnActiveSec OnBootSec OnStartupSec OnUnitActiveSec OnUnitInactiveSec AccuracySec RandomizedDelaySec";

/** Asked when a connection comes, or when the socket is closed; the socket itself stays open across a reload. */
const SOCKET = "MaxConnections MaxConnectionsPerSource ExecStopPre ExecStopPost TimeoutSec";

const words = (...lists: readonly string[]): ReadonlySet<string> =>
  new Set(lists.flatMap((list) => list.split(/\s+/)).filter((word) => word !== ""));

/** Section → what PID 1 asks its own memory for, which a daemon-reload brings up to date without touching a process. */
const REREAD: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ["Unit", words(GRAPH, AT_EVENTS)],
  ["Service", words(SERVICE, KILL, RESOURCES)],
  ["Socket", words(SOCKET, KILL, RESOURCES)],
  ["Mount", words("TimeoutSec LazyUnmount ForceUnmount", KILL, RESOURCES)],
  ["Swap", words("TimeoutSec", KILL, RESOURCES)],
  ["Slice", words(RESOURCES)],
  ["Timer", words(TIMER)],
]);

/** Every listed (section, key), sorted: for the test that asks a real systemd about each. */
export function rereadDirectives(): readonly (readonly [section: string, key: string])[] {
  return [...REREAD].flatMap(([section, keys]) => [...keys].sort().map((key) => [section, key] as const));
}
