import type { RegistryKeys } from "../codec/registry-keys.ts";
import { decodeSyncAsk, encodeSyncAnswer, type SyncAnswer } from "../codec/sync-record.ts";
import type { ClusterIdentity, ClusterSnapshot, Release } from "../domain/cluster/cluster-snapshot.ts";
import type { SyncReport } from "../domain/report/sync-report.ts";
import type { ClusterSpec } from "../domain/spec/cluster-spec.ts";
import type { DriverPolicy } from "../domain/sync/driver-policy.ts";
import { type Log, notice, refusal, warning } from "../ports/log.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { Entry } from "../ports/registry.ts";
import { BRANCH_OLD, type OldBranch, oldBranch } from "../usecases/age-of-branch.ts";
import { isLedBy, type Leadership } from "../usecases/campaign.ts";
import { LapseWatch } from "../usecases/lapse-watch.ts";
import { type SyncMemory, type SyncOutcome, type SyncPorts, syncBranch } from "../usecases/sync-branch.ts";
import { Wakeup } from "./wakeup.ts";

/** First wait after a failure; it doubles up to the interval. A forge that restarts is back within it. */
const RETRY_FIRST_MS = 1_000;
/** A fault of the network that is over by then is nobody's news. */
const TROUBLE_TOLD_MS = 10_000;
/** A branch that nobody could read for so many intervals, and at least so long, is a frozen one. */
const FROZEN_INTERVALS = 10;
const FROZEN_MS = 900_000;
/** After somebody else's write moved what was planned on, or while they hold the lock. */
const AGAIN_MS = 2_000;
/** Engines of many clusters must not ask one forge in step. */
const JITTER = 0.1;

/** Nothing to do is looked at again now and then: a timer has no endless one. */
const IDLE_MS = 3_600_000;

export interface SyncKeeperOptions {
  readonly machine: string;
  readonly leadership: Leadership;
  readonly keys: RegistryKeys;
  /** There is something to be told. */
  readonly wake: () => void;
}

/** What it follows from: the release in force, as the engine has verified and compiled it. */
interface Task {
  readonly release: Release;
  readonly identity: ClusterIdentity;
  readonly policy: DriverPolicy;
}

/**
 * Follows the branch for as long as its engine leads. It looks beside the engine's passes, for a source may take minutes to answer; and it
 * writes only what an apply writes, so that dying in the middle of it, or being deposed, leaves what an apply leaves: the next leader plans
 * anew, and of two that release the same commit one meets it there. What it keeps spares it work: all it must know is in git and in the release.
 */
export class SyncKeeper {
  readonly #options: SyncKeeperOptions;
  readonly #ports: SyncPorts & { readonly log: Log };
  readonly #wakeup: Wakeup;
  readonly #watch: LapseWatch;
  readonly #memory: SyncMemory = { made: null };
  #task: Task | null = null;
  #asked: Entry | null = null;
  /** The revision of the last ask that was answered. */
  #answeredRevision = 0;
  #dueAtMs = 0;
  #failures = 0;
  #failingSinceMs: number | null = null;
  #report: SyncReport = {};
  #changes = 0;

  constructor(options: SyncKeeperOptions, ports: SyncPorts & { readonly log: Log }) {
    this.#options = options;
    this.#ports = ports;
    this.#wakeup = new Wakeup(ports.clock);
    this.#watch = new LapseWatch(ports.clock);
  }

  /** Rises whenever there is something else to be told. */
  get changes(): number {
    return this.#changes;
  }

  get report(): SyncReport {
    return this.#task === null ? {} : this.#report;
  }

  /** Told at each pass: what is in force (null: it cannot be read here, so nothing is judged by it), and who wants the branch looked at. */
  follow(
    inForce: { readonly release: Release; readonly spec: ClusterSpec } | null,
    { identity }: ClusterSnapshot,
    asked: Entry | null,
  ): void {
    const policy = inForce?.spec.driver;
    const task =
      inForce === null || identity === null || policy === undefined
        ? null
        : { release: inForce.release, identity, policy };
    const isOther = task?.release.seq !== this.#task?.release.seq || task?.policy !== this.#task?.policy;
    const isAsked = asked !== null && asked.modRevision !== this.#answeredRevision;
    this.#task = task;
    this.#asked = asked;
    if (isOther && this.#report.held !== undefined) this.#tell({ ...this.#report, held: undefined });
    if (isOther || isAsked) this.#wakeup.wake();
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#ports;
    while (!signal.aborted) {
      const task = this.#task;
      const ask = this.#asked?.modRevision === this.#answeredRevision ? null : this.#asked;
      const restMs = this.#dueAtMs - clock.monotonicMs();
      if (task === null || (restMs > 0 && ask === null)) {
        await this.#wakeup.wait(task === null ? IDLE_MS : Math.min(IDLE_MS, restMs), signal);
        continue;
      }
      try {
        const outcome = await this.#look(task);
        this.#settle(task, outcome, await oldBranch(outcome.tip, task.policy, this.#ports));
        await this.#answer(ask, answerOf(outcome));
      } catch (error) {
        if (!(error instanceof OperationError)) throw error;
        this.#fail(task, error);
        await this.#answer(ask, { kind: "trouble", commit: null, detail: `${error.code}: ${error.message}` }).catch(
          (unanswered: unknown) => {
            if (!(unanswered instanceof OperationError)) throw unanswered;
            log(refusal(unanswered));
          },
        );
      }
    }
  }

  #look({ release, identity, policy }: Task): Promise<SyncOutcome> {
    const { keys, machine, leadership } = this.#options;
    const when = [isLedBy(keys, leadership)];
    const by = `engine-${machine}`;
    return syncBranch(
      { keys, policy, release, identity, by, when, watch: this.#watch, memory: this.#memory },
      this.#ports,
    );
  }

  #settle({ policy }: Task, outcome: SyncOutcome, old: OldBranch | null): void {
    const nowMs = this.#ports.clock.monotonicMs();
    this.#failures = 0;
    this.#failingSinceMs = null;
    const isShort = outcome.kind === "moved" || (outcome.kind === "held" && outcome.reason.code === "locked");
    this.#dueAtMs = nowMs + this.#jittered(isShort ? Math.min(AGAIN_MS, policy.intervalMs) : policy.intervalMs);
    if (outcome.kind === "moved") return;
    const known = this.#report;
    const trouble = old === null ? undefined : { code: BRANCH_OLD, ...old, isFrozen: true as const };
    if (trouble !== undefined && known.trouble?.since !== trouble.since)
      this.#ports.log(warning(`the branch does not move: ${trouble.detail}`));
    if (outcome.kind !== "held") {
      this.#tell({ trouble });
      return;
    }
    const { tip: commit, reason } = outcome;
    const before = known.held;
    const isKnown = before?.commit === commit && JSON.stringify(before.reason) === JSON.stringify(reason);
    const held = isKnown ? before : { commit, reason, since: this.#now() };
    if (!isKnown) this.#ports.log(notice(`holds commit ${commit}: ${JSON.stringify(reason)}`));
    this.#tell({ held, trouble });
  }

  /** What was held is held still; the release in force stays whatever is wrong with the source. */
  #fail({ policy }: Task, error: OperationError): void {
    const nowMs = this.#ports.clock.monotonicMs();
    this.#failingSinceMs ??= nowMs;
    const retryMs = Math.min(policy.intervalMs, RETRY_FIRST_MS * 2 ** Math.min(this.#failures, 20));
    this.#failures++;
    this.#dueAtMs = nowMs + this.#jittered(retryMs);
    const forMs = nowMs - this.#failingSinceMs;
    if (forMs < Math.min(TROUBLE_TOLD_MS, policy.intervalMs)) return;
    const { trouble, ...rest } = this.#report;
    const isFrozen = forMs >= Math.max(FROZEN_MS, FROZEN_INTERVALS * policy.intervalMs);
    const since = trouble?.since ?? this.#ago(forMs);
    const said = {
      code: error.code,
      detail: error.message.slice(0, 400),
      since,
      ...(isFrozen ? { isFrozen: true as const } : {}),
    };
    if (isFrozen && trouble?.isFrozen === undefined)
      this.#ports.log(warning(`nobody could read the branch since ${since}: ${error.message}`));
    this.#tell({ ...rest, trouble: said });
  }

  /** Whoever asked waits for it. An engine that leads no more answers nobody. */
  async #answer(ask: Entry | null, answer: Omit<SyncAnswer, "ask">): Promise<void> {
    if (ask === null) return;
    const { keys, leadership } = this.#options;
    const decoded = decodeSyncAsk(ask.value);
    this.#answeredRevision = ask.modRevision;
    const id = decoded.kind === "record" ? decoded.record.id : "";
    await this.#ports.registry.txn({
      when: [isLedBy(keys, leadership), { key: keys.syncNow, target: "mod", is: "=", value: ask.modRevision }],
      then: [
        { kind: "delete", key: keys.syncNow },
        { kind: "put", key: keys.syncAnswer, value: encodeSyncAnswer({ ...answer, ask: id }) },
      ],
    });
  }

  #tell(report: { [Key in keyof SyncReport]: SyncReport[Key] | undefined }): void {
    const { held, trouble } = report;
    const next = { ...(held === undefined ? {} : { held }), ...(trouble === undefined ? {} : { trouble }) };
    if (JSON.stringify(next) === JSON.stringify(this.#report)) return;
    this.#report = next;
    this.#changes++;
    this.#options.wake();
  }

  /** From the one source of randomness daemons have, so that a simulation has the same waits. */
  #jittered(ms: number): number {
    const { sha256, newId } = this.#ports;
    const fraction = Number.parseInt(sha256(newId()).slice(0, 8), 16) / 0xffff_ffff;
    return ms * (1 - JITTER + 2 * JITTER * fraction);
  }

  #now(): string {
    return this.#ago(0);
  }

  #ago(ms: number): string {
    return new Date(this.#ports.clock.wallMs() - ms).toISOString();
  }
}

function answerOf(outcome: SyncOutcome): Omit<SyncAnswer, "ask"> {
  const { kind, tip: commit } = outcome;
  if (kind === "held") return { kind, commit, reason: outcome.reason };
  return kind === "released" ? { kind, commit, seq: outcome.release.seq } : { kind, commit };
}
