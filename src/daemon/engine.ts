import { type RegistryKeys, registryKeys } from "../codec/registry-keys.ts";
import type { Sha256 } from "../domain/names.ts";
import type { LossPolicy } from "../domain/spec/cluster-spec.ts";
import type { Clock, RandomId } from "../ports/clock.ts";
import type { GitSource } from "../ports/git-source.ts";
import { type Log, notice, refusal } from "../ports/log.ts";
import type { Meter } from "../ports/meter.ts";
import type { Notifier } from "../ports/notifier.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { LeaseId, Registry } from "../ports/registry.ts";
import type { StatusPoster } from "../ports/status-poster.ts";
import type { Supervisor } from "../ports/supervisor.ts";
import { campaign, isLedBy } from "../usecases/campaign.ts";
import type { CommitCompiler } from "../usecases/commit-compiler.ts";
import type { RegistryMemory } from "../usecases/registry-memory.ts";
import type { Rewinds } from "../usecases/rewind-keeper.ts";
import type { TrustJudge } from "../usecases/trust-judge.ts";
import { ConvergedPoster } from "./converged-poster.ts";
import type { Doorstep } from "./doorstep.ts";
import { type EngineCondition, engineCondition } from "./engine-condition.ts";
import { EngineReporter } from "./engine-reporter.ts";
import { EngineTerm } from "./engine-term.ts";
import { LeaseKeeper } from "./lease-keeper.ts";
import { MandateKeeper } from "./mandate-keeper.ts";
import { NewsKeeper } from "./news-keeper.ts";
import { RegistryGuard } from "./registry-guard.ts";
import { RegistryMirror } from "./registry-mirror.ts";
import { SyncKeeper } from "./sync-keeper.ts";
import { Wakeup } from "./wakeup.ts";

/** How often the leader looks although nothing woke it: silence of a machine is not an event. */
const TICK_MS = 500;
/** Between passes at least this long: statuses of a starting cluster arrive in storms, and none of them changes a placement. */
const PASS_INTERVAL_MS = 50;

export interface EnginePorts {
  readonly registry: Registry;
  readonly source: GitSource;
  readonly trust: Pick<TrustJudge, "judge" | "trustOf" | "rulesBetween">;
  readonly compile: CommitCompiler;
  /** As `compile`, with what `fleet apply` also refuses a commit for; absent: the same. Asked where this engine follows the branch. */
  readonly vet?: CommitCompiler;
  readonly clock: Clock;
  readonly newId: RandomId;
  readonly sha256: Sha256;
  readonly memory: RegistryMemory;
  /** Absent: this engine never goes back. */
  readonly rewinds?: Rewinds;
  readonly supervisor: Supervisor<EngineCondition>;
  /** Absent: this engine tells nobody outside of the cluster anything. */
  readonly notifier?: Notifier;
  /** Absent: this engine posts no commit statuses. */
  readonly poster?: StatusPoster;
  /** Absent: nobody measures. */
  readonly meter?: Meter;
  /** Absent: this engine serves no machines. */
  readonly doorstep?: Doorstep;
  readonly log: Log;
}

export interface EngineOptions {
  /** For people: which machine leads. */
  readonly machine: string;
  /** The leader lease; also how long a failed leader is missed. */
  readonly leaderTtlMs: number;
  /** Overrides the manifest's, where a daemon is configured so (the lab). */
  readonly loss: Partial<LossPolicy>;
}

/**
 * Decides where units run. Modes: following (another engine leads, or none can be reached), leading (holds the leader key; every
 * write compares it). It decides from a whole picture on its own tick, writes only differences, and an idle one writes nothing.
 */
export class Engine {
  readonly #cluster: string;
  readonly #options: EngineOptions;
  readonly #ports: EnginePorts;
  readonly #keys: RegistryKeys;
  readonly #wakeup: Wakeup;
  readonly #lease: LeaseKeeper;
  readonly #leaderMirror: RegistryMirror;
  readonly #mandates: MandateKeeper;
  readonly #guard: RegistryGuard;
  #term: EngineTerm | null = null;
  /** Of that term's news. */
  #telling: AbortController | null = null;
  /** The lease its leader key hangs on. */
  #leadsBy: LeaseId | null = null;
  /** Of this term: the mirror has shown its leader key, or has until then to do so. */
  #wasShown = false;
  #showByMs = 0;

  constructor(clusterName: string, options: EngineOptions, ports: EnginePorts) {
    this.#cluster = clusterName;
    this.#options = options;
    this.#ports = ports;
    this.#keys = registryKeys(clusterName);
    this.#wakeup = new Wakeup(ports.clock);
    this.#lease = new LeaseKeeper(ports.registry, ports.clock, options.leaderTtlMs, this.#wakeup.wake);
    this.#leaderMirror = new RegistryMirror(ports.registry, [this.#keys.leader], ports.clock, this.#wakeup.wake);
    this.#mandates = new MandateKeeper(this.#keys, ports);
    this.#guard = new RegistryGuard(options.machine, this.#keys, ports);
  }

  /** Whether it believes to lead; what it may write is decided by the fence of each transaction, not by this. */
  get leads(): boolean {
    return this.#term !== null;
  }

  async run(signal: AbortSignal): Promise<void> {
    const stopping = new AbortController();
    const both = AbortSignal.any([signal, stopping.signal]);
    const background = [this.#leaderMirror.run(both), this.#lease.run(both)];
    try {
      while (!signal.aborted) {
        await this.#wakeup.wait(this.#restMs(), signal);
        if (signal.aborted) break;
        await this.#step(both);
        this.#ports.supervisor.turned(engineCondition(this.#leaderMirror, this.#term, this.#mandates.current));
        await this.#ports.clock.sleep(PASS_INTERVAL_MS, signal);
      }
    } finally {
      this.#stepDown("stopping");
      stopping.abort(null);
      await Promise.all(background);
    }
  }

  /** Until the next look, where nothing happens: at once when a silence has lasted for long enough. */
  #restMs(): number {
    const wakeAtMs = this.#term?.wakeAtMs ?? Number.POSITIVE_INFINITY;
    return Math.max(0, Math.min(TICK_MS, wakeAtMs - this.#ports.clock.monotonicMs()));
  }

  async #step(signal: AbortSignal): Promise<void> {
    try {
      const { lease } = this.#lease;
      if (this.#term !== null && !this.#stillLeads(this.#term)) this.#stepDown("the lease or the leader key is gone");
      if (this.#term === null && lease !== null) await this.#campaign(lease, signal);
      if (this.#term !== null && lease !== null) await this.#measured(this.#lead(this.#term, lease));
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      this.#ports.meter?.count("fleet_engine_pass_failures_total", { code: error.code });
      this.#ports.log(refusal(error));
    }
  }

  async #measured(pass: Promise<void>): Promise<void> {
    const { clock, meter } = this.#ports;
    const startedMs = clock.monotonicMs();
    await pass.finally(() => meter?.observe("fleet_engine_pass_seconds", (clock.monotonicMs() - startedMs) / 1_000));
  }

  /**
   * A mirror that has not shown our key yet may lag behind it; by revisions nobody could tell, for in a registry that was put back they begin
   * anew. Meanwhile the fence of every write says whether we lead.
   */
  #stillLeads({ leadership }: EngineTerm): boolean {
    if (this.#lease.lease === null || this.#lease.lease !== this.#leadsBy) return false;
    const isShown = this.#leaderMirror.get(this.#keys.leader)?.value === leadership.record;
    this.#wasShown ||= isShown;
    return isShown || (!this.#wasShown && this.#ports.clock.monotonicMs() < this.#showByMs);
  }

  async #campaign(lease: LeaseId, signal: AbortSignal): Promise<void> {
    const { registry, newId } = this.#ports;
    const { machine, loss } = this.#options;
    const shown = this.#leaderMirror.get(this.#keys.leader);
    if (!this.#leaderMirror.complete) return;
    if (shown !== null && shown.lease !== lease) return void (await this.#guard.note());
    if (!(await this.#mandates.isFit()) || !(await this.#guard.mayLead(lease))) return;
    const leadership = await campaign(registry, this.#keys, machine, lease, newId, this.#guard.term);
    if (leadership === null) return;
    const reporter = new EngineReporter(machine, leadership, this.#keys, this.#ports);
    const { wake } = this.#wakeup;
    const [keys, mandates, guard] = [this.#keys, this.#mandates, this.#guard];
    const { compile, vet = compile } = this.#ports;
    const sync = new SyncKeeper({ machine, leadership, keys, wake }, { ...this.#ports, compile: vet });
    const term = { leadership, keys, loss, mandates, guard, reporter, sync, wake };
    this.#leadsBy = lease;
    this.#wasShown = false;
    this.#showByMs = this.#ports.clock.monotonicMs() + this.#options.leaderTtlMs;
    this.#term = new EngineTerm(term, this.#ports, signal);
    this.#tellNews(this.#term, reporter, signal);
    this.#ports.log(notice(`leads, term ${leadership.term}`));
  }

  /** Beside its passes: whom it tells may take long to answer. */
  #tellNews({ leadership, statuses }: EngineTerm, reporter: EngineReporter, signal: AbortSignal): void {
    const { notifier, poster } = this.#ports;
    const look = () => ({ inForce: this.#mandates.inForce, report: reporter.last, statuses });
    const options = { cluster: this.#cluster, keys: this.#keys, leadership, look };
    this.#telling = new AbortController();
    const both = AbortSignal.any([signal, this.#telling.signal]);
    if (notifier !== undefined) void new NewsKeeper(options, { ...this.#ports, notifier }).run(both);
    if (poster !== undefined) void new ConvergedPoster(options, { ...this.#ports, poster }).run(both);
  }

  async #lead(term: EngineTerm, lease: LeaseId): Promise<void> {
    const because = (await this.#guard.note()) ?? (await term.lead(lease));
    if (because !== null) await this.#resign(term, because);
  }

  async #resign({ leadership }: EngineTerm, because: string): Promise<void> {
    await this.#ports.registry.txn({
      when: [isLedBy(this.#keys, leadership)],
      then: [{ kind: "delete", key: this.#keys.leader }],
    });
    this.#stepDown(because);
  }

  #stepDown(because: string): void {
    if (this.#term === null) return;
    this.#ports.log(notice(`leads no more, term ${this.#term.leadership.term}: ${because}`));
    this.#term.end();
    this.#telling?.abort(null);
    this.#term = null;
    this.#mandates.forget();
  }
}
