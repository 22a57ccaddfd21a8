import { MemoryGitSource, type MemoryRepository } from "../adapters/memory/memory-git-source.ts";
import { sha256 } from "../adapters/sha256.ts";
import type { CommitId } from "../domain/names.ts";
import type { GitSource } from "../ports/git-source.ts";
import type { CommitCompiler } from "../usecases/commit-compiler.ts";
import { commitCompiler } from "../usecases/compile-commit.ts";

const MANIFEST = "fleet.yaml";

/**
 * The compiler of every daemon of a simulated cluster: each must reach the commit by its own source, and what comes of it, the same for
 * all, is worked out once. Compiling for each of them was a tenth of a seed's time.
 */
export class CompileOnce {
  readonly #compile: CommitCompiler;
  readonly #done = new Map<CommitId, ReturnType<CommitCompiler>>();

  constructor(repository: MemoryRepository) {
    this.#compile = commitCompiler({ source: new MemoryGitSource(repository, "main"), manifestPath: MANIFEST, sha256 });
  }

  through(source: Pick<GitSource, "listFiles">): CommitCompiler {
    return async (commit) => {
      await source.listFiles(commit, [MANIFEST]);
      const known = this.#done.get(commit) ?? this.#compile(commit);
      this.#done.set(commit, known);
      return known;
    };
  }
}
