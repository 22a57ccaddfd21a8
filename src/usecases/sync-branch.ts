import type { RegistryKeys } from "../codec/registry-keys.ts";
import { readApproval } from "../codec/signatures/read-approval.ts";
import type { ClusterIdentity, ClusterSnapshot, Release } from "../domain/cluster/cluster-snapshot.ts";
import { invariant } from "../domain/invariant.ts";
import { APPLY_LOCK, APPLY_LOCK_MS } from "../domain/locks/lock.ts";
import type { CommitId, Sha256 } from "../domain/names.ts";
import { basisOf } from "../domain/plan/basis-of.ts";
import { massChange } from "../domain/plan/mass-change.ts";
import type { DriverPolicy } from "../domain/sync/driver-policy.ts";
import { APPROVERS_MAX, approvalRef, judgeApproval } from "../domain/sync/judge-approval.ts";
import {
  type ApprovalFacts,
  type HeldReason,
  judgeSync,
  type PlanFacts,
  type SyncFacts,
} from "../domain/sync/judge-sync.ts";
import type { Clock, RandomId } from "../ports/clock.ts";
import type { GitSource } from "../ports/git-source.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { Compare, Registry } from "../ports/registry.ts";
import { type Applied, provePlan, releasePlan } from "./apply-plan.ts";
import type { CommitCompiler } from "./commit-compiler.ts";
import type { LapseWatch } from "./lapse-watch.ts";
import { type PlannedCommit, planCommit } from "./plan-commit.ts";
import { readSnapshot } from "./read-snapshot.ts";
import { refusePlan } from "./refuse-plan.ts";
import { releaseLock } from "./release-lock.ts";
import type { Rewinds } from "./rewind-keeper.ts";
import { takeLock } from "./take-lock.ts";
import type { TrustJudge } from "./trust-judge.ts";
import { unapprovedText } from "./unapproved-text.ts";
import { untrustedDetail } from "./untrusted-detail.ts";

export interface SyncPorts {
  readonly registry: Registry;
  readonly source: GitSource;
  readonly trust: Pick<TrustJudge, "judge" | "trustOf" | "rulesBetween">;
  /** As whoever applies compiles it, with what the manifest makes an error of style. */
  readonly compile: CommitCompiler;
  readonly clock: Clock;
  readonly newId: RandomId;
  readonly sha256: Sha256;
  /** Absent: it never goes back. */
  readonly rewinds?: Rewinds;
}

export interface SyncInput {
  readonly keys: RegistryKeys;
  readonly policy: DriverPolicy;
  readonly release: Release;
  readonly identity: ClusterIdentity;
  /** Who the release will say made it, and who holds the lock meanwhile. */
  readonly by: string;
  /** What must be so for it to keep others from applying: that it leads. */
  readonly when: readonly Compare[];
  /** What it has seen so far of those who hold that lock. */
  readonly watch: LapseWatch;
  /** Of its last look. */
  readonly memory: SyncMemory;
}

/** What it made of the tip at its last look: planned again only once the tip, or what the plan read of the cluster, is another. */
export interface SyncMemory {
  made: { readonly tip: CommitId; readonly planned: PlannedCommit; readonly basis: string } | null;
}

export type SyncOutcome = { readonly tip: CommitId } & (
  | { readonly kind: "nothing-new" }
  | { readonly kind: "released"; readonly release: Release }
  | { readonly kind: "held"; readonly reason: HeldReason }
  /** The cluster moved while it was planned: to be looked at again at once. */
  | { readonly kind: "moved" }
);

type Planned = Extract<PlannedCommit, { kind: "planned" }>;

/** Those who apply at a terminal add the number of their process. */
const ENGINE_HOLDER = /^engine-[0-9a-f]{32}$/;

/** Of an author's or a signer's text, in a report. */
const DETAIL_MAX = 400;

/**
 * One look at the branch: what a person at a terminal would do with its tip, by the same steps (trust, plan, guards, release), or why
 * nothing is done. Writes nothing unless it releases. Rejects with OperationError where the source or the registry cannot be asked.
 */
export async function syncBranch(input: SyncInput, ports: SyncPorts): Promise<SyncOutcome> {
  const { release, identity, policy } = input;
  const { source } = ports;
  const tip = await source.fetch();
  let planned: Planned | null = null;
  // Somebody ordered it on this machine; whose signature it needs says what is before it.
  let isBack = false;
  let facts: SyncFacts = {
    ...{ policy, cluster: identity.name, inForce: release.commit, tip },
    ...{ history: null, trust: null, plan: null, approval: null },
  };
  for (;;) {
    const verdict = judgeSync(facts);
    if (verdict.kind === "nothing-new") return { kind: "nothing-new", tip };
    if (verdict.kind === "held") return { kind: "held", tip, reason: verdict.reason };
    if (verdict.kind === "release" && planned !== null) return makeRelease(input, ports, tip, planned);
    switch (verdict.kind === "asks" ? verdict.what : "plan") {
      case "history":
        facts = { ...facts, history: await historyOf(release.commit, tip, source) };
        isBack = facts.history !== "ahead" && ((await ports.rewinds?.to(tip)) ?? null) !== null;
        if (isBack) facts = { ...facts, history: "ahead" };
        break;
      case "trust":
        facts = { ...facts, trust: await trustOf(isBack ? null : release.commit, tip, ports) };
        break;
      case "plan": {
        const made = await planTip(tip, input, ports);
        if (made.kind === "planned") planned = made;
        facts = { ...facts, plan: factsOf(made, release) };
        break;
      }
      case "approval":
        facts = { ...facts, approval: await approvalOf(approvableOf(facts.plan), tip, input, ports) };
    }
  }
}

async function planTip(
  tip: CommitId,
  { memory, keys }: SyncInput,
  { compile, registry, sha256 }: SyncPorts,
): Promise<PlannedCommit> {
  const { made } = memory;
  if (made?.tip === tip) {
    const { snapshot } = await readSnapshot(registry, keys);
    if (basisFor(made.planned, snapshot, sha256) === made.basis) return made.planned;
  }
  const cluster = { registry, keysOf: () => keys };
  const planned = await planCommit({ commit: tip, compile, cluster, partial: null, sha256 });
  const basis =
    planned.kind === "planned"
      ? planned.plan.base.basis
      : basisFor(planned, (await readSnapshot(registry, keys)).snapshot, sha256);
  memory.made = { tip, planned, basis };
  return planned;
}

/** A commit is refused for what it says, and for what its machines say of themselves. */
function basisFor(planned: PlannedCommit, snapshot: ClusterSnapshot, sha256: Sha256): string {
  if (planned.kind === "planned") return basisOf(snapshot, planned.plan, sha256);
  const told = snapshot.members.map(({ heardWithinMs: _, ...member }) => member);
  return sha256(JSON.stringify(told));
}

async function historyOf(inForce: CommitId, tip: CommitId, source: GitSource): Promise<SyncFacts["history"]> {
  const ahead = await source.isAncestor(inForce, tip);
  if (ahead !== "no") return ahead === "yes" ? "ahead" : "unknown";
  // The commit in force may be on no branch any more: then it is not this branch that lags behind.
  const behind = await source.isAncestor(tip, inForce).catch(isUnknownCommit);
  return behind === "yes" ? "behind" : "diverged";
}

function isUnknownCommit(error: unknown): "no" {
  if (error instanceof OperationError && error.code === "commit-unknown") return "no";
  throw error;
}

async function trustOf(inForce: CommitId | null, tip: CommitId, { trust }: SyncPorts): Promise<SyncFacts["trust"]> {
  const verdict = await trust.judge(inForce, tip);
  if (verdict.kind === "accepted") return "accepted";
  const { code, detail } = untrustedDetail(verdict);
  return { code, detail: detail.slice(0, DETAIL_MAX) };
}

function factsOf(made: PlannedCommit, release: Release): PlanFacts {
  if (made.kind === "rejected") {
    const errors = made.diagnostics.filter(({ severity }) => severity === "error");
    const [first] = errors;
    const at =
      first?.at === undefined ? "" : ` (${first.at.path}${first.at.line === undefined ? "" : `:${first.at.line}`})`;
    const detail = `${first?.saw ?? "it does not compile"}${at}`.slice(0, DETAIL_MAX);
    return { code: "invalid", problem: first?.code ?? "commit-invalid", detail, more: Math.max(0, errors.length - 1) };
  }
  const { plan, spec } = made;
  const { effects } = plan.counts;
  return {
    code: "planned",
    cluster: spec.cluster,
    contentId: plan.contentId,
    isSame: spec.specHash === release.specHash,
    restarts: effects.restart + effects.move,
    stops: effects.stop,
    mass: massChange(plan, spec),
    unplaceable: made.newlyUnplaceable,
  };
}

function approvableOf(plan: PlanFacts | null): { readonly contentId: string; readonly isMass: boolean } {
  invariant(plan?.code === "planned", "what is approved is a plan");
  return { contentId: plan.contentId, isMass: plan.mass !== null };
}

/** Whoever pushes an approval renames no branch: the ref names the content, and what is signed names it again. */
async function approvalOf(
  { contentId, isMass }: { readonly contentId: string; readonly isMass: boolean },
  tip: CommitId,
  { release, identity }: SyncInput,
  { source, trust }: SyncPorts,
): Promise<ApprovalFacts> {
  const raw = (await source.commitAt?.(approvalRef(contentId, 0))) ?? null;
  if (raw === null) return { kind: "none" };
  const { trust: inForce } = await trust.trustOf(release.commit);
  if (inForce === null) return { kind: "refused", detail: "what the release in force says of trust cannot be gone by" };
  const rules = await trust.rulesBetween(release.commit, tip);
  const approvals = [readApproval(raw)];
  const needed = Math.min(APPROVERS_MAX, Math.max(1, ...rules.map(({ count }) => count)));
  for (let index = 1; index < needed; index++) {
    const other = (await source.commitAt?.(approvalRef(contentId, index))) ?? null;
    if (other !== null) approvals.push(readApproval(other));
  }
  const wanted = { contentId, clusterId: identity.id, stopsMany: isMass, rules };
  const verdict = judgeApproval(approvals, wanted, inForce);
  return verdict.kind === "approved"
    ? { kind: "approved" }
    : { kind: "refused", detail: unapprovedText(verdict.reason) };
}

/** Planned, proved and swapped in as `fleet apply` does, under its lock. */
async function makeRelease(
  input: SyncInput,
  ports: SyncPorts,
  tip: CommitId,
  { plan, spec }: Planned,
): Promise<SyncOutcome> {
  const { keys, identity, by, when, watch } = input;
  const { registry, clock, newId, sha256, source, trust, rewinds } = ports;
  const refusal = refusalOf(() => refusePlan(plan, sha256));
  if (refusal !== null) return { kind: "held", tip, reason: refusal };
  const { source: sourceName, branch, manifest } = identity;
  const place = { source, sourceName, branch, tip, trust, ...(rewinds === undefined ? {} : { rewinds }) };
  const made = { ...place, registry, keys, manifest, plan, spec, by, driver: "sync" as const, clock, newId, sha256 };
  // What asks the source is done before others are kept from applying.
  const settled = await provePlan(made);
  if (settled !== null) return outcomeOf(settled, tip);
  const wish = {
    name: APPLY_LOCK,
    holder: by,
    by,
    reason: `commit ${tip.slice(0, 7)}`,
    slots: 1,
    forMs: APPLY_LOCK_MS,
  };
  const lock = { registry, keys, clock, newId };
  // Of another engine it is of an earlier term: who leads now is in `when`.
  const isOutlived = (holder: string) => holder !== by && ENGINE_HOLDER.test(holder);
  const taken = await takeLock(lock, { ...wish, queues: false, when, isOutlived }, watch);
  if (taken.kind === "waiting") return { kind: "held", tip, reason: { code: "locked", by: taken.by[0]?.by ?? "" } };
  try {
    return outcomeOf(await releasePlan(made), tip);
  } finally {
    await releaseLock(lock, APPLY_LOCK, by);
  }
}

function outcomeOf(applied: Applied, tip: CommitId): SyncOutcome {
  return applied.kind === "stale" ? { kind: "moved", tip } : { kind: "released", tip, release: applied.release };
}

function refusalOf(judge: () => void): Extract<HeldReason, { code: "refused" }> | null {
  try {
    judge();
    return null;
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    return { code: "refused", problem: error.code, detail: error.message.slice(0, DETAIL_MAX) };
  }
}
