import { readServiceHealth } from "../codec/health-record.ts";
import { decodeRecord } from "../codec/record.ts";
import type { RegistryKeys } from "../codec/registry-keys.ts";
import { STATUS_SHAPE, type StatusRecord } from "../codec/registry-records.ts";
import { type HealthCheck, healthCheckText } from "../domain/health/health-check.ts";
import {
  afterProbe,
  type HealthHistory,
  PROBES_AT_ONCE,
  type ServiceHealth,
  shareOf,
  toldHealth,
  unasked,
  unknownHealth,
} from "../domain/health/judge-health.ts";
import type { MachineId, UnitName } from "../domain/names.ts";
import type { WantedUnit } from "../domain/tasks/task.ts";
import type { Clock } from "../ports/clock.ts";
import type { HealthProbe } from "../ports/health-probe.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { Observation } from "../usecases/observe-units.ts";
import type { RegistryMirror } from "./registry-mirror.ts";

export interface HealthWatchPorts {
  readonly health: HealthProbe;
  readonly clock: Clock;
  /** Called when there is something new to tell. */
  readonly wake: () => void;
}

interface Watched {
  readonly service: UnitName;
  readonly checks: readonly HealthCheck[];
  readonly invocation: string;
  history: HealthHistory;
  isAsked: boolean;
}

/** A detail must stay far below what a status may hold. */
const DETAIL_MAX = 300;
const UNKNOWN: ServiceHealth = { state: "unknown", detail: "" };

/**
 * Asks the services of this machine that have checks of their own, each when it is due; where none has any, it does nothing. It tells, and
 * does nothing about it: to start a service again is systemd's business (`Restart=`, `WatchdogSec=`).
 */
export class HealthWatch {
  readonly #keys: RegistryKeys;
  readonly #machine: MachineId;
  readonly #shown: Pick<RegistryMirror, "complete" | "get">;
  readonly #ports: HealthWatchPorts;
  readonly #watched = new Map<UnitName, Watched>();
  readonly #said = new WeakMap<HealthHistory, ServiceHealth>();
  #asking = 0;
  #timer: { readonly atMs: number; readonly end: AbortController } | null = null;
  #ended = false;

  /** `shown`: what the registry shows of this machine's statuses. */
  constructor(
    keys: RegistryKeys,
    machine: MachineId,
    shown: Pick<RegistryMirror, "complete" | "get">,
    ports: HealthWatchPorts,
  ) {
    this.#keys = keys;
    this.#machine = machine;
    this.#shown = shown;
    this.#ports = ports;
  }

  /** After each look at the units. Only what is up is asked: a question to what is down could start it (a socket's service). */
  look(wanted: readonly WantedUnit[], seen: ReadonlyMap<UnitName, Observation>): void {
    const checked = wanted.filter(({ healthChecks, goal }) => healthChecks !== undefined && goal === "launched");
    if (checked.length === 0 && this.#watched.size === 0) return;
    const up = new Set<UnitName>();
    // Before it is known what was told last, nothing can be told either.
    if (this.#shown.complete) {
      for (const unit of checked) {
        const observation = seen.get(unit.name);
        const active = observation?.observed.systemd?.active;
        if (active !== "active" && active !== "reloading") continue;
        up.add(unit.name);
        this.#watch(unit, observation?.details?.invocation ?? "");
      }
    }
    for (const name of this.#watched.keys()) if (!up.has(name)) this.#watched.delete(name);
    this.#go();
  }

  /** Null where it has no checks. */
  of({ name, healthChecks, goal }: WantedUnit): ServiceHealth | null {
    if (healthChecks === undefined || goal !== "launched") return null;
    const history = this.#watched.get(name)?.history;
    if (history === undefined) return UNKNOWN;
    const said = this.#said.get(history) ?? { state: history.state, detail: history.detail };
    this.#said.set(history, said);
    return said;
  }

  /** Nothing is asked any more. */
  end(): void {
    this.#ended = true;
    this.#watched.clear();
    this.#timer?.end.abort(null);
  }

  #watch({ name, service, healthChecks = [] }: WantedUnit, invocation: string): void {
    const known = this.#watched.get(name);
    const isSame = known?.invocation === invocation && JSON.stringify(known.checks) === JSON.stringify(healthChecks);
    if (isSame) return;
    const nowMs = this.#ports.clock.monotonicMs();
    const told = known === undefined ? this.#told(name, invocation) : null;
    const history = told === null ? unknownHealth(nowMs) : toldHealth(told, shareOf(name), nowMs);
    this.#watched.set(name, { service, checks: healthChecks, invocation, history, isAsked: false });
  }

  /** What an agent before this one told of the same run. */
  #told(unit: UnitName, invocation: string): ServiceHealth | null {
    const shown = this.#shown.get(this.#keys.status(this.#machine, unit));
    const decoded = shown === null ? null : decodeRecord<StatusRecord>(shown.value, STATUS_SHAPE);
    if (decoded?.kind !== "record" || decoded.record.invocation !== invocation) return null;
    return readServiceHealth(decoded.record.health);
  }

  /** Asks those that are due, the longest first, and looks again when the next one is. */
  #go(): void {
    if (this.#ended) return;
    const nowMs = this.#ports.clock.monotonicMs();
    const waiting = [...this.#watched].filter(([, { isAsked }]) => !isAsked);
    waiting.sort(([, a], [, b]) => a.history.dueMs - b.history.dueMs);
    const due = waiting.filter(([, { history }]) => history.dueMs <= nowMs).slice(0, PROBES_AT_ONCE - this.#asking);
    for (const [name, one] of due) void this.#ask(name, one);
    // With all hands full, the next answer looks again.
    const next = waiting[due.length]?.[1].history.dueMs;
    if (next !== undefined && this.#asking < PROBES_AT_ONCE) this.#lookAt(next);
  }

  #lookAt(atMs: number): void {
    const { clock } = this.#ports;
    if (this.#timer !== null && this.#timer.atMs <= atMs) return;
    this.#timer?.end.abort(null);
    const timer = { atMs, end: new AbortController() };
    this.#timer = timer;
    void clock.sleep(Math.max(0, atMs - clock.monotonicMs()), timer.end.signal).then(() => {
      if (this.#timer !== timer) return;
      this.#timer = null;
      this.#go();
    });
  }

  async #ask(name: UnitName, one: Watched): Promise<void> {
    one.isAsked = true;
    this.#asking++;
    const before = one.history;
    one.history = await this.#answered(name, one);
    this.#asking--;
    one.isAsked = false;
    const isNews = one.history.state !== before.state || one.history.detail !== before.detail;
    if (isNews && this.#watched.get(name) === one) this.#ports.wake();
    this.#go();
  }

  async #answered(name: UnitName, { service, checks, history }: Watched): Promise<HealthHistory> {
    const { clock } = this.#ports;
    try {
      const failure = await this.#firstFailure(service, checks);
      return afterProbe(history, failure, shareOf(name), clock.monotonicMs());
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      return unasked(history, clock.monotonicMs());
    }
  }

  async #firstFailure(service: UnitName, checks: readonly HealthCheck[]): Promise<string | null> {
    for (const check of checks) {
      const failure = await this.#ports.health.probe(check, service);
      if (failure !== null) return `${healthCheckText(check)}: ${failure}`.slice(0, DETAIL_MAX);
    }
    return null;
  }
}
