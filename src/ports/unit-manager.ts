import type { UnitName } from "../domain/names.ts";

/**
 * The systemd of one machine. Units are named by their service name. Every call has a timeout and rejects with
 * OperationError; nothing is retried inside. After `systemd-unreachable` the next call connects anew.
 */
export interface UnitManager {
  /** What systemd holds now among these names, one call for all, which makes it load none; names it does not hold are missing. */
  list(names: readonly UnitName[]): Promise<readonly ManagedUnit[]>;
  /** What `list` does not say, for the few that changed: of a unit as `list` gave it just now. */
  details(unit: ManagedUnit): Promise<UnitDetails>;
  /** The files it was loaded from, or null where systemd does not hold the unit. */
  sources(name: UnitName): Promise<UnitSources | null>;
  /**
   * Starts (mode replace) and waits for the job's end. At most 96 calls are in flight; more wait their turn. Rejects with
   * `unit-not-found` (it, or one it requires), `unit-masked`, `unit-bad-setting` where systemd makes no job. `queued` is called once
   * systemd has the job: from then on it is done, whatever becomes of us.
   */
  start(name: UnitName, queued?: () => void): Promise<JobResult>;
  /** `done` also where there is no such unit. */
  stop(name: UnitName): Promise<JobResult>;
  /**
   * The unit's own reload, by the text systemd holds (`ExecReload=`, the remount of a mount), and waits for the job's end, which is
   * `failed` where its program fails; the unit goes on either way. Rejects with `unit-not-reloadable` where it has no reload, and
   * as `start` does.
   */
  reloadUnit(name: UnitName): Promise<JobResult>;
  /** systemd's daemon-reload; returns when systemd has finished. */
  reload(): Promise<void>;
  /** Forgets a failure; a unit that has none or is not held is not an error. */
  resetFailed(name: UnitName): Promise<void>;
  /**
   * Calls `wake` when anything about any unit may have changed, until the signal aborts: `definitions` where systemd may have read its
   * files again as well, whoever made it. Signals only wake.
   */
  onChange(wake: (what: UnitNews) => void, signal: AbortSignal): void;
  /** The last lines of the unit's journal since its last start, oldest first. */
  journal(name: UnitName, lines: number): Promise<readonly string[]>;
  close(): void;
}

export type UnitNews = "units" | "definitions";

export interface ManagedUnit {
  readonly name: UnitName;
  /** `loaded`, `not-found`, `error`, `masked`, `bad-setting` … */
  readonly load: string;
  readonly active: string;
  readonly sub: string;
}

export interface UnitDetails {
  /** The file systemd loaded, or empty. */
  readonly fragmentPath: string;
  /** RFC 3339 time of the last change of the active state; empty where it never changed. */
  readonly since: string;
  /** `success`, `exit-code`, `signal`, `timeout`, …; empty for types that have none. */
  readonly result: string;
  /** 32 hexadecimal digits of the last start; empty where it never ran. */
  readonly invocation: string;
}

/** Where systemd has a unit's definition from. */
export interface UnitSources {
  /** The file systemd loaded, or empty. */
  readonly fragmentPath: string;
  /** Drop-ins of the unit, of its template and of its whole type, in the order they apply. */
  readonly dropinPaths: readonly string[];
  /** All its names, its aliases too; sorted. */
  readonly names: readonly UnitName[];
  /** The files have changed since: what systemd holds is not what they say. */
  readonly isOutdated: boolean;
}

/**
 * Our patience with one job. systemd's own timeouts end most jobs after 90 s, twice that with a stop in front; a oneshot has none.
 * A unit that is waited for is left alone by every pass.
 */
export const JOB_WAIT_MS = 600_000;

/** systemd's own words for how a job ended, and `timeout-waiting` where our patience ended first. */
export type JobResult =
  | "done"
  | "canceled"
  | "timeout"
  | "failed"
  | "dependency"
  | "skipped"
  | "timeout-waiting"
  | string;
