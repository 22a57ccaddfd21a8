import assert from "node:assert/strict";
import { test } from "node:test";
import { trustOf } from "../../test/trust-of.ts";
import { MemoryGitSource, MemoryRepository } from "../adapters/memory/memory-git-source.ts";
import { sha256 } from "../adapters/sha256.ts";
import type { AcceptedRelease } from "../codec/agent-state.ts";
import type { ClusterIdentity, Release } from "../domain/cluster/cluster-snapshot.ts";
import type { CommitId, SpecHash } from "../domain/names.ts";
import { acceptRelease } from "./accept-release.ts";
import { commitCompiler } from "./compile-commit.ts";

const identity: ClusterIdentity = {
  id: "c",
  name: "prod",
  source: "",
  branch: "main",
  manifest: "fleet.yaml",
  epoch: 1,
};
const files = (text: string, cluster = "prod") => ({
  "fleet.yaml": `apiVersion: fleet/v1\ncluster: ${cluster}\n`,
  "units/a.service": `[Service]\nExecStart=/bin/echo ${text}\n`,
});

function world() {
  const repository = new MemoryRepository();
  const source = new MemoryGitSource(repository, "main");
  const compile = commitCompiler({ source, manifestPath: "fleet.yaml", sha256 });
  const trust = trustOf(source);
  const releaseOf = async (commit: CommitId, seq = 1): Promise<Release> => {
    const { spec } = await compile(commit);
    const specHash = spec?.specHash ?? ("0" as SpecHash);
    return { seq, commit, specHash, contentId: "", planId: "", parent: null, by: "", at: "" };
  };
  const accept = async (release: Release, accepted: Release | null = null) => {
    const before: AcceptedRelease | null =
      accepted === null ? null : { seq: accepted.seq, commit: accepted.commit, specHash: accepted.specHash };
    const verdict = await acceptRelease(release, identity, before, { source, trust }, compile);
    return verdict.kind === "accept" ? "accept" : verdict.problem.code;
  };
  return { repository, source, releaseOf, accept };
}

test("a first release on the branch is accepted, and one that descends from it", async () => {
  const { repository, releaseOf, accept } = world();
  const first = await releaseOf(repository.push("main", files("one")));
  const second = await releaseOf(repository.push("main", files("two")), 2);
  assert.equal(await accept(first), "accept");
  assert.equal(await accept(second, first), "accept");
  assert.equal(await accept({ ...second, seq: 3 }, second), "accept");
});

test("a commit that requires another fleet is refused, and one that then requires this one is accepted", async () => {
  const { repository, releaseOf, accept } = world();
  const requiring = (range: string) => {
    const all = files("one");
    return { ...all, "fleet.yaml": `${all["fleet.yaml"]}requires: "${range}"\n` };
  };
  const first = await releaseOf(repository.push("main", files("one")));
  const newer = await releaseOf(repository.push("main", requiring(">=99")), 2);
  assert.equal(await accept(newer, first), "commit-invalid");
  const known = await releaseOf(repository.push("main", requiring(">=0.1 <99")), 3);
  assert.equal(await accept(known, first), "accept");
  assert.equal(known.specHash, first.specHash, "it is no part of what should run");
});

test("a commit that is in the repository and not on the branch is refused", async () => {
  const { repository, releaseOf, accept } = world();
  const tip = repository.push("main", files("one"));
  const fork = await releaseOf(repository.commit(files("evil"), { parents: [tip] }));
  assert.equal(await accept(fork), "not-on-branch");
});

test("going back, or sideways after a force-push, is refused", async () => {
  const { repository, releaseOf, accept } = world();
  const first = await releaseOf(repository.push("main", files("one")));
  const second = await releaseOf(repository.push("main", files("two")), 2);
  assert.equal(await accept({ ...first, seq: 3 }, second), "not-a-descendant");
  const rewritten = repository.commit(files("rewritten"), { parents: [first.commit] });
  repository.setBranch("main", rewritten);
  assert.equal(await accept(await releaseOf(rewritten, 3), second), "not-a-descendant");
});

test("on a history too short to tell nothing is accepted", async () => {
  const { repository, source, releaseOf, accept } = world();
  const tip = repository.push("main", files("one"));
  const fork = await releaseOf(repository.commit(files("two"), { parents: [tip] }));
  source.shallow = true;
  assert.equal(await accept(fork), "not-on-branch");
});

test("a commit of another cluster, one that does not compile, and one with another spec than the release names are refused", async () => {
  const { repository, releaseOf, accept } = world();
  const other = await releaseOf(repository.push("main", files("one", "staging")));
  assert.equal(await accept(other), "other-cluster");
  const invalid = await releaseOf(repository.push("main", { "fleet.yaml": "nonsense" }));
  assert.equal(await accept(invalid), "commit-invalid");
  const good = await releaseOf(repository.push("main", files("two")));
  assert.equal(await accept({ ...good, specHash: "f".repeat(64) as SpecHash }), "spec-differs");
});

test("with the repository away nothing is accepted now, and it is once it is back", async () => {
  const { repository, source, releaseOf, accept } = world();
  const first = await releaseOf(repository.push("main", files("one")));
  source.down = true;
  assert.equal(await accept(first), "commit-unavailable");
  source.down = false;
  assert.equal(await accept(first), "accept");
});
