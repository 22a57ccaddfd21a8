import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../adapters/memory/virtual-clock.ts";
import { MvccRegistry } from "../adapters/mvcc/mvcc-registry.ts";
import { MvccStore } from "../adapters/mvcc/mvcc-store.ts";
import { encodeRecord } from "../codec/record.ts";
import { registryKeys } from "../codec/registry-keys.ts";
import type { MachineId } from "../domain/names.ts";
import { hearOfCluster } from "./hear-of-cluster.ts";

const KEYS = registryKeys("prod");
const M1 = "1".repeat(32) as MachineId;
const MEMBER = { name: "m1", address: "", metadata: {}, bootId: "b", version: "", joined: "", acceptedSeq: 0 };
const CLUSTER = { id: "c".repeat(32), name: "prod", source: "", branch: "main", manifest: "fleet.yaml", epoch: 1 };

function world() {
  const clock = new VirtualClock();
  const registry = new MvccRegistry(new MvccStore(), clock);
  const put = (key: string, record: object) =>
    registry.txn({ when: [], then: [{ kind: "put", key, value: encodeRecord(record) }] });
  let ended: { readonly code: string; readonly atMs: number } | null = null;
  const end = (code: string) => {
    ended = { code, atMs: clock.monotonicMs() };
  };
  hearOfCluster(registry, KEYS, clock).then(
    () => end("none"),
    (error) => end(error.code),
  );
  return { clock, put, ended: () => ended };
}

test("where a cluster is there is nothing to hear", async () => {
  const { clock, put, ended } = world();
  await put(KEYS.cluster, CLUSTER);
  await clock.advance(200);
  assert.equal(ended()?.code, "none");
});

test("machines that belong to no cluster yet get one after a second", async () => {
  const { clock, put, ended } = world();
  await put(KEYS.member(M1), MEMBER);
  await put(KEYS.presence(M1), { bootId: "b", op: "o" });
  await clock.advance(900);
  assert.equal(ended(), null);
  await clock.advance(200);
  assert.equal(ended()?.code, "none");
});

test("one that comes back to a wiped registry in time says that it is no new one", async () => {
  const { clock, put, ended } = world();
  await clock.advance(2_500);
  assert.equal(ended(), null, "while nobody is there it listens for longer");
  await put(KEYS.member(M1), { ...MEMBER, cluster: CLUSTER.id });
  await clock.advance(200);
  assert.equal(ended()?.code, "registry-replaced");
});

test("so does an engine that remembers it", async () => {
  const { clock, put, ended } = world();
  const known = { clusterId: CLUSTER.id, epoch: 1, term: 2, seq: 3, commit: null };
  await put(KEYS.report, { leader: "m1", releaseSeq: 0, problem: "replaced", unplaced: [], known });
  await clock.advance(200);
  assert.equal(ended()?.code, "registry-replaced");
});
