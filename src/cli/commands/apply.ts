import { userInfo } from "node:os";
import { Args, Flags } from "@oclif/core";
import { waitConverged } from "../../daemon/wait-converged.ts";
import type { Release } from "../../domain/cluster/cluster-snapshot.ts";
import type { Convergence } from "../../domain/cluster/convergence.ts";
import { isStopped } from "../../domain/cluster/with-rollout.ts";
import type { Slot } from "../../domain/locks/lock.ts";
import type { CommitId } from "../../domain/names.ts";
import type { Plan } from "../../domain/plan/plan.ts";
import type { RolloutStatus } from "../../domain/report/rollout-status.ts";
import { waveReached } from "../../domain/rollout/wave-reached.ts";
import type { ClusterSpec } from "../../domain/spec/cluster-spec.ts";
import { parseDuration } from "../../domain/spec/duration.ts";
import { OperationError } from "../../ports/operation-error.ts";
import { type Applied, provePlan, refuseOtherManifest, releasePlan } from "../../usecases/apply-plan.ts";
import type { CommitCompiler } from "../../usecases/commit-compiler.ts";
import { commitOfPlan } from "../../usecases/commit-of-plan.ts";
import { hearOfCluster } from "../../usecases/hear-of-cluster.ts";
import { judgeBasis, type Settled } from "../../usecases/judge-basis.ts";
import type { SourceBranch } from "../../usecases/prove-commit.ts";
import { readSnapshot } from "../../usecases/read-snapshot.ts";
import { readToWrite } from "../../usecases/read-to-write.ts";
import { refusePlan } from "../../usecases/refuse-plan.ts";
import { specAt } from "../../usecases/spec-at.ts";
import { askYes } from "../ask-yes.ts";
import { BaseCommand, clusterFlags, outputFlags, repositoryFlags } from "../base-command.ts";
import { clusterSource } from "../cluster-source.ts";
import type { Composition } from "../composition.ts";
import { EXIT, SilentExit } from "../exit-codes.ts";
import { memberNames } from "../member-names.ts";
import { type Planned, planFromFlags } from "../plan-from-flags.ts";
import { readPlanFile } from "../read-plan-file.ts";
import { errorText } from "../report-error.ts";
import { rolloutNow } from "../rollout-now.ts";
import { sayDirty } from "../say-dirty.ts";
import { terminalOf } from "../terminal-of.ts";
import { convergenceText } from "../views/convergence-text.ts";
import { diagnosticsText } from "../views/diagnostics-text.ts";
import { heldByText } from "../views/locks-text.ts";
import { planText } from "../views/plan-text.ts";
import { ProgressView } from "../views/progress-view.ts";
import { alreadyText, staleText } from "../views/stale-text.ts";
import { withApplyLock } from "../with-apply-lock.ts";

/** What is to be released, and where from. */
interface Wanted {
  readonly planned: Planned;
  readonly commit: CommitId;
  readonly place: SourceBranch;
  readonly compile: CommitCompiler;
}

interface ApplyFlags {
  readonly revision: string;
  readonly source?: string | undefined;
  readonly branch?: string | undefined;
  readonly json: boolean;
  readonly "auto-approve": boolean;
  readonly "allow-deletes": boolean;
  readonly detach: boolean;
  readonly "no-color": boolean;
  readonly "lock-timeout": string;
}

/** `--revision` unless somebody gives one: with a plan file it names no commit then. */
const HEAD = "HEAD";

export default class ApplyCommand extends BaseCommand {
  static override summary = "Make a commit the cluster's release, and wait until it runs";
  static override args = { file: Args.string({ description: "A plan saved by `fleet plan --out`" }) };
  static override flags = {
    ...repositoryFlags,
    ...clusterFlags,
    ...outputFlags,
    revision: Flags.string({
      description: "The commit to apply; with FILE, the one that took the plan's onto the branch (default: its tip)",
      env: "FLEET_REVISION",
      default: HEAD,
    }),
    "auto-approve": Flags.boolean({ description: "Do not ask" }),
    detach: Flags.boolean({ description: "Do not wait until it runs" }),
    timeout: Flags.string({ description: "How long to wait until it runs", default: "5m" }),
    "lock-timeout": Flags.string({
      description: "How long to wait while somebody else applies; then it ends with 4",
      env: "FLEET_LOCK_TIMEOUT",
      default: "30s",
    }),
    "allow-deletes": Flags.boolean({ description: "With --auto-approve: also where the plan removes units" }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ApplyCommand);
    const timeoutMs = timeOf(flags.timeout);
    timeOf(flags["lock-timeout"]);
    const composition = await this.compose(flags);
    try {
      await composition.needRegistry();
      await (args.file === undefined
        ? this.applyCommit(composition, flags, timeoutMs)
        : this.applyFile(composition, args.file, flags, timeoutMs));
    } finally {
      await composition.close();
    }
  }

  private async applyCommit(composition: Composition, flags: ApplyFlags, timeoutMs: number): Promise<void> {
    await sayDirty(composition, flags.revision, (line) => this.say(line), "HEAD is applied without them");
    const planned = await planFromFlags(composition, flags.revision);
    this.show(planned, flags);
    // What is in force already has been approved, and what the cluster is short of since is no reason not to follow it.
    if (planned.snapshot.release?.commit !== planned.plan.commit) {
      refuseUnplaceable(planned);
      refusePlan(planned.plan, composition.sha256);
      await this.approve(planned.plan, flags);
    }
    const place = await clusterSource(composition, flags, planned.snapshot.identity);
    const compile = await composition.compiler(place.source);
    await this.release(composition, { planned, commit: planned.plan.commit, place, compile }, flags, timeoutMs);
  }

  /** A saved plan was approved when it was reviewed. It is applied as it is, or not at all. */
  private async applyFile(composition: Composition, file: string, flags: ApplyFlags, timeoutMs: number): Promise<void> {
    const plan = await readPlanFile(file);
    refusePlan(plan, composition.sha256);
    const registry = await composition.needRegistry();
    const keys = composition.keysOf(plan.cluster);
    const snapshot = await readToWrite(registry, keys);
    const place = await clusterSource(composition, flags, snapshot.identity);
    const compile = await composition.compiler(place.source);
    const { source } = place;
    const { sha256 } = composition;
    const specOf = () => specAt(compile, plan.commit);
    const settled = await judgeBasis({ registry, keys, plan, source, specOf, sha256 }, snapshot);
    if (settled !== null) {
      await this.finish(composition, plan, settled, { compile, spec: null }, flags, timeoutMs);
      return;
    }
    if (snapshot.identity !== null) refuseOtherManifest(snapshot.identity, composition.manifest);
    const cluster = { registry, keysOf: composition.keysOf };
    const revision = flags.revision === HEAD ? null : flags.revision;
    const again = await commitOfPlan({ ...place, plan, cluster, compile, revision, sha256 });
    const planned = { ...again, plan };
    this.show(planned, flags);
    refuseUnplaceable(planned);
    if (again.commit !== plan.commit) {
      this.say(
        `commit ${plan.commit.slice(0, 7)} is on ${place.branch} as ${again.commit.slice(0, 7)}, which does the same`,
      );
    }
    await this.release(composition, { planned, commit: again.commit, place, compile }, flags, timeoutMs);
  }

  private show(planned: Planned, flags: ApplyFlags): void {
    if (planned.diagnostics.length > 0) this.say(diagnosticsText(planned.diagnostics));
    if (!flags.json) this.print(planText(planned, terminalOf(process.stdout, flags["no-color"])));
  }

  /** `--auto-approve` alone says yes to anything but a removal. */
  private async approve(plan: Plan, flags: ApplyFlags): Promise<void> {
    if (plan.changes.length === 0) return;
    const removals = plan.counts.actions.remove;
    const units = `${removals} ${removals === 1 ? "unit" : "units"}`;
    if (flags["auto-approve"]) {
      if (removals === 0 || flags["allow-deletes"]) return;
      throw new OperationError("deletes-not-allowed", `this plan removes ${units}; nothing was changed`, {
        next: "add --allow-deletes if that is meant",
      });
    }
    if (!process.stdin.isTTY) {
      throw new OperationError("not-approved", "nobody is there to say yes", {
        next: "add --auto-approve, or apply a reviewed plan: fleet apply FILE",
      });
    }
    const what =
      plan.clusterId === null ? ", which makes a new cluster" : removals > 0 ? `, which removes ${units}` : "";
    if (await askYes(`Apply this plan${what}?`)) return;
    this.say("nothing was changed");
    throw new SilentExit(EXIT.error);
  }

  /** Reads the plan's basis again: whoever thought long about "yes" gets what was shown, or nothing. */
  private async release(
    composition: Composition,
    { planned, commit, place, compile }: Wanted,
    flags: ApplyFlags,
    timeoutMs: number,
  ): Promise<void> {
    const { plan, spec } = planned;
    const [registry, keys] = [await composition.needRegistry(), composition.keysOf(plan.cluster)];
    const heldText = async (by: readonly Slot[]) =>
      heldByText(by, memberNames((await readSnapshot(registry, keys)).snapshot), composition.clock.wallMs());
    const lock = {
      ...{ registry, keys, commit, timeoutMs: timeOf(flags["lock-timeout"]) },
      onWait: (by: readonly Slot[]) => void heldText(by).then((text) => this.say(`waits for lock apply, held ${text}`)),
    };
    const { manifest, clock, newId, sha256 } = composition;
    const input = {
      ...place,
      ...{ registry, keys, manifest, plan, commit, spec, by: userInfo().username, clock, newId, sha256 },
    };
    await hearOfCluster(registry, keys, clock);
    // Who has nothing to change, or must not, writes nothing, not even a lock.
    const settled = await provePlan(input);
    if (settled !== null) return this.finish(composition, plan, settled, { compile, spec }, flags, timeoutMs);
    const done = await withApplyLock(composition, lock, () => releasePlan(input));
    if (done.kind === "locked") return this.refuseLocked(await heldText(done.by), done.by, flags);
    await this.finish(composition, plan, done.result, { compile, spec }, flags, timeoutMs);
  }

  private refuseLocked(text: string, by: readonly Slot[], flags: ApplyFlags): never {
    const next = "wait until it is free (--lock-timeout), or fleet locks release apply HOLDER if its holder is gone";
    this.say(errorText(new OperationError("lock-held", `lock apply is held ${text}; nothing was changed`, { next })));
    if (flags.json) this.printJson({ result: "locked", by });
    throw new SilentExit(EXIT.locked);
  }

  private async finish(
    composition: Composition,
    plan: Plan,
    applied: Applied,
    known: { readonly compile: CommitCompiler; readonly spec: ClusterSpec | null },
    flags: ApplyFlags,
    timeoutMs: number,
  ): Promise<void> {
    if (applied.kind === "stale") return this.refuseStale(composition, plan, applied, flags);
    this.say(appliedText(plan, applied));
    const inForce = applied.kind === "already" ? applied.inForce : applied.release;
    // Of a plan that is not the one in force the waves are no news.
    const followed = { cluster: plan.cluster, waves: inForce.planId === plan.planId ? plan.waves : [] };
    const { state, rollout } = flags.detach
      ? { state: null, rollout: null }
      : await this.wait(composition, followed, inForce, await specOfRelease(inForce, known), timeoutMs, flags.json);
    if (flags.json)
      this.printJson({
        result: applied.kind,
        release: applied.release,
        planId: plan.planId,
        convergence: state,
        rollout,
      });
    if (state === null || state.converged) return;
    // A release that failed is an error however long one waits.
    throw new SilentExit(isStopped(state.rollout ?? null) ? EXIT.error : EXIT.notConverged);
  }

  private refuseStale(
    composition: Composition,
    plan: Plan,
    { moved, snapshot }: Extract<Settled, { kind: "stale" }>,
    flags: ApplyFlags,
  ): never {
    this.say(staleText(plan, moved, memberNames(snapshot), composition.clock.wallMs()));
    if (flags.json) this.printJson({ result: "stale", release: snapshot.release, planId: plan.planId, moved });
    throw new SilentExit(EXIT.stale);
  }

  private async wait(
    composition: Composition,
    { cluster, waves }: Pick<Plan, "cluster" | "waves">,
    { seq }: Release,
    spec: ClusterSpec,
    timeoutMs: number,
    quiet: boolean,
  ): Promise<{ readonly state: Convergence; readonly rollout: RolloutStatus | null }> {
    const registry = await composition.needRegistry();
    const keys = composition.keysOf(cluster);
    const { clock } = composition;
    const progress = new ProgressView(process.stderr, clock);
    let rollout: RolloutStatus | null = null;
    const state = await waitConverged({
      registry,
      keys,
      spec,
      releaseSeq: seq,
      timeoutMs,
      clock,
      sha256: composition.sha256,
      onProgress: (now, { snapshot, report }) => {
        rollout = rolloutNow(snapshot, report, clock.wallMs());
        const wave = waveReached(waves, [...now.waiting, ...now.failed]);
        progress.show({ state: now, rollout, wave, names: memberNames(snapshot) });
      },
    });
    progress.end();
    const names = memberNames((await readSnapshot(registry, keys)).snapshot);
    if (!quiet) this.say(convergenceText(state, names, rollout, clock.wallMs()));
    return { state, rollout };
  }
}

function timeOf(text: string): number {
  const milliseconds = parseDuration(text);
  if (milliseconds !== null) return milliseconds;
  throw new OperationError("bad-timeout", `${text} is not a duration`, { next: "write one such as 90s or 5m" });
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
