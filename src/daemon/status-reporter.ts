import type { StatusRecord } from "../codec/registry-records.ts";
import type { StatusProblem } from "../domain/cluster/cluster-snapshot.ts";
import type { UnitName } from "../domain/names.ts";
import type { WantedUnit } from "../domain/tasks/task.ts";
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
  /** A newer release is on its way: what is missing now may come with it, and is nothing to report yet. */
  readonly releasePending: boolean;
}

/** Makes of each pass what this machine says of its units; the same words as long as nothing is new. */
export class StatusReporter {
  readonly #manager: UnitManager;
  readonly #jobs: UnitJobs;
  readonly #said = new Map<UnitName, { readonly basis: string; readonly status: StatusRecord }>();

  constructor(manager: UnitManager, jobs: UnitJobs) {
    this.#manager = manager;
    this.#jobs = jobs;
  }

  async report(pass: PassOutcome): Promise<Map<UnitName, StatusRecord>> {
    const because = new Map(
      pass.blocked.map((entry) => [entry.unit, { code: entry.because.code, detail: blockedDetail(entry.because) }]),
    );
    const names = [...new Set([...pass.wanted.map((unit) => unit.name), ...pass.missing.keys()])].sort();
    const statuses = new Map<UnitName, StatusRecord>();
    for (const name of names) {
      if (pass.releasePending && pass.missing.has(name)) continue;
      const problem =
        pass.missing.get(name) ?? because.get(name) ?? pass.problems.get(name) ?? this.#jobs.failure(name);
      statuses.set(name, await this.#statusOf(name, pass.seen.get(name) ?? null, problem));
    }
    for (const name of this.#said.keys()) if (!statuses.has(name)) this.#said.delete(name);
    return statuses;
  }

  /** A failure's journal is read once, not in every pass. */
  async #statusOf(
    name: UnitName,
    observation: Observation | null,
    problem: Pick<StatusProblem, "code" | "detail"> | null,
  ): Promise<StatusRecord> {
    const basis = JSON.stringify([observation, problem]);
    const said = this.#said.get(name);
    if (said?.basis === basis) return said.status;
    const status = await statusOfUnit(this.#manager, observation, problem);
    this.#said.set(name, { basis, status });
    return status;
  }
}
