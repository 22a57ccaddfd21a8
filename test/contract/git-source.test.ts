import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { openHubGitSource } from "../../src/adapters/git/hub-git-source.ts";
import { type LocalGitSource, openLocalGitSource } from "../../src/adapters/git/local-git-source.ts";
import { type MirrorGitSource, openMirrorGitSource } from "../../src/adapters/git/mirror-git-source.ts";
import { MemoryGitSource, MemoryRepository } from "../../src/adapters/memory/memory-git-source.ts";
import type { CommitId } from "../../src/domain/names.ts";
import type { GitSource } from "../../src/ports/git-source.ts";
import type { ObjectSource } from "../../src/ports/object-source.ts";
import { serveGitRepository } from "./git-http-server.ts";
import { makeTestRepository, type TestRepository } from "./git-repository.ts";
import { EXECUTABLE, type GitWorld, gitSourceContract, HISTORY } from "./git-source.contract.ts";
import { openObjectHub, serviceOf } from "./object-hub.ts";

gitSourceContract("memory", async () => {
  const repository = new MemoryRepository();
  const ids: Record<string, CommitId> = {};
  for (const { name, parents, files, subject } of HISTORY) {
    const bytes = new TextEncoder().encode(files[EXECUTABLE] ?? "");
    const executable = { [EXECUTABLE]: { kind: "file", bytes, executable: true } as const };
    const all = files[EXECUTABLE] === undefined ? files : { ...files, ...executable };
    ids[name] = repository.commit(all, { parents: parents.map((parent) => ids[parent]!), subject });
  }
  repository.setBranch("main", ids.tip!);
  repository.tags.set("old", ids.second!);
  const source = new MemoryGitSource(repository, "main");
  return {
    source,
    ids,
    setMain: async (commit) => repository.setBranch("main", commit),
    close: () => source.close(),
  };
});

gitSourceContract("local, loose objects", async () => localWorld((repository) => repository.path));
gitSourceContract("local, packed with deltas", async () =>
  localWorld((repository) => {
    repository.git(["gc", "--quiet", "--aggressive", "--prune=now"]);
    return repository.path;
  }),
);
gitSourceContract("local, bare", async () => localWorld((repository) => join(repository.path, ".git")));
gitSourceContract("local, from a folder inside", async () =>
  localWorld((repository) => join(repository.path, "units")),
);
gitSourceContract("mirror over HTTP", mirrorWorld);

gitSourceContract("hub, of a local repository", () => hubWorld(localWorld((repository) => repository.path)));
gitSourceContract("hub, of a mirror over HTTP", () => hubWorld(mirrorWorld()));

test("the working tree tells what is executable, as a commit does", async () => {
  const { source, ids, close } = await localWorld((repository) => repository.path);
  const [commit, worktree] = [source, source.openWorktree()].map((one) => one.listFiles(ids.tip!, [""]));
  assert.deepEqual(await worktree, await commit);
  await close();
});

/** A machine that sees that world through an engine. */
async function hubWorld<Source extends GitSource & ObjectSource>(
  made: Promise<GitWorld & { readonly source: Source }>,
): Promise<GitWorld> {
  const engine = await made;
  const hub = await openObjectHub(serviceOf(engine.source));
  const source = await openHubGitSource({ target: hub.target, branch: "main", folder: join(hub.folder, "mirror") });
  return {
    source,
    ids: engine.ids,
    hasTags: false,
    setMain: engine.setMain,
    async close() {
      await source.close();
      hub.close();
      await engine.close();
    },
  };
}

async function localWorld(
  prepare: (repository: TestRepository) => string,
): Promise<GitWorld & { readonly source: LocalGitSource }> {
  const { repository, ids } = buildHistory();
  const source = openLocalGitSource(prepare(repository), "main");
  return {
    source,
    ids,
    setMain: async (commit) => setBranch(repository, commit),
    async close() {
      await source.close();
      repository.remove();
    },
  };
}

async function mirrorWorld(): Promise<GitWorld & { readonly source: MirrorGitSource }> {
  const { repository, ids } = buildHistory();
  const server = await serveGitRepository(join(repository.path, ".git"));
  const folder = mkdtempSync(join(tmpdir(), "fleet-mirror-"));
  const source = await openMirrorGitSource({ url: server.url, branch: "main", folder });
  return {
    source,
    ids,
    setMain: async (commit) => setBranch(repository, commit),
    async close() {
      await source.close();
      await server.close();
      rmSync(folder, { recursive: true });
      repository.remove();
    },
  };
}

/** A copy of the one that is built first: git runs forty times for it. */
function buildHistory(): { repository: TestRepository; ids: Record<string, CommitId> } {
  built ??= buildFirst();
  const repository = makeTestRepository({ from: built.repository.path });
  return { repository, ids: built.ids };
}

let built: ReturnType<typeof buildFirst> | null = null;
after(() => built?.repository.remove());

function buildFirst(): { repository: TestRepository; ids: Record<string, CommitId> } {
  const repository = makeTestRepository();
  const ids: Record<string, CommitId> = {};
  for (const { name, parents, files, subject } of HISTORY) {
    repository.git(["read-tree", "--empty"]);
    for (const [path, text] of Object.entries(files)) {
      const oid = repository.git(["hash-object", "-w", "--stdin"], text);
      repository.git([
        "update-index",
        "--add",
        "--cacheinfo",
        `${path === EXECUTABLE ? "100755" : "100644"},${oid},${path}`,
      ]);
    }
    const tree = repository.git(["write-tree"]);
    const before = parents.flatMap((parent) => ["-p", ids[parent]!]);
    ids[name] = repository.git(["commit-tree", tree, ...before, "-m", subject]) as CommitId;
  }
  repository.git(["update-ref", "refs/heads/main", ids.tip!]);
  repository.git(["update-ref", "refs/heads/keep-side", ids.side!]);
  repository.git(["tag", "--annotate", "--message", "an annotated tag", "old", ids.second!]);
  repository.git(["reset", "--quiet", "--hard"]);
  return { repository, ids };
}

function setBranch(repository: TestRepository, commit: CommitId | null): void {
  if (commit === null) repository.git(["update-ref", "-d", "refs/heads/main"]);
  else repository.git(["update-ref", "refs/heads/main", commit]);
}
