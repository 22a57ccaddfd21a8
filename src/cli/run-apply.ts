import { waitConverged } from "../daemon/wait-converged.ts";
import type { ClusterSnapshot, Release } from "../domain/cluster/cluster-snapshot.ts";
import type { Convergence } from "../domain/cluster/convergence.ts";
import { isStopped } from "../domain/cluster/with-rollout.ts";
import type { Slot } from "../domain/locks/lock.ts";
import type { CommitId } from "../domain/names.ts";
import type { Plan } from "../domain/plan/plan.ts";
import type { Moved } from "../domain/plan/what-moved.ts";
import type { RolloutStatus } from "../domain/report/rollout-status.ts";
import { waveReached } from "../domain/rollout/wave-reached.ts";
import type { ClusterSpec } from "../domain/spec/cluster-spec.ts";
import { OperationError } from "../ports/operation-error.ts";
import { type Applied, provePlan, refuseOtherManifest, releasePlan } from "../usecases/apply-plan.ts";
import type { CommitCompiler } from "../usecases/commit-compiler.ts";
import { commitOfPlan } from "../usecases/commit-of-plan.ts";
import { hearOfCluster } from "../usecases/hear-of-cluster.ts";
import { judgeBasis, type Settled } from "../usecases/judge-basis.ts";
import type { SourceBranch } from "../usecases/prove-commit.ts";
import { readSnapshot } from "../usecases/read-snapshot.ts";
import { readToWrite } from "../usecases/read-to-write.ts";
import { refuseOtherDriver } from "../usecases/refuse-other-driver.ts";
import { refusePlan } from "../usecases/refuse-plan.ts";
import { specAt } from "../usecases/spec-at.ts";
import { clusterSource } from "./cluster-source.ts";
import type { Composition } from "./composition.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { memberNames } from "./member-names.ts";
import { type Planned, planFromFlags } from "./plan-from-flags.ts";
import { readPlanFile } from "./read-plan-file.ts";
import { rolloutNow } from "./rollout-now.ts";
import { sayDirty } from "./say-dirty.ts";
import { heldByText } from "./views/locks-text.ts";
import type { Followed } from "./views/progress-view.ts";
import { alreadyText } from "./views/stale-text.ts";
import { withApplyLock } from "./with-apply-lock.ts";

/** `revision` unless somebody gives one: with a plan file it names no commit then. */
export const HEAD = "HEAD";

export interface ApplyOptions {
  readonly revision: string;
  readonly source?: string | undefined;
  readonly branch?: string | undefined;
  /** The source of a cluster that this apply makes, where that is not the repository one stands in. */
  readonly newSource?: string | undefined;
  /** How long to wait while somebody else applies, in milliseconds. */
  readonly lockTimeoutMs: number;
  /** How long to wait until it runs, in milliseconds; null: not at all. */
  readonly timeoutMs: number | null;
  /** Who the release will say made it. */
  readonly by: string;
}

/** Who applies: a person at a terminal, or a step of a CI. */
export interface ApplyHost {
  /** What is said on the way, a sentence or some lines. */
  say(text: string): void;
  /** What is about to be applied. */
  show(planned: Planned): void;
  /** Rejects where it must not be. `settle` finds out whether there is still something to do. Not asked about a saved plan, which was approved when it was reviewed. */
  approve(planned: Planned, settle: () => Promise<Settled | null>): Promise<void>;
  /** It is released, and waited for: who is to hear how far it is. */
  follow(): (followed: Followed) => void;
}

/** What came of it. Of these, only `released` has changed anything. */
export type ApplyOutcome = { readonly plan: Plan } & (
  | { readonly kind: "locked"; readonly by: readonly Slot[]; readonly heldText: string }
  | { readonly kind: "stale"; readonly moved: readonly Moved[]; readonly snapshot: ClusterSnapshot }
  | {
      readonly kind: "released" | "already";
      /** Of the plan. */
      readonly release: Release;
      /** Null: nobody waited. */
      readonly convergence: Convergence | null;
      readonly rollout: RolloutStatus | null;
      readonly names: ReturnType<typeof memberNames>;
    }
);

/** What is to be released, and where from. */
interface Wanted {
  readonly planned: Planned;
  readonly commit: CommitId;
  readonly place: SourceBranch;
  readonly compile: CommitCompiler;
}

/** Plans a commit and makes it the cluster's release. Everything that forbids it is thrown. */
export async function applyCommit(
  composition: Composition,
  options: ApplyOptions,
  host: ApplyHost,
): Promise<ApplyOutcome> {
  await sayDirty(composition, options.revision, (line) => host.say(line), "HEAD is applied without them");
  const planned = await planFromFlags(composition, options.revision);
  const { plan, spec, snapshot } = planned;
  host.show(planned);
  let opened: Promise<SourceBranch> | null = null;
  const open = () => (opened ??= clusterSource(composition, options, snapshot.identity));
  // What is in force already has been approved, and what the cluster is short of since is no reason not to follow it.
  if (snapshot.release?.commit !== plan.commit) {
    refuseUnplaceable(planned);
    refusePlan(plan, composition.sha256);
    refuseOtherDriver(snapshot.release, "apply");
    await host.approve(planned, async () => {
      const [registry, { source }] = [await composition.needRegistry(), await open()];
      const { keysOf, sha256 } = composition;
      const basis = { registry, keys: keysOf(plan.cluster), plan, source, specOf: async () => spec, sha256 };
      return judgeBasis(basis, snapshot);
    });
  }
  const place = await open();
  const compile = await composition.compiler(place.source);
  return release(composition, { planned, commit: plan.commit, place, compile }, options, host);
}

/** A saved plan was approved when it was reviewed. It is applied as it is, or not at all. */
export async function applyPlanFile(
  composition: Composition,
  file: string,
  options: ApplyOptions,
  host: ApplyHost,
): Promise<ApplyOutcome> {
  const plan = await readPlanFile(file);
  const { sha256 } = composition;
  refusePlan(plan, sha256);
  const registry = await composition.needRegistry();
  const keys = composition.keysOf(plan.cluster);
  const snapshot = await readToWrite(registry, keys);
  const place = await clusterSource(composition, options, snapshot.identity);
  const compile = await composition.compiler(place.source);
  const { source } = place;
  const specOf = () => specAt(compile, plan.commit);
  const settled = await judgeBasis({ registry, keys, plan, source, specOf, sha256 }, snapshot);
  if (settled !== null) return finish(composition, plan, settled, { compile, spec: null }, options, host);
  if (snapshot.identity !== null) refuseOtherManifest(snapshot.identity, composition.manifest);
  const cluster = { registry, keysOf: composition.keysOf };
  const revision = options.revision === HEAD ? null : options.revision;
  const again = await commitOfPlan({ ...place, plan, cluster, compile, revision, sha256 });
  const planned = { ...again, plan };
  host.show(planned);
  refuseUnplaceable(planned);
  if (again.commit !== plan.commit) {
    host.say(
      `commit ${plan.commit.slice(0, 7)} is on ${place.branch} as ${again.commit.slice(0, 7)}, which does the same`,
    );
  }
  return release(composition, { planned, commit: again.commit, place, compile }, options, host);
}

/** 3 stale, 4 locked; of what is released 1 if it failed, however long one waits, and 5 if it does not run yet. */
export function applyExitCode(outcome: ApplyOutcome): ExitCode {
  if (outcome.kind === "stale") return EXIT.stale;
  if (outcome.kind === "locked") return EXIT.locked;
  const { convergence } = outcome;
  if (convergence === null || convergence.converged) return EXIT.done;
  return isStopped(convergence.rollout ?? null) ? EXIT.error : EXIT.notConverged;
}

/** Reads the plan's basis again: whoever thought long about "yes" gets what was shown, or nothing. */
async function release(
  composition: Composition,
  { planned, commit, place, compile }: Wanted,
  options: ApplyOptions,
  host: ApplyHost,
): Promise<ApplyOutcome> {
  const { plan, spec } = planned;
  const [registry, keys] = [await composition.needRegistry(), composition.keysOf(plan.cluster)];
  const heldText = async (by: readonly Slot[]) =>
    heldByText(by, memberNames((await readSnapshot(registry, keys)).snapshot), composition.clock.wallMs());
  const lock = {
    ...{ registry, keys, commit, timeoutMs: options.lockTimeoutMs },
    onWait: (by: readonly Slot[]) => void heldText(by).then((text) => host.say(`waits for lock apply, held ${text}`)),
  };
  const { manifest, clock, newId, sha256 } = composition;
  const input = { ...place, ...{ registry, keys, manifest, plan, commit, spec, by: options.by, clock, newId, sha256 } };
  await hearOfCluster(registry, keys, clock);
  // Who has nothing to change, or must not, writes nothing, not even a lock.
  const settled = await provePlan(input);
  if (settled !== null) return finish(composition, plan, settled, { compile, spec }, options, host);
  const done = await withApplyLock(composition, lock, () => releasePlan(input));
  if (done.kind === "locked") return { kind: "locked", plan, by: done.by, heldText: await heldText(done.by) };
  return finish(composition, plan, done.result, { compile, spec }, options, host);
}

async function finish(
  composition: Composition,
  plan: Plan,
  applied: Applied,
  known: { readonly compile: CommitCompiler; readonly spec: ClusterSpec | null },
  { timeoutMs }: ApplyOptions,
  host: ApplyHost,
): Promise<ApplyOutcome> {
  if (applied.kind === "stale") return { ...applied, plan };
  const { kind } = applied;
  host.say(appliedText(plan, applied));
  const inForce = applied.kind === "already" ? applied.inForce : applied.release;
  // Of a plan that is not the one in force the waves are no news.
  const followed = { cluster: plan.cluster, waves: inForce.planId === plan.planId ? plan.waves : [] };
  const waited =
    timeoutMs === null
      ? { convergence: null, rollout: null, names: new Map() }
      : await wait(composition, followed, inForce, await specOfRelease(inForce, known), timeoutMs, host);
  return { kind, plan, release: applied.release, ...waited };
}

async function wait(
  composition: Composition,
  { cluster, waves }: Pick<Plan, "cluster" | "waves">,
  { seq }: Release,
  spec: ClusterSpec,
  timeoutMs: number,
  host: ApplyHost,
) {
  const registry = await composition.needRegistry();
  const keys = composition.keysOf(cluster);
  const { clock, sha256 } = composition;
  const tell = host.follow();
  let rollout: RolloutStatus | null = null;
  const convergence = await waitConverged({
    ...{ registry, keys, spec, releaseSeq: seq, timeoutMs, clock, sha256 },
    onProgress: (state, { snapshot, report }) => {
      rollout = rolloutNow(snapshot, report, clock.wallMs());
      const wave = waveReached(waves, [...state.waiting, ...state.failed]);
      tell({ state, rollout, wave, names: memberNames(snapshot) });
    },
  });
  const names = memberNames((await readSnapshot(registry, keys)).snapshot);
  return { convergence, rollout: rollout as RolloutStatus | null, names };
}

function appliedText(plan: Plan, applied: Exclude<Applied, { kind: "stale" }>): string {
  const { release } = applied;
  if (applied.kind === "already") return alreadyText(plan, release, applied.inForce);
  return `release ${release.seq}: commit ${release.commit.slice(0, 7)}`;
}

/** The spec to wait for; after a plan that was applied long ago it may be a later release's. */
async function specOfRelease(
  release: Release,
  { compile, spec }: { readonly compile: CommitCompiler; readonly spec: ClusterSpec | null },
): Promise<ClusterSpec> {
  if (spec?.specHash === release.specHash) return spec;
  const found = (await compile(release.commit)).spec;
  if (found !== null) return found;
  throw new OperationError("commit-invalid", `the commit of release ${release.seq} does not compile here`, {
    next: "use the fleet version the cluster runs, or --detach",
  });
}

function refuseUnplaceable({ newlyUnplaceable: units }: Planned): void {
  if (units.length === 0) return;
  throw new OperationError(
    "unplaceable",
    `${units.join(", ")} ${units.length === 1 ? "fits" : "fit"} on no machine; nothing was changed`,
    {
      next: "the plan above says what each machine lacks",
    },
  );
}
