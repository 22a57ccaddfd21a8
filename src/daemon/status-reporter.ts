import type { StatusRecord } from "../codec/registry-records.ts";
import type { StatusProblem } from "../domain/cluster/cluster-snapshot.ts";
import type { UnitDrift } from "../domain/drift/unit-drift.ts";
import type { ServiceHealth } from "../domain/health/judge-health.ts";
import type { UnitName } from "../domain/names.ts";
import { isAboutToRestart, judgeRestarts, type RestartVerdict } from "../domain/tasks/restart-loop.ts";
import type { WantedUnit } from "../domain/tasks/task.ts";
import type { Clock } from "../ports/clock.ts";
import type { UnitManager } from "../ports/unit-manager.ts";
import { blockedDetail } from "../usecases/blocked-detail.ts";
import type { Observation } from "../usecases/observe-units.ts";
import type { Reconciled } from "../usecases/reconcile-units.ts";
import { statusOfUnit } from "../usecases/status-of-unit.ts";
import type { UnitJobs } from "../usecases/unit-jobs.ts";

/** What a pass left behind, and what it could not begin with. */
export interface PassOutcome extends Reconciled {
  readonly wanted: readonly WantedUnit[];
  /** Units of the set whose texts are not here. */
  readonly missing: ReadonlyMap<UnitName, StatusProblem>;
  /** Units that may not be started now; absent: none. One that runs meanwhile has no problem. */
  readonly back?: ReadonlyMap<UnitName, StatusProblem>;
  /** Units of the set that are not to be started, with or without their texts. */
  readonly idle?: ReadonlySet<UnitName>;
  /** The revision at which a unit was placed here, as far as is known. */
  readonly placedAt?: (unit: UnitName) => number | null;
  /** Units that are not as they are wanted, because this machine could not be reached with them; absent: none. */
  readonly refused?: ReadonlyMap<UnitName, StatusProblem>;
  /** What the units' own checks say; absent, or null: there are none. */
  readonly health?: (unit: WantedUnit) => ServiceHealth | null;
  /** A newer release is on its way: what is missing now may come with it, and is nothing to report yet. */
  readonly releasePending: boolean;
}

/** Makes of each pass what this machine says of its units; the same words as long as nothing is new. */
export class StatusReporter {
  readonly #manager: UnitManager;
  readonly #jobs: UnitJobs;
  readonly #clock: Clock;
  readonly #said = new Map<UnitName, Said>();

  constructor(manager: UnitManager, jobs: UnitJobs, clock: Clock) {
    this.#manager = manager;
    this.#jobs = jobs;
    this.#clock = clock;
  }

  async report(pass: PassOutcome): Promise<Map<UnitName, StatusRecord>> {
    const because = new Map(
      pass.blocked.map((entry) => [entry.unit, { code: entry.because.code, detail: blockedDetail(entry.because) }]),
    );
    const wanted = new Set([
      ...pass.wanted.map((unit) => unit.name),
      ...pass.missing.keys(),
      ...(pass.refused?.keys() ?? []),
    ]);
    const health = this.#health(pass);
    const names = [...wanted, ...leaving(pass.seen, wanted)].sort();
    const statuses = new Map<UnitName, StatusRecord>();
    for (const name of names) {
      if (pass.releasePending && pass.missing.has(name)) continue;
      const problem =
        pass.missing.get(name) ??
        because.get(name) ??
        pass.problems.get(name) ??
        (pass.seen.get(name)?.observed.systemd?.active === "active" ? null : pass.back?.get(name)) ??
        this.#jobs.failure(name);
      const status = this.#orStarting(name, await this.#statusOf(name, pass.seen.get(name) ?? null, problem));
      const refused = pass.refused?.get(name);
      const drift = pass.drift.get(name);
      const placed = pass.idle?.has(name) && !this.#jobs.isBusy(name) ? (pass.placedAt?.(name) ?? null) : null;
      const asked = health.get(name);
      const isMore = refused !== undefined || drift !== undefined || placed !== null || asked !== undefined;
      statuses.set(name, isMore ? withMore(status, refused, drift, placed, asked) : status);
    }
    for (const name of this.#said.keys()) if (!statuses.has(name)) this.#said.delete(name);
    return statuses;
  }

  #health({ wanted, health }: PassOutcome): ReadonlyMap<UnitName, ServiceHealth> {
    const said = new Map<UnitName, ServiceHealth>();
    for (const unit of wanted) {
      const one = health?.(unit) ?? null;
      if (one !== null) said.set(unit.name, one);
    }
    return said;
  }

  /**
   * A start that systemd has taken and not begun looks like one that is over: the unit is down, and its last result is that of a unit that
   * never ran. A oneshot would be done by that.
   */
  #orStarting(name: UnitName, status: StatusRecord): StatusRecord {
    return status.started && this.#jobs.isStarting(name) ? { ...status, started: false } : status;
  }

  /** A failure's journal is read once, not in every pass. */
  async #statusOf(
    name: UnitName,
    observation: Observation | null,
    problem: Pick<StatusProblem, "code" | "detail"> | null,
  ): Promise<StatusRecord> {
    const said = this.#said.get(name);
    const restarts = this.#restarts(said, observation);
    // Each start is another invocation at another time: a loop is told once, not at each turn.
    if (restarts?.isLooping && problem === null && said?.restarts?.isLooping) {
      this.#said.set(name, { ...said, restarts });
      return said.status;
    }
    const because = problem ?? (restarts?.isLooping ? loopOf(observation) : null);
    const isSaid = said !== undefined && isSame(said.observation, observation) && isSame(said.because, because);
    const status = isSaid ? said.status : await statusOfUnit(this.#manager, observation, because);
    this.#said.set(name, { observation, because, status, restarts });
    return status;
  }

  /** Of a unit that was never about to be restarted there is nothing to remember. */
  #restarts(said: Said | undefined, observation: Observation | null): RestartVerdict | null {
    const view = observation?.observed.systemd;
    const before = said?.restarts ?? null;
    if (view == null || (before === null && !isAboutToRestart(view))) return null;
    const unit = {
      hash: observation!.observed.loaded,
      sub: view.sub,
      invocation: observation?.details?.invocation ?? "",
      result: observation?.details?.result ?? "",
    };
    return judgeRestarts(before?.history ?? null, unit, this.#clock.monotonicMs());
  }
}

interface Said {
  readonly observation: Observation | null;
  readonly because: Pick<StatusProblem, "code" | "detail"> | null;
  readonly status: StatusRecord;
  readonly restarts: RestartVerdict | null;
}

function withMore(
  status: StatusRecord,
  refused: StatusProblem | undefined,
  drift: UnitDrift | undefined,
  placed: number | null,
  health: ServiceHealth | undefined,
): StatusRecord {
  return {
    ...status,
    ...(refused === undefined ? {} : { problem: refused }),
    ...(drift === undefined ? {} : { drift }),
    ...(placed === null ? {} : { placed }),
    ...(health === undefined ? {} : { health }),
  };
}

/** Most are the same value as in the pass before. */
function isSame(a: object | null, b: object | null): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}

function loopOf(observation: Observation | null): Pick<StatusProblem, "code" | "detail"> {
  const result = observation?.details?.result ?? "";
  return { code: "restarting", detail: `systemd starts it again and again${result === "" ? "" : `: ${result}`}` };
}

/** What is not to be here any more and still runs: it is stopping, or held. */
function leaving(seen: ReadonlyMap<UnitName, Observation>, wanted: ReadonlySet<UnitName>): UnitName[] {
  return [...seen.values()]
    .filter(({ observed: { name, owned, systemd } }) => {
      const isDown = systemd === null || systemd.active === "inactive" || systemd.active === "failed";
      return owned && !isDown && !wanted.has(name);
    })
    .map(({ observed }) => observed.name);
}
