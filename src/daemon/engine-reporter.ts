import { encodeRecord } from "../codec/record.ts";
import type { RegistryKeys } from "../codec/registry-keys.ts";
import type { ReportRecord } from "../codec/registry-records.ts";
import type { Member, Release } from "../domain/cluster/cluster-snapshot.ts";
import type { RebootState } from "../domain/locks/reboot.ts";
import type { LossVerdict } from "../domain/loss/loss-verdict.ts";
import type { Unplaced } from "../domain/placement/placement.ts";
import { boundReport } from "../domain/report/bound-report.ts";
import type {
  ClosedMachine,
  Deviation,
  StuckHandOff,
  UnlistedMachine,
  WaitingFor,
} from "../domain/report/engine-report.ts";
import { lossReport } from "../domain/report/loss-report.ts";
import type { RolloutReport } from "../domain/report/rollout-report.ts";
import type { SyncReport } from "../domain/report/sync-report.ts";
import { waitKey } from "../domain/report/waits-of.ts";
import type { Clock } from "../ports/clock.ts";
import { type Log, warning } from "../ports/log.ts";
import type { LeaseId, Registry } from "../ports/registry.ts";
import { isLedBy, type Leadership } from "../usecases/campaign.ts";
import { AbsenceWatch } from "./absence-watch.ts";
import { SinceWatch } from "./since-watch.ts";

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
  /** The rest is absent where it says why it places nothing. */
  readonly stuckHandOffs?: readonly StuckHandOff[];
  readonly waits?: readonly WaitingFor[];
  readonly closed?: readonly ClosedMachine[];
  readonly deviations?: readonly Omit<Deviation, "since">[];
  readonly losses?: LossVerdict;
  readonly rollout?: RolloutReport | null;
  readonly reboots?: readonly RebootState[];
  readonly unlisted?: readonly UnlistedMachine[];
  readonly sync?: SyncReport;
}

/** Between two reports of one problem at least this long: while a wave comes up, it waits for something else at each status. */
const REPORT_INTERVAL_MS = 1_000;
/** Agents take a release within less, as a rule. What waits for one of them is told only beyond it: a report for each release tells nobody anything. */
const PREPARING_MS = 2_000;

/** The engine's word to people, on change only, under its lease: it goes with the engine. One for each term. */
export class EngineReporter {
  readonly #machine: string;
  readonly #leadership: Leadership;
  readonly #keys: RegistryKeys;
  readonly #ports: EngineReporterPorts;
  readonly #since: string;
  readonly #absences: AbsenceWatch;
  readonly #unplaced: SinceWatch<Unplaced>;
  readonly #waits: SinceWatch<WaitingFor>;
  readonly #deviations: SinceWatch<Omit<Deviation, "since">>;
  /** Of the wall clock ahead of the monotonic one, taken once: a report must not change with each correction of the clock. */
  readonly #wallOffsetMs: number;
  #last: ReportRecord | null = null;
  #report = "";
  #problem: string | null = null;
  #toldAtMs = Number.NEGATIVE_INFINITY;
  /** Since when, by the monotonic clock, something waits for a machine to take the release. */
  #preparing: ReadonlyMap<string, number> = new Map();

  constructor(machine: string, leadership: Leadership, keys: RegistryKeys, ports: EngineReporterPorts) {
    this.#machine = machine;
    this.#leadership = leadership;
    this.#keys = keys;
    this.#ports = ports;
    this.#absences = new AbsenceWatch(ports.clock);
    this.#since = new Date(ports.clock.wallMs()).toISOString();
    this.#unplaced = new SinceWatch(ports.clock, ({ group }) => group);
    this.#waits = new SinceWatch(ports.clock, waitKey);
    this.#deviations = new SinceWatch(ports.clock, ({ unit, planned, actual }) => `${unit} ${planned} ${actual}`);
    this.#wallOffsetMs = ports.clock.wallMs() - ports.clock.monotonicMs();
  }

  /** What it had to say at the last pass, written or about to be. */
  get last(): ReportRecord | null {
    return this.#last;
  }

  /** Whether all of it is said; if not, it wants to be told again. */
  async tell(told: Told, lease: LeaseId): Promise<boolean> {
    const nowMs = this.#ports.clock.monotonicMs();
    const waits = this.#worthTelling(told.waits ?? [], nowMs);
    const isAll = waits.length === (told.waits ?? []).length;
    this.#last = boundReport(this.#reportOf({ ...told, waits }));
    const text = encodeRecord(this.#last);
    if (this.#report === text) return isAll;
    const { problem } = told;
    if (problem === this.#problem && nowMs - this.#toldAtMs < REPORT_INTERVAL_MS) return false;
    if (problem !== null) this.#ports.log(warning(problem));
    await this.#ports.registry.txn({
      when: [isLedBy(this.#keys, this.#leadership)],
      then: [{ kind: "put", key: this.#keys.report, value: text, lease }],
    });
    this.#report = text;
    this.#problem = problem;
    this.#toldAtMs = nowMs;
    return isAll;
  }

  #worthTelling(waits: readonly WaitingFor[], nowMs: number): readonly WaitingFor[] {
    const keys = waits.filter(({ code }) => code === "prepare").map(waitKey);
    this.#preparing = new Map(keys.map((key) => [key, this.#preparing.get(key) ?? nowMs]));
    return waits.filter(
      (wait) => nowMs - (this.#preparing.get(waitKey(wait)) ?? 0) >= PREPARING_MS || wait.code !== "prepare",
    );
  }

  #reportOf({
    release,
    problem,
    unplaced,
    members,
    stuckHandOffs = [],
    closed = [],
    reboots = [],
    unlisted = [],
    sync = {},
    losses,
    ...told
  }: Told): ReportRecord {
    const absent = this.#absences.current(members);
    const waits = this.#waits.current(told.waits ?? []);
    const deviations = this.#deviations.current(told.deviations ?? [], ({ because }, now) => ({ ...now, because }));
    const loss = losses === undefined ? null : lossReport(losses, this.#timeOf);
    return {
      leader: this.#machine,
      since: this.#since,
      releaseSeq: release.seq,
      problem,
      unplaced: this.#unplaced.current(unplaced),
      ...(absent.length === 0 ? {} : { absent }),
      ...(waits.length === 0 ? {} : { waits }),
      ...(stuckHandOffs.length === 0 ? {} : { stuckHandOffs }),
      ...(closed.length === 0 ? {} : { closed }),
      ...(deviations.length === 0 ? {} : { deviations }),
      ...(loss === null ? {} : { loss }),
      ...(told.rollout == null ? {} : { rollout: told.rollout }),
      ...(reboots.length === 0 ? {} : { reboots }),
      ...(unlisted.length === 0 ? {} : { unlisted }),
      ...(Object.keys(sync).length === 0 ? {} : { sync }),
    };
  }

  readonly #timeOf = (ms: number): string =>
    new Date(Math.round((this.#wallOffsetMs + ms) / 1_000) * 1_000).toISOString();
}
