import type { CommitId } from "../domain/names.ts";
import { identifySigner, isKnown, type Unidentified } from "../domain/trust/identify-signer.ts";
import type { CommitDescription, GitSource } from "../ports/git-source.ts";
import { OperationError } from "../ports/operation-error.ts";
import { CommitTrusts } from "./commit-trust.ts";
import { CommitHistory } from "./read-history.ts";

/** Who stands behind a commit. */
export interface CommitFacts extends CommitDescription {
  /** Null: trust is off where the commit is judged from, so nobody asks. */
  readonly signer: CommitSigner | null;
}

export type CommitSigner =
  | { readonly kind: "known"; readonly principals: readonly string[] }
  /** Nobody who may sign, and why. */
  | { readonly kind: "unknown"; readonly because: Unidentified["code"] };

type FactsSource = Pick<GitSource, "readCommit" | "describeCommit" | "listFiles" | "readBlob">;

/** Reads commits of one repository, with who signed them by what another commit says of trust. Commits do not change: each is read once. */
export class CommitBook {
  readonly history: CommitHistory;
  readonly #source: FactsSource;
  readonly #trusts: CommitTrusts;

  constructor(source: FactsSource, manifestPath: string) {
    this.#source = source;
    this.#trusts = new CommitTrusts(source, manifestPath, null);
    this.history = new CommitHistory(source);
  }

  /** Null where this repository does not have it. `judgedBy`: the commit whose signers count; null or away: the commit itself. */
  async facts(commit: CommitId, judgedBy: CommitId | null): Promise<CommitFacts | null> {
    try {
      const described = await this.#source.describeCommit(commit);
      return { ...described, signer: await this.#signer(commit, judgedBy) };
    } catch (error) {
      if (error instanceof OperationError && error.code === "commit-unknown") return null;
      throw error;
    }
  }

  async #signer(commit: CommitId, judgedBy: CommitId | null): Promise<CommitSigner | null> {
    const trust = (judgedBy === null ? null : await this.#trustAt(judgedBy)) ?? (await this.#trustAt(commit));
    if (trust === null || trust.mode === "off") return null;
    const { signature, committedMs } = await this.history.commit(commit);
    const signer = identifySigner(signature, trust, committedMs);
    return isKnown(signer)
      ? { kind: "known", principals: signer.principals }
      : { kind: "unknown", because: signer.code };
  }

  async #trustAt(commit: CommitId) {
    try {
      return (await this.#trusts.at(commit)).trust;
    } catch (error) {
      if (error instanceof OperationError && error.code === "commit-unknown") return null;
      throw error;
    }
  }
}
