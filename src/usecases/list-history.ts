import type { RegistryKeys } from "../codec/registry-keys.ts";
import { decodeRollout } from "../codec/rollout-record.ts";
import type { Release } from "../domain/cluster/cluster-snapshot.ts";
import { hasErrors } from "../domain/diagnostic.ts";
import { diffSpecs } from "../domain/history/diff-specs.ts";
import type { CommitId, Sha256 } from "../domain/names.ts";
import { CHANGE_ACTIONS, type Change, type ChangeAction } from "../domain/plan/plan.ts";
import type { RolloutRecord } from "../domain/rollout/rollout-record.ts";
import { isRolloutOf } from "../domain/rollout/start-rollout.ts";
import type { ClusterSpec } from "../domain/spec/cluster-spec.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { RegistryReader } from "../ports/registry.ts";
import type { CommitCompiler } from "./commit-compiler.ts";
import type { CommitBook, CommitFacts } from "./commit-facts.ts";
import { readPlan } from "./read-plan.ts";
import { readReleases } from "./read-releases.ts";

/** One release, or where no registry was asked one commit of the branch. */
export interface HistoryEntry {
  readonly commit: CommitId;
  /** Null: by git alone nobody knows whether it was applied. */
  readonly release: Pick<Release, "seq" | "by" | "at"> | null;
  /** Null: this repository does not have the commit. */
  readonly facts: CommitFacts | null;
  /** How many changes of each kind: as the release was planned, or to the commit before. Null: not known any more, or it has errors. */
  readonly changes: Readonly<Record<ChangeAction, number>> | null;
  /** How far its rollout came. Null: nobody has kept that, or it has only begun. */
  readonly rollout: Pick<RolloutRecord, "phase" | "since" | "failures"> | null;
}

/** The last releases, newest first; with plans, rollouts and, where a repository is at hand, who wrote and signed their commits. */
export async function releaseHistory(input: {
  readonly registry: RegistryReader;
  readonly keys: RegistryKeys;
  /** Null: whoever asks stands in no repository. */
  readonly book: CommitBook | null;
  /** How many, 1 or more. */
  readonly last: number;
}): Promise<readonly HistoryEntry[]> {
  const { registry, keys, book, last } = input;
  const all = await readReleases(registry, keys);
  const rollouts = await readRollouts(registry, keys);
  const entries: HistoryEntry[] = [];
  for (const release of all.slice(-last).reverse()) {
    const { commit, seq, by, at } = release;
    const before = all.find((one) => one.seq === seq - 1)?.commit ?? null;
    const rollout = rollouts.get(seq) ?? null;
    // One plan after the other: that of 20,000 units is some MiB.
    const plan = await readPlan(registry, keys, release.planId);
    entries.push({
      commit,
      release: { seq, by, at },
      facts: book === null ? null : await book.facts(commit, before),
      changes: plan?.counts.actions ?? null,
      rollout: rollout !== null && isRolloutOf(rollout, release) ? rollout : null,
    });
  }
  return entries;
}

/** Commits that are compiled to find those that change a unit: some seconds with 3,000 of these. */
const LOOKED_AT_MAX = 100;

/** The last commits of a branch that change a unit or the cluster, newest first, along first parents; by git alone. */
export async function commitHistory(input: {
  readonly tip: CommitId;
  readonly compile: CommitCompiler;
  readonly book: CommitBook;
  readonly last: number;
  readonly sha256: Sha256;
}): Promise<readonly HistoryEntry[]> {
  const { tip, compile, book, last, sha256 } = input;
  const entries: HistoryEntry[] = [];
  let at: CommitId | null = tip;
  for (let looked = 0; at !== null && entries.length < last && looked < LOOKED_AT_MAX; looked++) {
    const commit: CommitId = at;
    at = (await book.history.commit(commit)).parents[0] ?? null;
    const now = await specOf(compile, commit);
    const before: SpecBefore | null | "away" = at === null ? NOTHING : await specOf(compile, at);
    // The clone ends here: what this commit changed is not known.
    if (before === "away") at = null;
    if (now !== null && before !== null && isSpec(now) && isSpec(before) && now.specHash === before.specHash) continue;
    entries.push({
      commit,
      release: null,
      facts: await book.facts(commit, at),
      changes: isSpec(now) && before !== "away" && before !== null ? changesBetween(before, now, sha256) : null,
      rollout: null,
    });
  }
  return entries;
}

/** Before the first commit. */
const NOTHING = "nothing";

type SpecBefore = ClusterSpec | typeof NOTHING;

async function specOf(compile: CommitCompiler, commit: CommitId): Promise<ClusterSpec | null | "away"> {
  try {
    const { spec, diagnostics } = await compile(commit);
    return hasErrors(diagnostics) ? null : spec;
  } catch (error) {
    if (error instanceof OperationError && error.code === "commit-unknown") return "away";
    throw error;
  }
}

function isSpec(spec: ClusterSpec | string | null): spec is ClusterSpec {
  return spec !== null && typeof spec !== "string";
}

function changesBetween(before: SpecBefore, after: ClusterSpec, sha256: Sha256): HistoryEntry["changes"] {
  const { changes } = diffSpecs(before === NOTHING ? { ...after, units: [], groups: [] } : before, after, sha256);
  // A unit that changes differently on several machines is one that changes.
  const units = new Map(changes.map((change): [string, Change] => [`${change.action} ${change.unit}`, change]));
  const count = (action: ChangeAction) => [...units.values()].filter((change) => change.action === action).length;
  return Object.fromEntries(CHANGE_ACTIONS.map((action) => [action, count(action)])) as HistoryEntry["changes"];
}

/** How far the rollout of that release came; null where nobody has kept that. */
export async function rolloutOfRelease(
  registry: RegistryReader,
  keys: RegistryKeys,
  release: Release | null,
): Promise<RolloutRecord | null> {
  if (release === null) return null;
  const record = (await readRollouts(registry, keys)).get(release.seq);
  return record !== undefined && isRolloutOf(record, release) ? record : null;
}

async function readRollouts(registry: RegistryReader, keys: RegistryKeys): Promise<ReadonlyMap<number, RolloutRecord>> {
  const { entries } = await registry.list(keys.rollouts);
  return new Map(
    entries.flatMap(({ key, value }) => {
      const decoded = decodeRollout(value);
      return decoded.kind === "record" ? [[Number(key.slice(keys.rollouts.length)), decoded.record]] : [];
    }),
  );
}
