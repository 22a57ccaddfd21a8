import type { Diagnostic } from "../domain/diagnostic.ts";
import type { CommitId } from "../domain/names.ts";
import {
  type FileChange,
  type History,
  type HistoryStep,
  neededOf,
  type SignedChange,
} from "../domain/trust/history.ts";
import { type CommitVerdict, judgeCommit, rulesFor } from "../domain/trust/judge-commit.ts";
import { NO_TRUST, type Trust, type TrustRule } from "../domain/trust/trust-policy.ts";
import { type WayStep, wayBetween } from "../domain/trust/way-between.ts";
import type { GitSource } from "../ports/git-source.ts";
import { type CommitTrust, CommitTrusts, type MachineTrust } from "./commit-trust.ts";
import { CommitHistory, type ReadCommit } from "./read-history.ts";

export type TrustVerdict =
  | CommitVerdict
  /** What the commit says of trust cannot be gone by: nothing could ever be judged after it. */
  | { readonly kind: "invalid"; readonly commit: CommitId; readonly diagnostics: readonly Diagnostic[] };

export interface TrustPlace {
  readonly source: Pick<
    GitSource,
    "readCommit" | "listFiles" | "readBlob" | "changedFiles" | "isAncestor" | "prefetchTrees" | "prefetchChanges"
  >;
  readonly manifestPath: string;
  /** This machine's own signers; null: the repository's. */
  readonly own: MachineTrust | null;
}

/** A first commit has nothing before it. */
type Place = Omit<WayStep<ReadCommit>, "parent"> & { readonly parent: CommitId | null };

/**
 * Whether commits of one source are acceptable, by who signed them. What was in force at the commit accepted last decides (or the machine's
 * own file); it is read from git again each time, where a commit's id holds it, so there is nothing of it on the disk to be changed.
 */
export class TrustJudge {
  readonly #place: TrustPlace;
  readonly #trusts: CommitTrusts;
  readonly #commits: CommitHistory;
  /** What was answered last: what is refused is asked again every few seconds. Commits do not change. */
  #last: { readonly accepted: CommitId | null; readonly candidate: CommitId; readonly verdict: TrustVerdict } | null =
    null;

  constructor(place: TrustPlace) {
    this.#place = place;
    this.#trusts = new CommitTrusts(place.source, place.manifestPath, place.own);
    this.#commits = new CommitHistory(place.source);
  }

  /**
   * `accepted`: the last commit that was, which must be in the candidate's history; null: none was, and the candidate is judged by what its
   * first parent says, as if that had been accepted. Rejects with OperationError where something cannot be read.
   */
  async judge(accepted: CommitId | null, candidate: CommitId): Promise<TrustVerdict> {
    const last = this.#last;
    if (last?.accepted === accepted && last.candidate === candidate) return last.verdict;
    const verdict = await this.#judge(accepted, candidate);
    // More of a history may be had another time.
    this.#last = verdict.kind === "unknown" ? null : { accepted, candidate, verdict };
    return verdict;
  }

  async #judge(accepted: CommitId | null, candidate: CommitId): Promise<TrustVerdict> {
    const last = await this.#trusts.at(candidate);
    if (accepted === candidate) return { kind: "accepted", trust: last.trust ?? NO_TRUST };
    // A manifest that cannot be read at all changes nothing of trust; whoever compiles the commit says what is wrong with it.
    if (last.trust === null && last.sources() !== null)
      return { kind: "invalid", commit: candidate, diagnostics: last.diagnostics };
    const from = accepted ?? (await this.#firstParent(candidate, last));
    const before = from === null ? this.#withoutPast() : await this.#trustAt(from, accepted !== null);
    if ("kind" in before) return before;
    if (before.mode === "off" && last.trust?.mode === "off") return { kind: "accepted", trust: NO_TRUST };
    const known: CommitId[] = [];
    for (;;) {
      const verdict = judgeCommit(before, await this.#history(from, candidate, before, known));
      if (verdict.kind !== "refused" || from === null || known.includes(verdict.commit)) return verdict;
      // Where somebody's clock was wrong, a commit from before the accepted one may have been taken for a new one.
      const isOld =
        verdict.commit !== candidate && (await this.#place.source.isAncestor(verdict.commit, from)) === "yes";
      if (!isOld) return verdict;
      known.push(verdict.commit);
    }
  }

  /** What the commit says of trust; null where it cannot be gone by. */
  trustOf(commit: CommitId): Promise<CommitTrust> {
    return this.#trusts.at(commit);
  }

  /** Of what the first of them says of trust the rules whose files differ between them. */
  async rulesBetween(before: CommitId, after: CommitId): Promise<readonly TrustRule[]> {
    const { trust } = await this.#trusts.at(before);
    if (trust === null || trust.rules.length === 0) return [];
    const changes = await this.#changes(before, after);
    const named = new Set(changes.flatMap((change) => rulesFor(trust, change)));
    return trust.rules.filter((rule) => named.has(rule));
  }

  /** That commit as the one step from its first parent, with all that any mode would ask of it under these signers and rules. */
  async stepOf(commit: CommitId, trust: Trust): Promise<HistoryStep | null> {
    const [parent = null] = (await this.#commits.commit(commit)).parents;
    const history = await this.#history(parent, commit, { ...trust, mode: "strict" }, []);
    return history.kind === "known" ? (history.steps[0] ?? null) : null;
  }

  /** Of a commit that switches nothing on, the past is not asked for: a shallow copy would have to be deepened for it. */
  async #firstParent(candidate: CommitId, { trust }: CommitTrust): Promise<CommitId | null> {
    if (trust === null || trust.mode === "off") return null;
    return (await this.#commits.commit(candidate)).parents[0] ?? null;
  }

  /** Nothing was accepted, and there is nothing before: only the machine itself can know better than the commit. */
  #withoutPast(): Trust {
    const { own } = this.#trusts;
    return own === null ? NO_TRUST : { ...NO_TRUST, ...own };
  }

  async #trustAt(commit: CommitId, isAccepted: boolean): Promise<Trust | Extract<TrustVerdict, { kind: "invalid" }>> {
    const { trust, diagnostics } = await this.#trusts.at(commit);
    if (trust !== null) return trust;
    return isAccepted && diagnostics.length > 0 ? { kind: "invalid", commit, diagnostics } : this.#withoutPast();
  }

  /** From the oldest step to the candidate, each with what the trust in force before it asks for. */
  async #history(
    from: CommitId | null,
    candidate: CommitId,
    before: Trust,
    known: readonly CommitId[],
  ): Promise<History> {
    if (from === null) {
      const at = await this.#commits.commit(candidate);
      const step = await this.#step({ at, parent: null, isDetour: false, broughtIn: [] }, before);
      return { kind: "known", fromMs: null, steps: [step] };
    }
    const between = await this.#commits.between(from, candidate, known);
    if ("kind" in between) return between;
    const steps: HistoryStep[] = [];
    let trust = before;
    const way = wayBetween(from, candidate, between.commits);
    await this.#prefetch(from, way, before);
    for (const place of way) {
      const step = await this.#step(place, trust);
      steps.push(step);
      trust = step.trust;
    }
    return { kind: "known", fromMs: between.from.committedMs, steps };
  }

  async #prefetch(from: CommitId, way: readonly WayStep<ReadCommit>[], { rules }: Trust): Promise<void> {
    const { source, manifestPath } = this.#place;
    const { signersPath } = await this.#trusts.at(from);
    const paths = [manifestPath, ...(signersPath === null ? [] : [signersPath])];
    await source.prefetchTrees?.(
      way.map(({ at }) => at.commit),
      paths,
    );
    if (rules.length > 0) await source.prefetchChanges?.(way.map(({ at, parent }) => [parent, at.commit]));
  }

  async #step(place: Place, trust: Trust): Promise<HistoryStep> {
    const { at, parent, isDetour } = place;
    const { commit, signature, committedMs } = at;
    const now = await this.#trusts.at(commit);
    const after = now.trust ?? trust;
    // What turns trust on is judged by what it asks for itself.
    const asks = trust.mode === "off" ? after : trust;
    const needs = neededOf(asks, { isDetour, isMerge: place.broughtIn.length > 0 });
    const changes = needs.changes ? await this.#changes(parent, commit) : [];
    const broughtIn: SignedChange[] = [];
    for (const side of needs.broughtIn ? place.broughtIn : []) {
      const [first = null] = side.parents;
      broughtIn.push({ ...side, changes: needs.changes ? await this.#changes(first, side.commit) : [] });
    }
    return { commit, signature, committedMs, isDetour, changes, broughtIn, trust: after };
  }

  /** What differs, and what was there before and is only now read: a folder that the manifest begins to name. */
  async #changes(before: CommitId | null, after: CommitId): Promise<readonly FileChange[]> {
    const { source, manifestPath } = this.#place;
    const [now, then] = [await this.#trusts.at(after), before === null ? null : await this.#trusts.at(before)];
    const [sources, old] = [now.sources(), then?.sources() ?? null];
    const isRead = (path: string) =>
      [manifestPath, now.signersPath, then?.signersPath].includes(path) ||
      (sources?.needs(path) ?? true) ||
      (then !== null && (old?.needs(path) ?? true));
    const changed = await source.changedFiles(before, after);
    const told = new Map(changed.map(({ path, oid }) => [path, { path, oid, isRead: isRead(path) }]));
    if (sources !== null && old !== null && sources !== old) {
      for (const { path, oid } of await source.listFiles(after, sources.folders)) {
        const isNew = sources.needs(path) && !old.needs(path);
        if (isNew && !told.has(path)) told.set(path, { path, oid, isRead: true });
      }
    }
    return [...told.values()];
  }
}
