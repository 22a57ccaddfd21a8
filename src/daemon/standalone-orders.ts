import type { AcceptedRelease } from "../codec/agent-state.ts";
import { type RegistryKeys, registryKeys } from "../codec/registry-keys.ts";
import type { StandaloneMark } from "../codec/standalone-mark.ts";
import type { ClusterIdentity, PlacedUnit, Release, StatusProblem } from "../domain/cluster/cluster-snapshot.ts";
import { emptySnapshot } from "../domain/cluster/empty-snapshot.ts";
import type { AcceptedSet } from "../domain/cluster/judge-set.ts";
import type { Machine } from "../domain/cluster/machine.ts";
import { machinesOf } from "../domain/cluster/machines-of.ts";
import type { CommitId, Sha256, UnitName } from "../domain/names.ts";
import type { ClusterSpec } from "../domain/spec/cluster-spec.ts";
import { allowsMassStop, MASS_STOP_TRAILER, type MassStop, massStop } from "../domain/standalone/mass-stop.ts";
import { nextStandaloneSet, type StandaloneChange } from "../domain/standalone/next-standalone-set.ts";
import { type StandaloneSet, standaloneSet } from "../domain/standalone/standalone-set.ts";
import type { StandaloneState } from "../domain/standalone/standalone-state.ts";
import type { DriverPolicy } from "../domain/sync/driver-policy.ts";
import type { Clock, RandomId } from "../ports/clock.ts";
import type { GitSource } from "../ports/git-source.ts";
import { type Log, notice, warning } from "../ports/log.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { Registry } from "../ports/registry.ts";
import { acceptRelease } from "../usecases/accept-release.ts";
import { BRANCH_OLD, oldBranch } from "../usecases/age-of-branch.ts";
import type { AgentFiles } from "../usecases/agent-files.ts";
import type { CommitCompiler } from "../usecases/commit-compiler.ts";
import type { MarkKeeper } from "../usecases/mark-keeper.ts";
import { readSnapshot } from "../usecases/read-snapshot.ts";
import type { Rewinds } from "../usecases/rewind-keeper.ts";
import type { TrustJudge } from "../usecases/trust-judge.ts";
import { writeOrders } from "../usecases/write-orders.ts";
import type { AgentIdentity } from "./member-announcer.ts";

/** Standalone machines have one epoch: nobody replaces their registry, which they carry themselves. */
const EPOCH = 1;
/** Units a problem names; the others are counted. */
const NAMED_MAX = 5;
/** Between two looks at how a wave does: as long as a person would not mind, and nothing to a machine. */
const STEP_MS = 1_000;

export interface StandalonePorts {
  /** Its own, in the same process; its agent reads it, and nobody else. */
  readonly registry: Registry;
  readonly source: GitSource;
  readonly trust: Pick<TrustJudge, "judge">;
  readonly compile: CommitCompiler;
  readonly files: Pick<AgentFiles, "readState" | "readOwned">;
  readonly mark: MarkKeeper;
  /** Absent: it never goes back. */
  readonly rewinds?: Rewinds;
  readonly clock: Clock;
  readonly newId: RandomId;
  readonly sha256: Sha256;
  readonly log: Log;
}

/** What a standalone machine follows. */
export interface Followed {
  readonly cluster: string;
  /** Without credentials. */
  readonly source: string;
  readonly branch: string;
  readonly manifest: string;
  readonly pollMs: number;
}

/**
 * Gives an agent its orders from git alone: looks at the branch, takes what may be taken as an agent takes a release, and writes it into a
 * registry of the agent's own, where it finds it like any other. Whatever is in the way of a commit (no network, an empty branch, a manifest
 * that is invalid, history rewritten, nobody's signature), what was taken before stays in force.
 */
export class StandaloneOrders {
  readonly #self: AgentIdentity;
  readonly #followed: Followed;
  readonly #ports: StandalonePorts;
  readonly #keys: RegistryKeys;
  #release: Release | null = null;
  #set: AcceptedSet | null = null;
  /** How far this machine has come; both copies of it. */
  #accepted: (StandaloneMark & Pick<AcceptedRelease, "specHash">) | null = null;
  #tip: CommitId | null = null;
  /** The tip that was taken by this process. */
  #taken: CommitId | null = null;
  /** Of the commit in force. */
  #policy: Pick<DriverPolicy, "maxAgeMs"> = {};
  #fetchedMs: number | null = null;
  #problem: StatusProblem | null = null;
  /** Of the commit in force, once this process has judged it. */
  #spec: ClusterSpec | null = null;
  /** What of it is still to be changed here; null: nothing. */
  #change: StandaloneChange | null = null;
  #waiting: readonly UnitName[] = [];
  #failed: readonly UnitName[] = [];
  #decided: Pick<StandaloneSet, "refused" | "left"> = { refused: [], left: [] };

  constructor(self: AgentIdentity, followed: Followed, ports: StandalonePorts) {
    this.#self = self;
    this.#followed = followed;
    this.#ports = ports;
    this.#keys = registryKeys(followed.cluster);
  }

  /** Why the branch's tip is not in force, or null. */
  get problem(): StatusProblem | null {
    if (this.#problem !== null || this.#failed.length === 0 || this.#waiting.length === 0) return this.#problem;
    const detail = `${named(this.#failed)} failed as the commit has it: ${named(this.#waiting)} not changed before that is over`;
    return { code: "held", detail, journal: [] };
  }

  /** Before the agent runs: shows it what it had. Rejects with `joined-cluster` on a machine that obeys a cluster's engines. */
  async begin(): Promise<void> {
    const { files, mark } = this.#ports;
    const state = await files.readState();
    const { id } = this.#identity();
    if (state !== null && state.clusterId !== null && state.clusterId !== id) {
      throw new OperationError("joined-cluster", `this machine belongs to cluster ${state.clusterName}`, {
        next: "fleet leave takes it out of there; then start the agent again",
      });
    }
    const noted = await mark.read();
    const accepted = state?.accepted ?? null;
    this.#accepted =
      noted !== null && noted.seq > (accepted?.seq ?? 0) ? { ...noted, specHash: "" as Release["specHash"] } : accepted;
    if (accepted?.records === undefined) return;
    this.#release = accepted.records.release;
    this.#set = state?.set ?? null;
    await this.#write([], this.#set);
    if (noted === null) await this.#note({ seq: accepted.seq, commit: accepted.commit });
  }

  /** A disk that does not take it keeps nothing from being repaired; the next commit needs it. */
  async #note(mark: StandaloneMark): Promise<void> {
    try {
      await this.#ports.mark.write(mark);
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      this.#report(error.code, error.message);
    }
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#ports;
    while (!signal.aborted) {
      await this.look();
      const nextMs = clock.monotonicMs() + this.#followed.pollMs;
      for (let leftMs = this.#followed.pollMs; leftMs > 0 && !signal.aborted; leftMs = nextMs - clock.monotonicMs()) {
        // What failed is a person's, and their commit's.
        const isGoing = this.#change !== null && this.#failed.length === 0;
        await clock.sleep(isGoing ? Math.min(leftMs, STEP_MS) : leftMs, signal);
        if (!signal.aborted) await this.#step();
      }
    }
  }

  /** Looks at the branch once, and takes its tip if it may. */
  async look(): Promise<void> {
    try {
      const tip = await this.#ports.source.fetch();
      this.#tip = tip;
      this.#fetchedMs = this.#ports.clock.monotonicMs();
      if (tip !== this.#taken) await this.#judge(tip);
      if (tip === this.#taken) await this.#judgeAge(tip);
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      this.#report(error.code, error.message);
    }
  }

  async #judgeAge(tip: CommitId): Promise<void> {
    const old = await oldBranch(tip, this.#policy, this.#ports);
    if (old === null) this.#problem = null;
    else this.#report(BRANCH_OLD, old.detail);
  }

  async state(): Promise<StandaloneState> {
    const { pollMs, cluster, source, branch, manifest } = this.#followed;
    const { snapshot } = await readSnapshot(this.#ports.registry, this.#keys);
    const statuses = new Map(snapshot.statuses.map((status) => [status.unit, status]));
    const member = snapshot.members.find(({ id }) => id === this.#self.machine);
    return {
      ...{ cluster, source, branch, manifest, pollMs },
      tip: this.#tip,
      fetchedAgoMs: this.#fetchedMs === null ? null : this.#ports.clock.monotonicMs() - this.#fetchedMs,
      commit: this.#release?.commit ?? null,
      since: this.#release?.at ?? null,
      rewound: member?.rewound ?? null,
      problem: this.problem ?? member?.problem ?? null,
      waiting: this.#waiting,
      units: (this.#set?.placements ?? []).map(({ unit, goal }) => {
        const status = statuses.get(unit);
        if (status === undefined) return { unit, goal, status: null };
        const { active, sub, problem } = status;
        return { unit, goal, status: { active, sub, problem } };
      }),
      ...this.#decided,
    };
  }

  async #judge(tip: CommitId): Promise<void> {
    const offered = await this.#accept(tip);
    if (offered === null) return;
    const { release, spec } = offered;
    const before = await this.#placed();
    const machine = machineIn(spec, this.#self);
    const decided = standaloneSet(spec, machine, before, this.#ports.sha256);
    const placements = decided.placements.map(({ unit, hash, goal }) => ({ unit, hash, goal }));
    const mass = massStop(before, placements);
    if (mass !== null && !(await this.#isAllowed(tip))) {
      const because = decided.refused.find(({ unit }) => mass.stops.includes(unit));
      return this.#report("mass-stop", massStopDetail(tip, mass, because?.because.code ?? null));
    }
    await this.#ports.mark.write({ seq: release.seq, commit: tip });
    this.#release = release;
    // A machine that has nothing, or has forgotten what, is given all of it; nothing of it is taken down.
    if (this.#set === null) await this.#give(placements);
    else await this.#write(this.#set.placements, this.#set);
    const base = new Map(this.#set?.placements.map(({ unit, hash }) => [unit, hash]));
    this.#change = { spec, released: this.#spec, machine, wanted: decided.placements, base, settling: [] };
    this.#spec = spec;
    this.#accepted = release;
    this.#taken = tip;
    this.#policy = spec.driver ?? {};
    this.#problem = null;
    this.#decided = { refused: decided.refused, left: decided.left };
    this.#ports.log(notice(`follows commit ${tip}: ${placements.length} units here`));
    await this.#step();
  }

  /** Gives the agent the next wave of what the commit changes, if its turn has come. */
  async #step(): Promise<void> {
    const change = this.#change;
    if (change === null) return;
    const { registry, clock, sha256 } = this.#ports;
    const { snapshot } = await readSnapshot(registry, this.#keys);
    const next = nextStandaloneSet(change, snapshot, clock.monotonicMs(), sha256);
    if (JSON.stringify(next.placements) !== JSON.stringify(this.#set?.placements)) await this.#give(next.placements);
    const isNews = next.failed.length > 0 && this.#failed.length === 0 && next.held.length > 0;
    this.#waiting = next.held;
    this.#failed = next.failed;
    if (isNews) this.#ports.log(warning(`held: ${this.problem?.detail}`));
    this.#change = next.held.length === 0 ? null : { ...change, settling: next.settling };
  }

  async #give(placements: readonly PlacedUnit[]): Promise<void> {
    const set = { epoch: EPOCH, generation: (this.#set?.generation ?? 0) + 1, placements };
    await this.#write(this.#set?.placements ?? [], set);
    this.#set = set;
  }

  /** As any agent takes a release; null: it is not taken, and why is reported. */
  async #accept(tip: CommitId): Promise<{ readonly release: Release; readonly spec: ClusterSpec } | null> {
    const { compile, clock } = this.#ports;
    const isSame = this.#accepted?.commit === tip;
    const seq = isSame ? this.#accepted!.seq : (this.#accepted?.seq ?? 0) + 1;
    const offer: Release = {
      seq,
      commit: tip,
      specHash: "" as Release["specHash"],
      contentId: tip,
      planId: tip,
      parent: this.#release?.contentId ?? null,
      by: `git:${this.#followed.branch}`,
      at: new Date(clock.wallMs()).toISOString(),
    };
    const whole = async (commit: CommitId) => {
      const { spec, diagnostics } = await compile(commit);
      return { spec: spec === null ? null : { cluster: spec.cluster, whole: spec }, diagnostics };
    };
    const judge = (mark: { readonly commit: CommitId } | null) =>
      acceptRelease(offer, this.#identity(), mark, this.#ports, whole);
    let verdict = await judge(this.#accepted);
    const isBack = verdict.kind === "refuse" && verdict.problem.code === "not-a-descendant";
    // The agent tells of it, and ends the order once it took another.
    if (isBack && ((await this.#ports.rewinds?.to(tip)) ?? null) !== null) verdict = await judge(null);
    if (verdict.kind === "refuse") {
      this.#report(verdict.problem.code, verdict.problem.detail);
      return null;
    }
    const { whole: spec } = verdict.spec;
    const known = isSame && this.#release?.commit === tip ? this.#release : offer;
    return { release: { ...known, specHash: spec.specHash }, spec };
  }

  /** What runs here, as far as anybody knows: where the set is gone, by what the agent has installed and started. */
  async #placed(): Promise<readonly PlacedUnit[]> {
    if (this.#set !== null) return this.#set.placements;
    const owned = await this.#ports.files.readOwned();
    return [...owned].flatMap(([unit, { started }]) =>
      started === null ? [] : [{ unit, hash: started, goal: "launched" as const }],
    );
  }

  async #isAllowed(commit: CommitId): Promise<boolean> {
    const raw = new TextDecoder().decode(await this.#ports.source.readCommit(commit));
    const headEnd = raw.indexOf("\n\n");
    return headEnd >= 0 && allowsMassStop(raw.slice(headEnd + 2));
  }

  #write(before: readonly PlacedUnit[], set: AcceptedSet | null): Promise<void> {
    const book = { ...this.#ports, keys: this.#keys, machine: this.#self.machine };
    return writeOrders({ identity: this.#identity(), release: this.#release!, set }, before, book);
  }

  /** Made of the name alone, so that a machine that forgets everything comes to the same. */
  #identity(): ClusterIdentity {
    const { cluster, source, branch, manifest } = this.#followed;
    return { id: `standalone:${cluster}`, name: cluster, source, branch, manifest, epoch: EPOCH };
  }

  #report(code: string, detail: string): void {
    const isNews = this.#problem?.code !== code;
    if (isNews) this.#ports.log(warning(`${code}: ${detail}`));
    const since = isNews ? new Date(this.#ports.clock.wallMs()).toISOString() : this.#problem!.since!;
    this.#problem = { code, detail, journal: [], since };
  }
}

/** As the commit sees it: git's name and metadata win over its own. */
function machineIn(spec: ClusterSpec, self: AgentIdentity): Machine {
  const { machine: id, ...own } = self;
  const member = { ...own, id, joined: "", acceptedSeq: 0, present: true, presenceRevision: 1 };
  return machinesOf(spec, { ...emptySnapshot, members: [member] }, new Set())[0]!;
}

function massStopDetail(commit: CommitId, { stops, of }: MassStop, because: string | null): string {
  const why = because === null ? "" : ` (${because})`;
  return `commit ${commit.slice(0, 12)} would stop ${stops.length} of ${of} units here${why}: ${named(stops)}; if that is meant, end a commit's message with ${MASS_STOP_TRAILER}`;
}

function named(units: readonly UnitName[]): string {
  const more = units.length > NAMED_MAX ? ` and ${units.length - NAMED_MAX} more` : "";
  return `${units.slice(0, NAMED_MAX).join(", ")}${more}`;
}
