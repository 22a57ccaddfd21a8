import { MemoryGitSource, type MemoryRepository } from "../adapters/memory/memory-git-source.ts";
import { sha256 } from "../adapters/sha256.ts";
import type { CommitId, UnitName } from "../domain/names.ts";
import type { GitSource } from "../ports/git-source.ts";
import type { CommitCompiler } from "../usecases/commit-compiler.ts";
import { commitCompiler } from "../usecases/compile-commit.ts";
import { partCompiler } from "../usecases/compile-part.ts";
import type { PartCompiler } from "../usecases/part-compiler.ts";
import { TrustJudge } from "../usecases/trust-judge.ts";

const MANIFEST = "fleet.yaml";

/**
 * The compiler of every daemon of a simulated cluster: each must reach the commit by its own source, and what comes of it, the same for
 * all, is worked out once. Compiling for each of them was a tenth of a seed's time.
 */
export class CompileOnce {
  readonly #compile: CommitCompiler;
  readonly #compilePart: PartCompiler;
  readonly #trust: TrustJudge;
  readonly #done = new Map<CommitId, ReturnType<CommitCompiler>>();
  readonly #parts = new Map<string, ReturnType<PartCompiler>>();

  constructor(repository: MemoryRepository) {
    const source = new MemoryGitSource(repository, "main");
    this.#compile = commitCompiler({ source, manifestPath: MANIFEST, sha256 });
    this.#compilePart = partCompiler({ source, manifestPath: MANIFEST });
    this.#trust = new TrustJudge({ source, manifestPath: MANIFEST, own: null });
  }

  /** Who signed is the same for all, too. */
  trustThrough(source: Pick<GitSource, "listFiles">): Pick<TrustJudge, "judge" | "trustOf" | "rulesBetween"> {
    return {
      judge: async (accepted, candidate) => {
        await source.listFiles(candidate, [MANIFEST]);
        return this.#trust.judge(accepted, candidate);
      },
      trustOf: async (commit) => {
        await source.listFiles(commit, [MANIFEST]);
        return this.#trust.trustOf(commit);
      },
      rulesBetween: async (before, after) => {
        await source.listFiles(after, [MANIFEST]);
        return this.#trust.rulesBetween(before, after);
      },
    };
  }

  through(source: Pick<GitSource, "listFiles">): CommitCompiler {
    return async (commit) => {
      await source.listFiles(commit, [MANIFEST]);
      const known = this.#done.get(commit) ?? this.#compile(commit);
      this.#done.set(commit, known);
      return known;
    };
  }

  partThrough(source: Pick<GitSource, "listFiles">): PartCompiler {
    return async (commit: CommitId, units: ReadonlySet<UnitName>) => {
      await source.listFiles(commit, [MANIFEST]);
      const key = [commit, ...[...units].sort()].join(" ");
      const known = this.#parts.get(key) ?? this.#compilePart(commit, units);
      this.#parts.set(key, known);
      return known;
    };
  }
}
