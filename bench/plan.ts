import { buildIfStale } from "../scripts/build.ts";
import { openLocalGitSource } from "../src/adapters/git/local-git-source.ts";
import { sha256 } from "../src/adapters/sha256.ts";
import { mustRun } from "../src/lab/run-program.ts";
import { commitCompiler } from "../src/usecases/compile-commit.ts";
import { planCommit } from "../src/usecases/plan-commit.ts";
import { type Figures, figuresOf, interleaved, rounded, type Sizes, timed } from "./figures.ts";
import { fleet } from "./fleet-program.ts";
import { makeUnitRepository } from "./unit-repository.ts";

const ROUNDS = 5;

/** `fleet plan --json` of a commit, no cluster, against `git cat-file --batch` of the same blobs. */
export async function benchPlan(sizes: Sizes): Promise<Figures> {
  const units = sizes.units ?? 3_000;
  await buildIfStale();
  const repository = await makeUnitRepository(units, "bench");
  try {
    const listing = await mustRun(["git", "-C", repository.path, "ls-tree", "-r", "--format=%(objectname)", "HEAD"]);
    const { floor, ours } = await interleaved(
      ROUNDS,
      async () => void (await mustRun(["git", "-C", repository.path, "cat-file", "--batch"], { stdin: listing })),
      async () => void (await fleet("plan", "--json", "-C", repository.path, "--registry", "none")),
    );
    const inProcessMs = await timed(() => planOnce(repository.path));
    return figuresOf(ours, floor, "ms", { units, rounds: ROUNDS, inProcessMs: rounded(inProcessMs) });
  } finally {
    repository.remove();
  }
}

/** The same without starting a process: opening, reading, compiling, deciding. */
async function planOnce(path: string): Promise<void> {
  const source = openLocalGitSource(path);
  const commit = await source.resolve("HEAD");
  const compile = commitCompiler({ source, manifestPath: "fleet.yaml", sha256 });
  const planned = await planCommit({ commit: commit!, compile, cluster: null, partial: null, sha256 });
  if (planned.kind !== "planned") throw new Error("the bench's own repository is refused");
}
