import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MemoryFileStore } from "../../src/adapters/memory/memory-file-store.ts";
import { sha256 } from "../../src/adapters/sha256.ts";
import { decodeRegistryExport, encodeRegistryExport, type RegistryExport } from "../../src/codec/registry-export.ts";
import type { ReportRecord } from "../../src/codec/registry-records.ts";
import { OperationError } from "../../src/ports/operation-error.ts";
import type { Registry } from "../../src/ports/registry.ts";
import { SimCluster } from "../../src/sim/sim-cluster.ts";
import type { SimMachine } from "../../src/sim/sim-machine.ts";
import { adoptionOf, adoptRegistry, readRemains } from "../../src/usecases/adopt-registry.ts";
import { exportRegistry } from "../../src/usecases/export-registry.ts";
import { hearOfCluster } from "../../src/usecases/hear-of-cluster.ts";
import { importRegistry } from "../../src/usecases/import-registry.ts";
import { changed } from "./defects.ts";
import { away, backUp, restore, wipe } from "./registry-backup.ts";

const server = (argument: string, options = "") =>
  `[Service]\nExecStart=/bin/server ${argument}\n[X-Fleet]\n${options}\n`;
const first = {
  "fleet.yaml": "apiVersion: fleet/v1\ncluster: moved\n",
  "units/everywhere.service": server("one", "Global=true"),
  ...Object.fromEntries([1, 2, 3, 4].map((number) => [`units/free-${number}.service`, server("free")])),
};
/** One unit more and one changed: of what is placed, a registry of the first knows another version, and one unit less. */
const second = { ...first, "units/free-1.service": server("other"), "units/new.service": server("new") };
/** Far beyond a lease, its grace and every patience of the daemons. */
const LONG_MS = 120_000;

/** `machine/unit` → invocation of everything that runs. */
function running({ machines }: SimCluster): Map<string, string> {
  const found = machines.flatMap(({ name, manager }) =>
    [...manager.running()].map(([unit, { invocation }]) => [`${name}/${unit}`, invocation] as const),
  );
  return new Map(found.sort());
}

async function cluster(
  files: Readonly<Record<string, string>> = first,
  engineRegistry: (inner: Registry) => Registry = (inner) => inner,
): Promise<SimCluster> {
  const sim = new SimCluster({ seed: 11, machines: 3, engines: 2, cluster: "moved", defects: { engineRegistry } });
  sim.start();
  await sim.clock.advance(3_000);
  await sim.apply(sim.commit(files, "first"));
  await converged(sim);
  // Its units move and stay away: where everything is, no engine would choose anew.
  const lost = sim.machines[2]!;
  lost.powerOff();
  await sim.clock.advance(30_000);
  lost.powerOn(sim.hasEngine(lost));
  await sim.clock.advance(5_000);
  await converged(sim);
  assert.deepEqual([...lost.manager.running().keys()], ["everywhere.service"]);
  return sim;
}

async function applySecond(sim: SimCluster): Promise<void> {
  await sim.apply(sim.commit(second, "second"));
  await converged(sim);
}

async function converged(sim: SimCluster): Promise<void> {
  for (let second = 0; second < 120; second++) {
    if ((await sim.convergence())?.converged === true) return;
    await sim.clock.advance(1_000);
  }
  assert.fail(`not converged: ${JSON.stringify(await sim.convergence())}`);
}

async function adopt(sim: SimCluster): Promise<void> {
  const remains = await readRemains(sim.registry, sim.keys);
  const done = await adoptRegistry(sim.registry, sim.keys, remains, adoptionOf(remains), () => sim.newId());
  assert.equal(done, true);
}

/** As a file that was written and read again. */
async function exported(sim: SimCluster): Promise<RegistryExport> {
  const text = encodeRegistryExport(await exportRegistry(sim.registry, sim.keys, sim.clock), sha256);
  const decoded = decodeRegistryExport(text, sha256);
  assert.equal(decoded.kind, "export");
  return (decoded as Extract<typeof decoded, { kind: "export" }>).content;
}

function imported(sim: SimCluster, content: RegistryExport, registry: Registry = sim.registry) {
  return importRegistry({ registry, keys: sim.keys, content, clock: sim.clock, newId: () => sim.newId() });
}

async function report(sim: SimCluster): Promise<ReportRecord | null> {
  const [entry] = (await sim.registry.list(sim.keys.report, { exact: true })).entries;
  return entry === undefined ? null : (JSON.parse(entry.value) as ReportRecord);
}

const releaseOf = async (sim: SimCluster) => (await sim.snapshot()).release?.seq ?? null;
const problems = async (sim: SimCluster) => (await sim.snapshot()).members.map(({ problem }) => problem?.code ?? null);
const kept = async (sim: SimCluster) => ((await sim.snapshot()).kept ?? []).length;

describe("a registry that is wiped", () => {
  test("stops nothing, is placed into by nobody, and goes on where it was once it is adopted", async () => {
    const sim = await cluster();
    await applySecond(sim);
    const before = running(sim);
    await wipe(sim);
    await sim.clock.advance(LONG_MS);
    assert.deepEqual(running(sim), before);
    assert.deepEqual(await problems(sim), ["registry-replaced", "registry-replaced", "registry-replaced"]);
    assert.match((await report(sim))?.problem ?? "", /^registry-replaced: .* fleet registry adopt$/);
    assert.deepEqual((await sim.snapshot()).sets, []);
    const commit = sim.commit(second, "second again");
    await assert.rejects(sim.apply(commit), (error: OperationError) => error.code === "registry-replaced");

    await adopt(sim);
    await converged(sim);
    assert.deepEqual(running(sim), before);
    assert.equal(await releaseOf(sim), 2);
    assert.deepEqual(await problems(sim), [null, null, null]);
    assert.equal(await kept(sim), 0, "what the registry shows again is told no more");

    await sim.apply(sim.commit({ ...second, "units/more.service": server("more") }, "third"));
    await converged(sim);
    assert.equal(await releaseOf(sim), 3);
    assert.equal(running(sim).size, before.size + 1);
  });

  test("takes no release as a new cluster, from the moment on that it was wiped", async () => {
    const sim = await cluster();
    const before = running(sim);
    await wipe(sim);
    const [applied] = await Promise.allSettled([
      hearOfCluster(sim.registry, sim.keys, sim.clock).then(() => sim.apply(sim.commit(second, "second"))),
      sim.clock.advance(10_000),
    ]);
    assert.equal(applied.status === "rejected" && applied.reason.code, "registry-replaced");
    await adopt(sim);
    await applySecond(sim);
    assert.equal(running(sim).size, before.size + 1);
  });

  test("stops nothing either while every daemon is killed and started again in it, and is adopted by what is on disk", async () => {
    const sim = await cluster();
    await applySecond(sim);
    const before = running(sim);
    await wipe(sim);
    await sim.clock.advance(3_000);
    for (const machine of sim.machines) {
      machine.crashAgent();
      machine.crashEngine();
      machine.source.down = true;
    }
    await wipe(sim);
    await sim.clock.advance(1_000);
    for (const machine of sim.machines) {
      machine.startAgent();
      if (sim.hasEngine(machine)) machine.startEngine();
    }
    await sim.clock.advance(LONG_MS);
    assert.deepEqual(running(sim), before);
    for (const machine of sim.machines) machine.source.down = false;
    await adopt(sim);
    await converged(sim);
    assert.deepEqual(running(sim), before);
  });

  test("is led after its adoption by an engine that remembers nothing, and in turn by the one that remembers", async () => {
    const sim = await cluster();
    const before = running(sim);
    const [one, other] = sim.machines as [SimMachine, SimMachine];
    for (let term = 0; term < 3; term++) {
      for (const machine of [one, other]) machine.crashEngine();
      await sim.clock.advance(20_000);
      for (const machine of [one, other]) machine.startEngine();
      await sim.clock.advance(20_000);
    }
    await wipe(sim);
    await sim.clock.advance(5_000);
    for (const machine of [one, other]) machine.crashEngine();
    other.engineFiles = new MemoryFileStore();
    await adopt(sim);
    other.startEngine();
    await sim.clock.advance(20_000);
    one.startEngine();
    await sim.clock.advance(LONG_MS);
    other.crashEngine();
    await sim.clock.advance(LONG_MS);
    await sim.apply(sim.commit(second, "second"));
    await converged(sim);
    assert.equal(running(sim).size, before.size + 1);
  });

  test("is not adopted for a machine that is away until its time is over, and that one keeps what it runs", async () => {
    const sim = await cluster();
    const lost = sim.machines.find(({ manager }) => manager.running().size > 1)!;
    const before = running(sim);
    lost.setPartitioned(true);
    await sim.clock.advance(1_000);
    await wipe(sim);
    await sim.clock.advance(5_000);
    await adopt(sim);
    await sim.clock.advance(3_000);
    assert.deepEqual(running(sim), before, "units nobody told of may run on the machine that is away");
    lost.setPartitioned(false);
    await converged(sim);
    assert.deepEqual(running(sim), before, "it has told in time");
  });

  test("is taken over whole, also by an engine that finds it half done", async () => {
    const many = Object.fromEntries(Array.from({ length: 90 }, (_, index) => [`units/u${index}.service`, server("u")]));
    const mortal = { writesLeft: Number.POSITIVE_INFINITY };
    const sim = await cluster({ ...first, ...many }, (inner) =>
      changed(inner, {
        txn: (txn) => {
          const isSet = txn.then.some(
            ({ kind, ...rest }) => kind === "put" && "key" in rest && /placements/.test(rest.key),
          );
          if (isSet && mortal.writesLeft-- <= 0)
            return Promise.reject(new OperationError("died", "the engine is killed here"));
          return inner.txn(txn);
        },
      }),
    );
    const before = running(sim);
    await wipe(sim);
    await sim.clock.advance(5_000);
    mortal.writesLeft = 1;
    await adopt(sim);
    await sim.clock.advance(5_000);
    const { sets } = await sim.snapshot();
    assert.ok(
      sets.some(({ header, placements }) => header !== null && header.count > placements.length),
      "half is written",
    );
    assert.deepEqual(running(sim), before);
    for (const machine of sim.machines.slice(0, 2)) machine.crashEngine();
    mortal.writesLeft = Number.POSITIVE_INFINITY;
    for (const machine of sim.machines.slice(0, 2)) machine.startEngine();
    await sim.clock.advance(20_000);
    await converged(sim);
    assert.deepEqual(running(sim), before);
  });
});

describe("a registry that is restored from an older backup", () => {
  for (const memory of ["engines that remember", "engines with fresh disks"]) {
    test(`stops nothing and is not placed into by ${memory}, until it is adopted`, async () => {
      const sim = await cluster();
      const backup = await backUp(sim);
      await applySecond(sim);
      const before = running(sim);
      await away(sim, () => restore(sim, backup));
      if (memory === "engines with fresh disks") {
        for (const machine of sim.machines.slice(0, 2)) {
          machine.crashEngine();
          machine.engineFiles = new MemoryFileStore();
          machine.startEngine();
        }
      }
      await sim.clock.advance(LONG_MS);
      assert.deepEqual(running(sim), before);
      assert.deepEqual(await problems(sim), ["registry-replaced", "registry-replaced", "registry-replaced"]);
      assert.match((await report(sim))?.problem ?? "", /^registry-replaced: .*release/);
      const commit = sim.commit(first, "back");
      await assert.rejects(sim.apply(commit), (error: OperationError) => error.code === "registry-replaced");

      await adopt(sim);
      await converged(sim);
      assert.deepEqual(running(sim), before);
      assert.equal(await releaseOf(sim), 2);
      assert.deepEqual(await problems(sim), [null, null, null]);
    });
  }

  test("in which its leader led by the lease it has now: that keeps nobody from saying what happened, or from leading", async () => {
    const sim = await cluster();
    await sim.clock.advance(LONG_MS);
    const backup = sim.registry.backup();
    // It leads again by another record, under the same lease.
    await sim.registry.txn({ when: [], then: [{ kind: "delete", key: sim.keys.leader }] });
    await sim.clock.advance(5_000);
    await applySecond(sim);
    const before = running(sim);
    sim.registry.restore(backup);
    await sim.clock.advance(LONG_MS);
    assert.deepEqual(running(sim), before);
    assert.match((await report(sim))?.problem ?? "", /^registry-replaced: .*release/);
    await adopt(sim);
    await converged(sim);
    assert.deepEqual(running(sim), before);
  });
});

describe("an export", () => {
  test("imported in place of what was there goes on in a new epoch, and nothing is started for it", async () => {
    const sim = await cluster();
    await applySecond(sim);
    const before = running(sim);
    const content = await exported(sim);
    await wipe(sim);
    await sim.clock.advance(3_000);
    const { epoch } = await imported(sim, content);
    assert.equal(epoch, 2);
    await sim.clock.advance(LONG_MS);
    await converged(sim);
    assert.deepEqual(running(sim), before);
    assert.deepEqual(await problems(sim), [null, null, null]);
    const { sets } = await sim.snapshot();
    assert.deepEqual([...new Set(sets.map(({ header }) => header?.epoch))], [2]);
  });

  test("that is older than what runs takes nothing away: what came after it is adopted from the machines", async () => {
    const sim = await cluster();
    const content = await exported(sim);
    await applySecond(sim);
    const before = running(sim);
    await wipe(sim);
    await imported(sim, content);
    await sim.clock.advance(LONG_MS);
    assert.deepEqual(running(sim), before);
    assert.match((await report(sim))?.problem ?? "", /registry-replaced: m\d has taken release 2/);
    await adopt(sim);
    await converged(sim);
    assert.deepEqual(running(sim), before);
    assert.equal(await releaseOf(sim), 2);
  });

  test("is not imported where a cluster is, and says what is there", async () => {
    const sim = await cluster();
    const content = await exported(sim);
    const { revision } = await sim.snapshot();
    await assert.rejects(imported(sim, content), (error: OperationError) => {
      assert.equal(error.code, "registry-not-empty");
      assert.match(error.message, /cluster/);
      return true;
    });
    assert.equal((await sim.snapshot()).revision, revision);
  });

  test("whose import dies at any write leaves nothing anybody acts on, and is imported by the next try", async () => {
    const sim = await cluster();
    const content = await exported(sim);
    const before = running(sim);
    for (let survived = 0; ; survived++) {
      await wipe(sim);
      let left = survived;
      const mortal = changed(sim.registry, {
        txn: (txn) => {
          const isWrite = txn.then.some(({ kind }) => kind !== "list");
          if (isWrite && left-- <= 0) return Promise.reject(new OperationError("died", "the import is killed here"));
          return sim.registry.txn(txn);
        },
      });
      const died = await imported(sim, content, mortal).then(
        () => false,
        () => true,
      );
      if (!died) break;
      await sim.clock.advance(3_000);
      assert.equal((await sim.snapshot()).identity, null, `after ${survived} writes`);
      assert.deepEqual(running(sim), before);
      await imported(sim, content);
      await sim.clock.advance(10_000);
      await converged(sim);
      assert.deepEqual(running(sim), before);
    }
    await converged(sim);
    assert.deepEqual(running(sim), before);
  });

  test("is whole or nothing: a file that was cut or edited is refused", async () => {
    const text = encodeRegistryExport(await exported(await cluster()), sha256);
    const lines = text.split("\n");
    const cases: [string, string][] = [
      ["its end is missing", `${lines.slice(0, -2).join("\n")}\n`],
      ["its last line is cut", text.slice(0, -5)],
      ["its checksum is of other content", text.replace("everywhere", "elsewhere")],
      ["it is no export of a registry", "{}\n"],
    ];
    for (const [problem, damaged] of cases)
      assert.deepEqual(decodeRegistryExport(damaged, sha256), { kind: "damaged", problem });
    const newer = text.replace('"v":1}', '"v":2}');
    assert.deepEqual(decodeRegistryExport(newer, sha256), { kind: "newer", version: 2 });
  });
});

test("who adopts after somebody else wrote changes nothing", async () => {
  const sim = await cluster();
  const remains = await readRemains(sim.registry, sim.keys);
  await applySecond(sim);
  const done = await adoptRegistry(sim.registry, sim.keys, remains, adoptionOf(remains), () => sim.newId());
  assert.equal(done, false);
  assert.equal((await sim.snapshot()).identity?.epoch, 1);
});

test("adopting a registry with which nothing is wrong raises its epoch and is noticed by no unit, twice in a row", async () => {
  const sim = await cluster();
  const before = running(sim);
  await adopt(sim);
  await adopt(sim);
  await sim.clock.advance(5_000);
  await converged(sim);
  assert.deepEqual(running(sim), before);
  assert.equal((await sim.snapshot()).identity?.epoch, 3);
});
