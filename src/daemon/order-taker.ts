import { type AgentState, hashesInForce, keptOf, takenOf } from "../codec/agent-state.ts";
import type { RegistryKeys } from "../codec/registry-keys.ts";
import { type KnownEntries, type SnapshotReading, snapshotFromEntries } from "../codec/snapshot-from-entries.ts";
import type { ClusterSnapshot, KeptSet, StatusProblem } from "../domain/cluster/cluster-snapshot.ts";
import { judgeSet } from "../domain/cluster/judge-set.ts";
import { machinesOf } from "../domain/cluster/machines-of.ts";
import { markOfMember } from "../domain/fencing/highest-marks.ts";
import { isTrouble, judgeFollowing } from "../domain/fencing/judge-following.ts";
import type { Replaced } from "../domain/fencing/judge-replaced.ts";
import type { CommitId, MachineId, Sha256, UnitName } from "../domain/names.ts";
import type { SpecPart } from "../domain/spec/commit-part.ts";
import type { Rewind } from "../domain/trust/rewind.ts";
import type { Clock } from "../ports/clock.ts";
import type { GitSource } from "../ports/git-source.ts";
import { type Log, notice, warning } from "../ports/log.ts";
import { OperationError } from "../ports/operation-error.ts";
import { acceptRelease } from "../usecases/accept-release.ts";
import type { AgentFiles } from "../usecases/agent-files.ts";
import type { PartCompiler } from "../usecases/part-compiler.ts";
import { REGISTRY_REPLACED, replacedDetail } from "../usecases/replaced-detail.ts";
import type { RewindKeeper } from "../usecases/rewind-keeper.ts";
import type { TrustJudge } from "../usecases/trust-judge.ts";
import type { AgentMemory } from "./agent-memory.ts";
import { BaseTaker } from "./base-taker.ts";
import type { ConfirmWatch } from "./confirm-watch.ts";
import type { MachineEnvKeeper } from "./machine-env-keeper.ts";
import type { RegistryMirror } from "./registry-mirror.ts";

/** A release that could not be taken (git away, say) is tried again after this long. */
const RELEASE_RETRY_MS = 2_000;
/** Gone once the registry is again one to go by. */
const REPLACED_CODES: ReadonlySet<string> = new Set([REGISTRY_REPLACED, "other-cluster"]);

/** Gone once the commit in force can be read for all that is placed here. */
const UNREAD_CODES: ReadonlySet<string> = new Set(["commit-invalid", "commit-unavailable"]);

export interface OrderPorts {
  readonly source: GitSource;
  readonly trust: Pick<TrustJudge, "judge">;
  readonly compilePart: PartCompiler;
  readonly files: AgentFiles;
  readonly clock: Clock;
  readonly sha256: Sha256;
  /** Absent: it never goes back. */
  readonly rewinds?: RewindKeeper;
  readonly log: Log;
}

/** Who else of an agent has to know of an order. */
export interface OrderHearers {
  readonly memory: AgentMemory;
  readonly confirm: ConfirmWatch;
  readonly machineEnv: MachineEnvKeeper;
  /** Another release is in force on this machine. */
  readonly onRelease: (spec: SpecPart) => void;
  /** Another set is. */
  readonly onSet: () => void;
}

/** Takes from the registry what may be taken: a release that verifies, a set that is complete. Silence orders nothing. */
export class OrderTaker {
  readonly #machine: MachineId;
  readonly #keys: RegistryKeys;
  readonly #mirror: RegistryMirror;
  readonly #ports: OrderPorts;
  readonly #hearers: OrderHearers;
  readonly #known: KnownEntries = new WeakMap();
  readonly #base: BaseTaker;
  #heard: { readonly changes: number; readonly state: AgentState } | null = null;
  #read: { readonly commit: CommitId; readonly units: ReadonlySet<UnitName>; readonly spec: SpecPart } | null = null;
  /** One for which enough of the commit has been read; what is read never gets less. */
  #readState: AgentState | null = null;
  #problem: StatusProblem | null = null;
  #kept: KeptSet | null = null;
  #releasePending = false;
  #releaseRetryAtMs = 0;

  constructor(
    machine: MachineId,
    keys: RegistryKeys,
    mirror: RegistryMirror,
    hearers: OrderHearers,
    ports: OrderPorts,
  ) {
    this.#machine = machine;
    this.#keys = keys;
    this.#mirror = mirror;
    this.#hearers = hearers;
    this.#ports = ports;
    this.#base = new BaseTaker(hearers.memory, ports);
  }

  /** What of the last release that ended well these units need, where the rollout of the accepted one has not; null where there is nothing. */
  readonly earlier = (units: ReadonlySet<UnitName>): Promise<SpecPart | null> => this.#base.specFor(units);

  /** Of the release that was accepted, what this machine's units need, once it has been read and compiled here. */
  get spec(): SpecPart | null {
    return this.#read?.spec ?? null;
  }

  /** Why what is there is not taken, or null. */
  get problem(): StatusProblem | null {
    return this.#problem;
  }

  /** What this machine goes by and the registry does not show; null where it does, or there is nothing to tell. */
  get kept(): KeptSet | null {
    return this.#kept;
  }

  /** A newer release is on its way: what is missing now may come with it. */
  get releasePending(): boolean {
    return this.#releasePending;
  }

  async listen(): Promise<void> {
    const { memory } = this.#hearers;
    if (!this.#mirror.complete || !this.#isNews(memory.state)) return;
    const { changes, revision } = this.#mirror;
    await this.#hear(snapshotFromEntries(this.#keys, this.#mirror.entries(), revision, this.#known));
    this.#heard = { changes, state: memory.state };
  }

  /** Whether anything was said, or done here, since it last listened; what could not be taken then is tried again. */
  #isNews(state: AgentState): boolean {
    if (this.#releasePending || !this.#hasReadFor(state)) return true;
    return this.#heard?.changes !== this.#mirror.changes || this.#heard.state !== state;
  }

  async #hear({ snapshot, newerVersion }: SnapshotReading): Promise<void> {
    const { memory } = this.#hearers;
    if (newerVersion !== null)
      return this.#report("newer-fleet", `the registry holds records of version ${newerVersion}`);
    const because = judgeFollowing(takenOf(memory.state), snapshot, this.#machine);
    this.#kept = because === null ? null : keptOf(memory.state, this.#machine);
    if (because !== null && isTrouble(because)) return this.#reportReplaced(because);
    if (this.#problem !== null && REPLACED_CODES.has(this.#problem.code)) this.#problem = null;
    if (snapshot.identity === null) return;
    await this.#takeRelease(snapshot);
    await this.#base.hear(snapshot);
    const machines = this.spec === null ? [] : machinesOf(this.spec, snapshot, new Set());
    const asGitSees = machines.find((machine) => machine.id === this.#machine);
    if (asGitSees !== undefined && asGitSees.unrecorded !== true) await this.#hearers.machineEnv.describe(asGitSees);
    await this.#takeSet(snapshot);
    if (!this.#hasReadFor(memory.state)) await this.#readFor(unitsOf(memory.state));
    if (judgeFollowing(takenOf(memory.state), snapshot, this.#machine) === null) this.#kept = null;
  }

  /** Nothing is taken from such a registry, and nothing is stopped for it. */
  #reportReplaced(because: Replaced): void {
    if (because.code === "other-cluster") {
      this.#report("other-cluster", `this machine belongs to cluster ${because.known}, not ${because.saw}`);
    } else this.#report(REGISTRY_REPLACED, replacedDetail(because));
  }

  async #takeRelease(snapshot: ClusterSnapshot): Promise<void> {
    const { release, identity } = snapshot;
    const { memory, onRelease } = this.#hearers;
    const { accepted } = memory.state;
    if (release === null || identity === null) return;
    // In a new epoch numbers begin anew; commits do not: what is taken still descends from what was.
    const isNewEpoch = accepted?.records !== undefined && accepted.records.identity.epoch < identity.epoch;
    const isTaken = accepted !== null && !isNewEpoch && release.seq <= accepted.seq;
    if (isTaken && (this.#read !== null || release.seq < accepted.seq)) return;
    const nowMs = this.#ports.clock.monotonicMs();
    if (nowMs < this.#releaseRetryAtMs) return;
    this.#releasePending = true;
    const units = unitsOf(memory.state);
    const judge = (mark: { readonly commit: CommitId } | null) =>
      acceptRelease(release, identity, mark, this.#ports, (commit) => this.#ports.compilePart(commit, units));
    let verdict = await judge(accepted ?? markIn(snapshot, this.#machine));
    const isBack = verdict.kind === "refuse" && verdict.problem.code === "not-a-descendant";
    // Who remembers nothing cannot tell that it goes back; what gives it its orders can, of a machine that follows git alone.
    const mayRewind = isBack || accepted === null;
    const rewind = mayRewind ? ((await this.#ports.rewinds?.to(release.commit)) ?? null) : null;
    if (isBack && rewind !== null) verdict = await judge(null);
    if (verdict.kind === "refuse") {
      this.#releaseRetryAtMs = nowMs + RELEASE_RETRY_MS;
      return this.#report(verdict.problem.code, verdict.problem.detail);
    }
    await memory.remember(accepting(memory.state, { ...verdict.release, records: { identity, release } }, rewind));
    await this.#tellRewind(rewind, release.commit);
    this.#read = { commit: release.commit, units, spec: verdict.spec };
    onRelease(verdict.spec);
    this.#releasePending = false;
    this.#problem = null;
    this.#ports.log(notice(`accepted release ${release.seq}, commit ${release.commit}`));
  }

  /** An order to go back is carried out once; what is taken after it, or instead of it, ends it. */
  async #tellRewind(rewind: Rewind | null, taken: CommitId): Promise<void> {
    const { rewinds, log } = this.#ports;
    if (rewind !== null) {
      const { commit, by, at, why } = rewind;
      return log(warning(`went back to commit ${commit}, as ${by} ordered here at ${at}: ${why}`));
    }
    const other = (await rewinds?.read()) ?? null;
    const isInForce = other?.commit === taken && this.#hearers.memory.state.rewound?.commit === taken;
    if (other === null || isInForce) return;
    await rewinds?.end();
    log(notice(`the order of ${other.by} to go back to commit ${other.commit} is over: commit ${taken} was taken`));
  }

  async #takeSet(snapshot: ClusterSnapshot): Promise<void> {
    const { memory, confirm, onSet } = this.#hearers;
    const { files, sha256 } = this.#ports;
    const shown = snapshot.sets.find((set) => set.machine === this.#machine) ?? null;
    const verdict = judgeSet(shown, snapshot.identity?.epoch ?? 0, memory.state.set, sha256);
    if (verdict.kind !== "accept" || memory.state.clusterId === null) return;
    const before = memory.state.set?.placements ?? [];
    const units = new Set([...unitsOf(memory.state), ...unitsOf({ ...memory.state, set: verdict.set })]);
    await this.#readFor(units);
    // What is not read is not known to be gone from the cluster.
    await memory.remember(await confirm.offered(memory.state, verdict.set, this.#hasRead(units) ? this.spec : null));
    onSet();
    // The set before may be wanted again before long, and by what is in force here changes are judged; older texts come from git.
    const inForce = hashesInForce(await files.readOwned());
    const placed = [...before, ...verdict.set.placements].map(({ hash }) => hash);
    await files.keepOnly(new Set([...placed, ...inForce, ...confirm.hashes(memory.state)]));
  }

  /** Asked in every pass, of a state that is the same in most. */
  #hasReadFor(state: AgentState): boolean {
    if (this.#readState === state) return true;
    if (!this.#hasRead(unitsOf(state))) return false;
    this.#readState = state;
    return true;
  }

  #hasRead(units: ReadonlySet<UnitName>): boolean {
    const read = this.#read;
    return read !== null && [...units].every((unit) => read.units.has(unit));
  }

  /** More of the accepted commit; where it cannot be had, what is known of it stays, and it is tried again. */
  async #readFor(units: ReadonlySet<UnitName>): Promise<void> {
    const read = this.#read;
    if (read === null || this.#hasRead(units)) return;
    try {
      const { spec, diagnostics } = await this.#ports.compilePart(read.commit, units);
      if (spec === null) return this.#report("commit-invalid", diagnostics[0]?.saw ?? "it does not compile");
      this.#read = { commit: read.commit, units, spec };
      if (this.#problem !== null && UNREAD_CODES.has(this.#problem.code)) this.#problem = null;
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      this.#report("commit-unavailable", error.message);
    }
  }

  #report(code: string, detail: string): void {
    if (this.#problem?.code !== code) this.#ports.log(warning(`${code}: ${detail}`));
    const before = this.#problem?.code === code ? this.#problem.since : undefined;
    const since = before ?? new Date(this.#ports.clock.wallMs()).toISOString();
    this.#problem = { code, detail, journal: [], since };
  }
}

/** The floor is of the way that was left; an order to go back is told for as long as nothing was taken after it. */
function accepting(
  state: AgentState,
  accepted: NonNullable<AgentState["accepted"]>,
  rewind: Rewind | null,
): AgentState {
  const clusterId = accepted.records?.identity.id ?? state.clusterId;
  if (rewind !== null) {
    const { floor: _, ...rest } = state;
    return { ...rest, clusterId, accepted, rewound: rewind };
  }
  const { rewound, ...rest } = state;
  const isStill = rewound !== undefined && rewound.commit === accepted.commit;
  return { ...rest, ...(isStill ? { rewound } : {}), clusterId, accepted };
}

/** What this machine took last by the registry's word, where it has forgotten it itself: its own word of then, of this cluster. */
function markIn({ members, identity }: ClusterSnapshot, machine: MachineId): { readonly commit: CommitId } | null {
  const own = members.find(({ id }) => id === machine);
  const commit = own === undefined || (own.cluster ?? identity?.id) !== identity?.id ? null : markOfMember(own);
  return commit === null ? null : { commit };
}

/** All that may have to be known of: what is placed here, and what was before a change that is on trial or refused. */
function unitsOf({ set, trial, refusal }: AgentState): ReadonlySet<UnitName> {
  const all = [...(set?.placements ?? []), ...(trial?.undo ?? []), ...(refusal?.units ?? [])];
  return new Set(all.map(({ unit }) => unit));
}
