/**
 * What a service's own checks say of it: `unknown` until they have passed once since it was started; `failing` once they had passed, and then
 * failed FAILURES_MAX times in a row.
 */
export type HealthState = "passing" | "failing" | "unknown";

export interface ServiceHealth {
  readonly state: HealthState;
  /** Which check did not pass, and why; empty where all did, or none was asked yet. */
  readonly detail: string;
}

/** What is known of one run of a service. Times by the machine's monotonic clock. */
export interface HealthHistory extends ServiceHealth {
  /** How many probes failed since one passed. */
  readonly failures: number;
  /** Since when it is in its state. */
  readonly sinceMs: number;
  /** When to ask next. */
  readonly dueMs: number;
}

/** Whoever answers a health check at all does so within a fraction of it; kubelets wait 1 s, Consul 10 s. */
export const PROBE_TIMEOUT_MS = 3_000;
/** Services that are asked at one moment. Answers take milliseconds: 750 services are through within seconds; what hangs does not keep all. */
export const PROBES_AT_ONCE = 8;
/** While somebody waits for the answer: a rollout sees a service pass within this long, and a failure is told within three of it. */
const QUICK_MS = 2_000;
/** Of a service that runs as it did a minute ago: 750 of them are 25 questions a second, and a failure is noticed within this long. */
const STEADY_MS = 30_000;
/** After it passed first: six times the default `minHealthyTime`. */
const QUICK_AFTER_PASS_MS = 30_000;
/** Of one that does not pass: the default `healthDeadline`, after which no rollout waits for it any more. */
const QUICK_WITHOUT_PASS_MS = 120_000;
/** One answer that was late is no failure; three in a row, two seconds apart, are. */
const FAILURES_MAX = 3;
/** The part of each interval by which services differ: those that were started at once do not ask at once for ever. */
const JITTER = 0.25;

/** Of a service that was started a moment ago, or whose checks are others now. */
export function unknownHealth(nowMs: number): HealthHistory {
  return { state: "unknown", detail: "", failures: 0, sinceMs: nowMs, dueMs: nowMs };
}

/**
 * Of one that was told to be so, in this very run, by an agent before this one: so that a restart of the agent changes nothing. `share`: of
 * the unit, 0 to 1: the first questions to those that pass are spread.
 */
export function toldHealth({ state, detail }: ServiceHealth, share: number, nowMs: number): HealthHistory {
  const dueMs = state === "passing" ? nowMs + share * STEADY_MS : nowMs;
  const sinceMs = nowMs - QUICK_AFTER_PASS_MS;
  return { state, detail, failures: state === "failing" ? FAILURES_MAX : 0, sinceMs, dueMs };
}

/** After it was asked. `failure`: why it did not pass, or null. */
export function afterProbe(before: HealthHistory, failure: string | null, share: number, nowMs: number): HealthHistory {
  const judged = failure === null ? passed(before, nowMs) : failed(before, failure, nowMs);
  return { ...judged, dueMs: nowMs + interval(judged, nowMs) * (1 - JITTER * share) };
}

/** Nobody could ask: nothing is known that was not. */
export function unasked(before: HealthHistory, nowMs: number): HealthHistory {
  return { ...before, dueMs: nowMs + QUICK_MS };
}

function passed(before: HealthHistory, nowMs: number): HealthHistory {
  if (before.state === "passing") return { ...before, failures: 0 };
  return { ...before, state: "passing", detail: "", failures: 0, sinceMs: nowMs };
}

/**
 * Until it passes, the last reason is told: a service that starts goes from nobody who listens to one who is not ready. What made it fail
 * later stays: of one that fails now by one check and now by another, each change would be news for everybody.
 */
function failed(before: HealthHistory, detail: string, nowMs: number): HealthHistory {
  const failures = before.failures + 1;
  if (before.state === "unknown") return { ...before, failures, detail };
  if (before.state === "failing" || failures < FAILURES_MAX) return { ...before, failures };
  return { ...before, state: "failing", detail, failures, sinceMs: nowMs };
}

function interval({ state, failures, sinceMs }: HealthHistory, nowMs: number): number {
  const isQuick =
    state === "passing"
      ? failures > 0 || nowMs - sinceMs < QUICK_AFTER_PASS_MS
      : nowMs - sinceMs < QUICK_WITHOUT_PASS_MS;
  return isQuick ? QUICK_MS : STEADY_MS;
}

/** A number from 0 to 1 that is the unit's own. FNV-1a: similar names are far apart. */
export function shareOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < name.length; at++) hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193);
  return (hash >>> 0) / 2 ** 32;
}
