import { decodeNotified, encodeNotified } from "../codec/notified-record.ts";
import { decodeRecord } from "../codec/record.ts";
import type { RegistryKeys } from "../codec/registry-keys.ts";
import { MEMBER_SHAPE, type MemberRecord, STATUS_SHAPE, type StatusRecord } from "../codec/registry-records.ts";
import type { Release } from "../domain/cluster/cluster-snapshot.ts";
import type { MachineId, UnitName } from "../domain/names.ts";
import { decideNews, memoryFrom, type NewsMemory, toldKeys } from "../domain/notify/decide-news.ts";
import type { NotifyTarget } from "../domain/notify/notify-policy.ts";
import { type FailedUnit, type Thing, thingsOf } from "../domain/notify/thing.ts";
import type { EngineReport } from "../domain/report/engine-report.ts";
import type { ClusterSpec } from "../domain/spec/cluster-spec.ts";
import type { Clock } from "../ports/clock.ts";
import { type Log, refusal } from "../ports/log.ts";
import type { Message, Notifier } from "../ports/notifier.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { Entry, Registry } from "../ports/registry.ts";
import { isLedBy, type Leadership } from "../usecases/campaign.ts";
import { moreMessage, newsMessage } from "../usecases/news-message.ts";

/** How often it looks, in memory only. Nothing it tells of is younger than some seconds by the time somebody reads it. */
const TICK_MS = 5_000;
/** Waits before the second and the third attempt, in milliseconds: a chat server that restarts is back by then. */
const RETRIES_MS = [5_000, 30_000] as const;
/** Of units that failed at once; beyond it they would only be counted. */
const FAILED_MAX = 200;

/** What a leader sees. */
export interface NewsView {
  readonly inForce: { readonly release: Release; readonly spec: ClusterSpec } | null;
  readonly report: EngineReport | null;
  readonly statuses: { readonly complete: boolean; readonly changes: number; entries(): Iterable<Entry> };
}

export interface NewsKeeperOptions {
  readonly cluster: string;
  readonly keys: RegistryKeys;
  readonly leadership: Leadership;
  readonly look: () => NewsView;
}

export interface NewsPorts {
  readonly registry: Registry;
  readonly clock: Clock;
  readonly notifier: Notifier;
  readonly log: Log;
}

/**
 * Tells whom the manifest names of what goes wrong, for as long as its engine leads. That something is told is written down before it is
 * sent, under the fence of the leader: at most once, whoever dies in between.
 */
export class NewsKeeper {
  readonly #options: NewsKeeperOptions;
  readonly #ports: NewsPorts;
  #memory: NewsMemory | null = null;
  #written = "";
  #failed: { readonly changes: number; readonly spec: ClusterSpec; readonly units: readonly FailedUnit[] } | null =
    null;
  readonly #names = new Map<MachineId, string>();
  /** One after the other: news keeps its order, and nobody is flooded. */
  #sending: Promise<void> = Promise.resolve();

  constructor(options: NewsKeeperOptions, ports: NewsPorts) {
    this.#options = options;
    this.#ports = ports;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#ports;
    while (!signal.aborted) {
      await clock.sleep(TICK_MS, signal);
      if (signal.aborted) break;
      try {
        await this.#step(signal);
      } catch (error) {
        if (!(error instanceof OperationError)) throw error;
        log(refusal(error));
      }
    }
    await this.#sending;
  }

  async #step(signal: AbortSignal): Promise<void> {
    const { inForce, report, statuses } = this.#options.look();
    const rules = inForce?.spec.notify;
    if (inForce === null || rules === undefined || !statuses.complete) return;
    const nowMs = this.#ports.clock.monotonicMs();
    this.#memory ??= memoryFrom(await this.#recall(), nowMs);
    const failed = await this.#failedUnits(inForce.spec, statuses);
    const news = decideNews(thingsOf(inForce.release.commit, report, failed), this.#memory, nowMs);
    if (!(await this.#writeDown(toldKeys(news.memory)))) return;
    this.#memory = news.memory;
    const tell = (message: Message, thing: Thing | null) => {
      for (const { on, to } of rules) {
        if (thing !== null && !on.includes(thing.event)) continue;
        this.#sending = this.#sending.then(() => this.#send(to, message, signal));
      }
    };
    const { cluster } = this.#options;
    for (const thing of news.things) tell(newsMessage(cluster, thing), thing);
    if (news.more > 0) tell(moreMessage(cluster, news.more), null);
  }

  async #recall(): Promise<readonly string[]> {
    const { notified } = this.#options.keys;
    const entry = (await this.#ports.registry.list(notified, { exact: true })).entries[0];
    this.#written = entry?.value ?? "";
    return entry === undefined ? [] : decodeNotified(entry.value);
  }

  /** False where somebody else leads by now: it is theirs to tell. */
  async #writeDown(told: readonly string[]): Promise<boolean> {
    const { keys, leadership } = this.#options;
    const value = encodeNotified(told);
    if (value === this.#written || (told.length === 0 && this.#written === "")) return true;
    const { succeeded } = await this.#ports.registry.txn({
      when: [isLedBy(keys, leadership)],
      then: [{ kind: "put", key: keys.notified, value }],
    });
    if (succeeded) this.#written = value;
    return succeeded;
  }

  /** Units that are to run and failed. Most statuses are of units that run, and are not decoded for this. */
  async #failedUnits(spec: ClusterSpec, statuses: NewsView["statuses"]): Promise<readonly FailedUnit[]> {
    const { changes } = statuses;
    if (this.#failed?.changes === changes && this.#failed.spec === spec) return this.#failed.units;
    const wanted = new Set<string>(spec.units.filter(({ goal }) => goal === "launched").map(({ name }) => name));
    const prefix = `${this.#options.keys.root}status/`.length;
    const units: FailedUnit[] = [];
    for (const { key, value } of statuses.entries()) {
      if (units.length >= FAILED_MAX) break;
      if (!value.includes('"failed"')) continue;
      const decoded = decodeRecord<StatusRecord>(value, STATUS_SHAPE);
      const [machine, unit] = key.slice(prefix).split("/", 2) as [MachineId, UnitName];
      if (decoded.kind !== "record" || decoded.record.active !== "failed" || !wanted.has(unit)) continue;
      units.push({ unit, machine: await this.#nameOf(machine), detail: decoded.record.result });
    }
    this.#failed = { changes, spec, units };
    return units;
  }

  async #nameOf(machine: MachineId): Promise<string> {
    const known = this.#names.get(machine);
    if (known !== undefined) return known;
    const { entries } = await this.#ports.registry.list(this.#options.keys.member(machine), { exact: true });
    const decoded = decodeRecord<MemberRecord>(entries[0]?.value ?? "", MEMBER_SHAPE);
    const name = decoded.kind === "record" ? decoded.record.name : machine.slice(0, 8);
    this.#names.set(machine, name);
    return name;
  }

  async #send(to: NotifyTarget, message: Message, signal: AbortSignal): Promise<void> {
    const { clock, log, notifier } = this.#ports;
    for (const waitMs of [...RETRIES_MS, null]) {
      if (signal.aborted) return;
      try {
        return await notifier.send(to, message);
      } catch (error) {
        if (!(error instanceof OperationError)) throw error;
        if (waitMs === null || error.code === "notify-refused") return log(refusal(error));
      }
      await clock.sleep(waitMs, signal);
    }
  }
}
