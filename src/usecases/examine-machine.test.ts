import assert from "node:assert/strict";
import { test } from "node:test";
import { joinMachine, pretendId } from "../../test/pretend-machine.ts";
import { VirtualClock } from "../adapters/memory/virtual-clock.ts";
import { MvccRegistry } from "../adapters/mvcc/mvcc-registry.ts";
import { MvccStore } from "../adapters/mvcc/mvcc-store.ts";
import { encodeRecord } from "../codec/record.ts";
import { registryKeys } from "../codec/registry-keys.ts";
import type { MachineProbes } from "../ports/machine-probes.ts";
import { OperationError } from "../ports/operation-error.ts";
import { examineMachine, PROBE_MAX_MS } from "./examine-machine.ts";

const keys = registryKeys("home");
const daemon = (unit: string) => ({
  unit,
  load: "loaded",
  active: "active",
  sub: "running",
  result: "success",
  since: "",
  restarts: 0,
  isEnabled: true,
  openFilesMax: null,
});

test("a healthy machine has nothing wrong with it", async () => {
  const { examine } = await world();
  assert.deepEqual(codes(await examine()), []);
});

test("a machine that follows git alone needs no registry, and says how far it is", async () => {
  const memory = { clusterId: "standalone:home", clusterName: "home", releaseSeq: 1, placed: 0, damaged: [] };
  const { examine } = await world({
    registry: async () => null,
    memory: async () => ({ ...memory, isBootSetCut: false }),
    standalone: async () => ({ state: { cluster: "home", commit: null, tip: null, problem: null } }),
  });
  const areas = await examine();
  assert.deepEqual(codes(areas), []);
  assert.equal(areas.find(({ area }) => area === "cluster")?.saw, "home, alone: no commit yet");
});

test("whatever hangs is given up on, all at once, and the rest is told", async () => {
  const never = () => new Promise<never>(() => {});
  const { examine, clock } = await world({ systemd: never, registry: never, podman: never, source: never });
  const asked = examine();
  await clock.advance(PROBE_MAX_MS - 1);
  assert.equal(await Promise.race([asked, "waits"]), "waits");
  await clock.advance(1);
  assert.deepEqual(codes(await asked), [
    "systemd not-seen",
    "registry not-seen",
    "source source-away",
    "podman not-seen",
  ]);
});

test("a registry that takes the call and never answers is away", async () => {
  const silent = new MvccRegistry(new MvccStore(), new VirtualClock());
  silent.describe = () => new Promise<never>(() => {});
  const { examine, clock } = await world({ registry: async () => ({ address: "etcd://e1:2379", registry: silent }) });
  const asked = examine();
  await clock.advance(PROBE_MAX_MS);
  assert.deepEqual(codes(await asked), ["registry registry-away"]);
});

test("whoever is not root is told what root would see", async () => {
  const denied = async () => {
    throw new OperationError("not-allowed", "only root");
  };
  const { examine } = await world({ memory: denied, units: denied });
  const areas = await examine();
  assert.deepEqual(codes(areas), ["memory not-seen", "units not-seen"]);
  assert.equal(areas.find(({ area }) => area === "memory")?.findings[0]?.next, "run fleet doctor as root");
});

test("a registry that refuses is away, with its reason", async () => {
  const { examine, store } = await world();
  const registry = new MvccRegistry(store, new VirtualClock());
  await registry.close();
  const closed = await world({ registry: async () => ({ address: "etcd://e1:2379", registry }) });
  assert.deepEqual(codes(await closed.examine()), ["registry registry-away"]);
  assert.deepEqual(codes(await examine()), []);
});

test("a registry that is behind what this machine's daemons have seen is told, with what is behind", async () => {
  const mark = { clusterId: "c1", epoch: 1, term: 0, seq: 9, commit: null };
  const memory = { clusterId: "c1", clusterName: "home", releaseSeq: 9, placed: 0, damaged: [], isBootSetCut: false };
  const { examine } = await world({ memory: async () => ({ ...memory, marks: [mark] }) });
  const areas = await examine();
  assert.deepEqual(codes(areas), ["cluster registry-replaced-here"]);
  const [finding] = areas.find(({ area }) => area === "cluster")!.findings;
  assert.match(finding!.saw, /holds no release, and release 9 was seen/);
});

test("another cluster, a copied machine and a clock that is behind are known by what the registry holds", async () => {
  const { examine, put, clock } = await world({ bootId: async () => "another boot" });
  await put(keys.cluster, {
    id: "c2",
    name: "home",
    source: "",
    branch: "main",
    manifest: "fleet.yaml",
    epoch: 1,
  });
  const at = new Date(clock.wallMs() + 3_600_000).toISOString();
  const release = { seq: 1, commit: "1", specHash: "1", contentId: "1", planId: "1", parent: null, by: "ada", at };
  await put(keys.release, { ...release, op: "1" });
  assert.deepEqual(codes(await examine()), [
    "cluster other-cluster-here",
    "cluster machine-id-twice",
    "cluster clock-behind",
  ]);
});

test("a bug in a probe is no finding", async () => {
  const { examine } = await world({
    limits: async () => {
      throw new TypeError("of ours");
    },
  });
  await assert.rejects(examine(), TypeError);
});

function codes(areas: Awaited<ReturnType<typeof examineMachine>>): string[] {
  return areas.flatMap(({ area, findings }) => findings.map(({ code }) => `${area} ${code}`));
}

async function world(others: Partial<MachineProbes> = {}) {
  const clock = new VirtualClock();
  const store = new MvccStore();
  const registry = new MvccRegistry(store, clock);
  await joinMachine(registry, keys, "m1", {});
  const put = (key: string, record: object) =>
    registry.txn({ when: [], then: [{ kind: "put", key, value: encodeRecord(record) }] });
  const identity = { id: "c1", name: "home", source: "", branch: "main", manifest: "fleet.yaml", epoch: 1 };
  await put(keys.cluster, identity);
  const probes: MachineProbes = {
    systemd: async () => ({
      firstProcess: "systemd",
      isBooted: true,
      version: 257,
      busProblem: null,
      machineId: pretendId("m1"),
    }),
    disk: async () => [],
    limits: async () => ({ inotifyInstances: 128, inotifyWatches: 8_192 }),
    daemons: async () => ({
      agent: daemon("fleet-agent.service"),
      engine: daemon("fleet-engine.service"),
      restore: daemon("fleet-restore.service"),
      agentAnswers: true,
    }),
    memory: async () => ({
      clusterId: "c1",
      clusterName: "home",
      releaseSeq: 1,
      placed: 0,
      damaged: [],
      isBootSetCut: false,
    }),
    units: async () => [],
    registry: async () => ({ address: "etcd://e1:2379", registry: new MvccRegistry(store, clock) }),
    sourceAddress: () => "/srv/git",
    source: async () => {},
    podman: async () => ({ version: null, hasGenerator: false }),
    bootId: async () => "boot",
    ...others,
  };
  return { clock, store, put, examine: () => examineMachine(probes, clock, undefined) };
}
