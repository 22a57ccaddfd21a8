import { encodeRecord } from "../codec/record.ts";
import type { RegistryKeys } from "../codec/registry-keys.ts";
import type { ReportRecord } from "../codec/registry-records.ts";
import type { Member, Release } from "../domain/cluster/cluster-snapshot.ts";
import type { Unplaced } from "../domain/placement/placement.ts";
import type { StuckHandOff } from "../domain/report/engine-report.ts";
import type { Clock } from "../ports/clock.ts";
import { type Log, warning } from "../ports/log.ts";
import type { LeaseId, Registry } from "../ports/registry.ts";
import type { Leadership } from "../usecases/campaign.ts";
import { AbsenceWatch } from "./absence-watch.ts";

export interface EngineReporterPorts {
  readonly registry: Registry;
  readonly clock: Clock;
  readonly log: Log;
}

/** What a leader has to say of one pass. */
export interface Told {
  readonly release: Release;
  readonly problem: string | null;
  readonly unplaced: readonly Unplaced[];
  readonly members: readonly Member[];
  /** Absent: none. */
  readonly stuckHandOffs?: readonly StuckHandOff[];
}

/** The engine's word to people, on change only, under its lease: it goes with the engine. One for each term. */
export class EngineReporter {
  readonly #machine: string;
  readonly #leadership: Leadership;
  readonly #keys: RegistryKeys;
  readonly #ports: EngineReporterPorts;
  readonly #absences: AbsenceWatch;
  #report = "";

  constructor(machine: string, leadership: Leadership, keys: RegistryKeys, ports: EngineReporterPorts) {
    this.#machine = machine;
    this.#leadership = leadership;
    this.#keys = keys;
    this.#ports = ports;
    this.#absences = new AbsenceWatch(ports.clock);
  }

  async tell({ release, problem, unplaced, members, stuckHandOffs = [] }: Told, lease: LeaseId): Promise<void> {
    const absent = this.#absences.current(members);
    const report: ReportRecord = {
      leader: this.#machine,
      releaseSeq: release.seq,
      problem,
      unplaced: [...unplaced],
      ...(absent.length === 0 ? {} : { absent }),
      ...(stuckHandOffs.length === 0 ? {} : { stuckHandOffs }),
    };
    const text = encodeRecord(report);
    if (this.#report === text) return;
    if (problem !== null) this.#ports.log(warning(problem));
    await this.#ports.registry.txn({
      when: [{ key: this.#keys.leader, target: "create", is: "=", value: this.#leadership.leaderCreateRevision }],
      then: [{ kind: "put", key: this.#keys.report, value: text, lease }],
    });
    this.#report = text;
  }
}
