import type { SourceLocation } from "../diagnostic.ts";
import type { EffectiveUnit, EffectiveValue } from "./effective-unit.ts";
import { parseBoolean } from "./parse-boolean.ts";
import { splitWords } from "./split-words.ts";
import { parseTimeSpan } from "./time-span.ts";

/** How long it may take until no process of a service is left after systemd was told to stop it. */
export type StopTime = BoundedStop | EndlessStop;

export interface BoundedStop {
  readonly kind: "bounded";
  /** `TimeoutStopSec=`, which each step may take. Milliseconds. */
  readonly stepMs: number;
  /** One for each `ExecStop=` and `ExecStopPost=` command, one for SIGTERM, and one more where children may outlive the main process. */
  readonly steps: number;
  /** Where the step's length is written; null where it is systemd's default. */
  readonly at: SourceLocation | null;
}

/** Processes may be left for good, or for a time that nobody knows. */
export interface EndlessStop {
  readonly kind: "endless";
  readonly at: SourceLocation;
  /** The line that makes it so. */
  readonly saw: string;
  readonly next: string;
}

/**
 * systemd's own DefaultTimeoutStopSec. A machine's system.conf may say more, so a unit that leaves it out is never short enough by
 * accident: 90 s is beyond every lease.
 */
const DEFAULT_STEP_MS = 90_000;

/**
 * Reads it as systemd 252 goes about it (service.c): every stop command may take the whole of `TimeoutStopSec=`, then the processes get
 * SIGTERM and the same time again. With `KillMode=control-group` children that are left when the main process has gone get SIGTERM
 * and that time once more; with `mixed` they are killed at once. SIGKILL itself takes no time that a service could prolong.
 */
export function stopTimeOf(service: EffectiveUnit): StopTime {
  const last = (key: string) => service.last("Service", key);
  const endless = killProblem(last);
  if (endless !== null) return endless;
  const set = stopTimeouts(service).at(-1) ?? null;
  const stepMs = set === null ? DEFAULT_STEP_MS : readStep(set.value);
  if (set !== null && !Number.isFinite(stepMs)) {
    return { kind: "endless", at: set.at, saw: `${set.key}=${set.value}`, next: "say how long a stop may take" };
  }
  const commands = ["ExecStop", "ExecStopPost"].reduce((sum, key) => sum + commandCount(service, key), 0);
  const steps = commands + (last("KillMode")?.value === "mixed" ? 1 : 2);
  return { kind: "bounded", stepMs: Math.max(stepMs, abortMs(last)), steps, at: set?.at ?? null };
}

export function totalMs({ stepMs, steps }: BoundedStop): number {
  return stepMs * steps;
}

type Last = (key: string) => EffectiveValue | null;

/** What keeps SIGKILL from every process of the service, or puts a wait of unknown length before it. */
function killProblem(last: Last): EndlessStop | null {
  const found = (key: string, next: string): EndlessStop => {
    const { at, value } = last(key)!;
    return { kind: "endless", at, saw: `${key}=${value}`, next };
  };
  const mode = last("KillMode")?.value ?? "control-group";
  if (mode !== "control-group" && mode !== "mixed") {
    return found("KillMode", "leave it out, or write KillMode=mixed: a stop must end every process");
  }
  if (parseBoolean(last("SendSIGKILL")?.value ?? "yes") !== true) {
    return found("SendSIGKILL", "remove it: what ignores SIGTERM would run on");
  }
  if (!["SIGKILL", "KILL", "9"].includes(last("FinalKillSignal")?.value ?? "SIGKILL")) {
    return found("FinalKillSignal", "remove it: a process can ignore any signal but SIGKILL");
  }
  if (last("TimeoutStopFailureMode")?.value === "abort") {
    return found("TimeoutStopFailureMode", "remove it: writing a core may take any time");
  }
  return null;
}

/** Both set the same time, and the later one counts; systemd ignores a line it cannot read. */
function stopTimeouts(service: EffectiveUnit) {
  return service
    .assignments("Service")
    .filter(({ key, value }) => (key === "TimeoutStopSec" || key === "TimeoutSec") && parseTimeSpan(value) !== null);
}

/** `0` is systemd's old word for no end at all. */
function readStep(value: string): number {
  const milliseconds = parseTimeSpan(value) ?? DEFAULT_STEP_MS;
  return milliseconds === 0 ? Number.POSITIVE_INFINITY : milliseconds;
}

/** A service that just missed its own watchdog is given this long before SIGKILL. */
function abortMs(last: Last): number {
  const set = last("TimeoutAbortSec");
  return set === null ? 0 : (parseTimeSpan(set.value) ?? 0);
}

/** One line may hold several commands, between semicolons that stand alone. */
function commandCount(service: EffectiveUnit, key: string): number {
  return service
    .values("Service", key)
    .reduce((sum, { value }) => sum + 1 + splitWords(value).words.filter((word) => word === ";").length, 0);
}
