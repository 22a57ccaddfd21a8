import assert from "node:assert/strict";
import { test } from "node:test";
import { compileRepository, sha256 } from "../../test/compile-repository.ts";
import { VirtualClock } from "../adapters/memory/virtual-clock.ts";
import { MvccRegistry } from "../adapters/mvcc/mvcc-registry.ts";
import { MvccStore } from "../adapters/mvcc/mvcc-store.ts";
import { encodeRecord } from "../codec/record.ts";
import { registryKeys } from "../codec/registry-keys.ts";
import type { PlacedUnit } from "../domain/cluster/cluster-snapshot.ts";
import { digestOfSet } from "../domain/cluster/digest-of-set.ts";
import type { CommitId, MachineId, UnitName } from "../domain/names.ts";
import type { RolloutRecord } from "../domain/rollout/rollout-record.ts";
import { startRollout } from "../domain/rollout/start-rollout.ts";
import { unitOnMachine } from "../domain/spec/unit-on-machine.ts";
import { waitConverged } from "./wait-converged.ts";

const keys = registryKeys("prod");
const M1 = "1".repeat(32) as MachineId;
const A = "a.service" as UnitName;
const { spec } = compileRepository({
  "fleet.yaml": "apiVersion: fleet/v1\ncluster: prod\n",
  "units/a.service": "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n",
});
const { hash } = unitOnMachine(spec!.units[0]!, null, spec!, sha256);

async function world() {
  const clock = new VirtualClock();
  const registry = new MvccRegistry(new MvccStore(), clock);
  const put = (key: string, record: object) =>
    registry.txn({ when: [], then: [{ kind: "put", key, value: encodeRecord(record) }] });
  const release = (seq: number, specHash: string) =>
    put(keys.release, {
      ...{ seq, commit: "f", specHash, contentId: "", planId: "", parent: null, by: "ann", at: "", op: "" },
    });
  const identity = { id: "c", name: "prod", source: "", branch: "main", manifest: "fleet.yaml", epoch: 1 };
  await put(keys.cluster, identity);
  await release(1, spec!.specHash);
  const member = { name: "m1", address: "", metadata: {}, bootId: "", version: "", joined: "", acceptedSeq: 1 };
  await put(keys.member(M1), member);
  await put(keys.presence(M1), { bootId: "", op: "" });
  const place = async () => {
    const placed: PlacedUnit = { unit: A, hash, goal: "launched" };
    await put(keys.assign(A), { machine: M1, hash, goal: "launched", reason: "planned" });
    await put(keys.placement(M1, A), { hash, goal: "launched" });
    await put(keys.set(M1), { epoch: 1, generation: 1, count: 1, digest: digestOfSet([placed], sha256), op: "" });
  };
  const say = (active: string, sub: string) =>
    put(keys.status(M1, A), {
      ...{ load: "loaded", active, sub, hash, started: true, since: "", result: "success", invocation: "1" },
      problem: active === "failed" ? { code: "failed", detail: "", journal: ["boom"] } : null,
    });
  const roll = (changes: Partial<RolloutRecord>) =>
    put(keys.rollout(1), {
      ...startRollout({ seq: 1, commit: "f" as CommitId, specHash: spec!.specHash }, null, ""),
      ...changes,
    });
  const progress: number[] = [];
  let ended: unknown = null;
  let failed: unknown = null;
  const wait = (timeoutMs: number) =>
    waitConverged({
      registry,
      keys,
      spec: spec!,
      releaseSeq: 1,
      timeoutMs,
      clock,
      sha256,
      onProgress: (state) => progress.push(state.waiting.length),
    }).then(
      ({ converged, settled, ...state }) => {
        ended = { converged, settled };
        failed = state.failed.map(({ because }) => because.code === "problem" && because.problem.journal);
      },
      (error: { code?: string }) => {
        ended = error.code ?? error;
      },
    );
  return { clock, release, place, say, roll, wait, progress, ended: () => ended, failed: () => failed };
}

test("it waits until the unit is placed and its machine says that it is up", async () => {
  const { clock, place, say, wait, progress, ended } = await world();
  void wait(60_000);
  await clock.advance(1_000);
  await place();
  await clock.advance(1_000);
  await say("activating", "start");
  await clock.advance(1_000);
  assert.equal(ended(), null);
  await say("active", "exited");
  await clock.advance(1_000);
  assert.deepEqual(ended(), { converged: true, settled: true });
  assert.deepEqual([progress[0], progress.at(-1)], [1, 0]);
});

test("what is converged already is not waited for, what has failed is told and not waited for longer", async () => {
  for (const [active, sub, converged] of [
    ["active", "exited", true],
    ["failed", "failed", false],
  ] as const) {
    const { clock, place, say, wait, ended } = await world();
    await place();
    await say(active, sub);
    void wait(60_000);
    await clock.advance(10);
    assert.deepEqual(ended(), { converged, settled: true });
  }
});

test("a rollout that goes back is waited for until it is back, and what failed keeps the journal it had", async () => {
  const { clock, place, say, roll, wait, ended, failed } = await world();
  const failures = [{ unit: A, machine: M1, because: { code: "failed", detail: "exit-code" } as const }];
  await place();
  await say("failed", "failed");
  await roll({ phase: "rolling-back", failures });
  void wait(60_000);
  await clock.advance(30_000);
  assert.equal(ended(), null);
  await say("active", "exited");
  await roll({ phase: "rolled-back", failures });
  await clock.advance(1_000);
  assert.deepEqual(ended(), { converged: false, settled: true });
  assert.deepEqual(failed(), [["boom"]]);
});

test("when its time is up it says how far it came", async () => {
  const { clock, wait, ended } = await world();
  void wait(60_000);
  await clock.advance(59_999);
  assert.equal(ended(), null);
  await clock.advance(1);
  assert.deepEqual(ended(), { converged: false, settled: false });
});

test("a newer release of another spec ends the wait; one of the same spec does not", async () => {
  const { clock, release, wait, ended } = await world();
  void wait(60_000);
  await release(2, spec!.specHash);
  await clock.advance(1_000);
  assert.equal(ended(), null);
  await release(3, "another");
  await clock.advance(1_000);
  assert.equal(ended(), "superseded");
});
