import assert from "node:assert/strict";
import { test } from "node:test";
import { trustOf } from "../../test/trust-of.ts";
import { MemoryFileStore } from "../adapters/memory/memory-file-store.ts";
import { MemoryGitSource, MemoryRepository } from "../adapters/memory/memory-git-source.ts";
import { VirtualClock } from "../adapters/memory/virtual-clock.ts";
import { emptySnapshot } from "../domain/cluster/empty-snapshot.ts";
import type { CommitId, SpecHash, UnitName } from "../domain/names.ts";
import type { ReleaseId, RolloutPhase } from "../domain/rollout/rollout-record.ts";
import { startRollout } from "../domain/rollout/start-rollout.ts";
import type { SpecPart } from "../domain/spec/commit-part.ts";
import { AgentFiles } from "../usecases/agent-files.ts";
import { AgentMemory } from "./agent-memory.ts";
import { BaseTaker } from "./base-taker.ts";

const UNITS = new Set(["web.service" as UnitName]);
const hashOf = (commit: CommitId) => `spec of ${commit}` as SpecHash;

/** An agent that has accepted the last of three commits, and what its registry says of the rollout. */
async function world() {
  const repository = new MemoryRepository();
  const commits = ["one", "two", "three"].map((text) => repository.push("main", { "fleet.yaml": text }, text));
  const foreign = repository.push("other", { "fleet.yaml": "evil" }, "evil");
  const clock = new VirtualClock();
  const memory = new AgentMemory("prod", new AgentFiles(new MemoryFileStore()), () => {});
  const [first, second, third] = commits as [CommitId, CommitId, CommitId];
  await memory.remember({ ...memory.state, accepted: { seq: 3, commit: third, specHash: hashOf(third) } });
  const read: CommitId[] = [];
  const compilePart = async (commit: CommitId) => {
    read.push(commit);
    return { spec: { cluster: commit } as unknown as SpecPart, diagnostics: [] };
  };
  const source = new MemoryGitSource(repository, "main");
  const taker = new BaseTaker(memory, { source, trust: trustOf(source), compilePart, clock, log: () => {} });
  const release = (seq: number, commit: CommitId): ReleaseId => ({ seq, commit, specHash: hashOf(commit) });
  const hear = (phase: RolloutPhase, base: ReleaseId | null, of: ReleaseId = release(3, third)) => {
    const record = { ...startRollout(of, null, ""), phase, base };
    return taker.hear({ ...emptySnapshot, rollouts: { records: [{ seq: 3, record, modRevision: 1 }], orders: [] } });
  };
  const taken = async () => (await taker.specFor(UNITS))?.cluster ?? null;
  return { first, second, third, foreign, memory, read, release, hear, taken };
}

test("texts of the release that a rollout goes back to are taken, and read once", async () => {
  const { second, hear, release, taken, read, memory } = await world();
  assert.equal(await taken(), null, "nobody has said which");
  await hear("rolled-back", release(2, second));
  assert.deepEqual([await taken(), await taken(), read.length], [second, second, 1]);
  assert.equal(memory.state.floor, second);
});

test("once a release has ended well nothing of before it is", async () => {
  const { second, third, hear, release, taken, memory } = await world();
  await hear("done", release(2, second));
  assert.deepEqual([await taken(), memory.state.floor], [null, third]);
  await hear("rolling-back", release(2, second));
  assert.equal(await taken(), null, "whoever writes that into the registry later");
});

test("nor what is older than the last release known to have ended well, or never led to this one", async () => {
  const { first, second, foreign, hear, release, taken, memory } = await world();
  await hear("rolling", release(2, second));
  assert.equal(await taken(), second);
  await hear("rolling-back", release(1, first));
  assert.deepEqual([await taken(), memory.state.floor], [null, second]);
  const other = await world();
  await other.hear("rolling-back", other.release(2, other.foreign));
  assert.equal(await other.taken(), null);
  assert.notEqual(foreign, second);
});

test("what is said of another release's rollout is not said of this one", async () => {
  const { first, second, hear, release, taken } = await world();
  await hear("rolled-back", release(1, first), release(3, second));
  assert.equal(await taken(), null);
});
