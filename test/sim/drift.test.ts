import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CORRECTIONS_MAX } from "../../src/domain/drift/judge-drift.ts";
import type { UnitDrift } from "../../src/domain/drift/unit-drift.ts";
import type { UnitName } from "../../src/domain/names.ts";
import { SimCluster } from "../../src/sim/sim-cluster.ts";
import type { SimMachine } from "../../src/sim/sim-machine.ts";
import { endHold, placeHold } from "../../src/usecases/place-hold.ts";

const kept = "kept.service" as UnitName;
const watched = "watched.service" as UnitName;
const loose = "loose.service" as UnitName;
const FILES: Readonly<Record<string, string>> = {
  "fleet.yaml":
    "apiVersion: fleet/v1\ncluster: drifting\ndefaults: { drift: detect }\n" +
    "units: { kept.service: { drift: correct }, loose.service: { drift: off } }\n",
  ...Object.fromEntries([kept, watched, loose].map((unit) => [`units/${unit}`, `[Service]\nExecStart=/bin/${unit}\n`])),
};
const fileOf = (unit: UnitName) => `/run/systemd/system/${unit}`;
const EDIT = "[Service]\nExecStart=/bin/evil\n";

describe("row 61: an admin edits, masks or stops units", () => {
  test("each is treated as its policy says, and the registry tells", async () => {
    const { sim, machine } = await running();
    const before = invocations(machine);
    for (const unit of [kept, watched, loose]) await machine.files.write(fileOf(unit), EDIT);
    await sim.clock.advance(10_000);
    assert.deepEqual(texts(machine), [FILES[`units/${kept}`], EDIT, EDIT]);
    assert.deepEqual(invocations(machine), before, "an edit that systemd never read restarts nothing");
    assert.deepEqual(await told(sim), [`${kept} corrected 1 edited`, `${watched} detected 0 edited`]);
    for (const unit of [kept, watched, loose]) await machine.manager.stop(unit);
    await sim.clock.advance(10_000);
    assert.deepEqual([...machine.manager.running().keys()], [kept]);
    assert.deepEqual(await told(sim), [`${kept} corrected 2 stopped`, `${watched} detected 0 edited stopped`]);
    await sim.end();
  });

  test("a new commit is put on the machine whatever was changed there, and the policy outlives git and registry", async () => {
    const { sim, machine } = await running();
    for (const unit of [kept, watched, loose]) await machine.files.write(fileOf(unit), EDIT);
    const next = Object.fromEntries(
      [kept, watched, loose].map((unit) => [`units/${unit}`, `[Service]\nExecStart=/bin/next ${unit}\n`]),
    );
    await sim.apply(sim.commit({ ...FILES, ...next }, "next"));
    await sim.clock.advance(20_000);
    assert.deepEqual(texts(machine), Object.values(next));
    machine.setPartitioned(true);
    machine.source.down = true;
    machine.crashAgent();
    machine.startAgent();
    for (const unit of [kept, watched, loose]) await machine.files.write(fileOf(unit), EDIT);
    // A new agent waits that long for a registry before it acts from its disk.
    await sim.clock.advance(40_000);
    assert.deepEqual(texts(machine), [next[`units/${kept}`], EDIT, EDIT]);
    await sim.end();
  });

  test("a program that edits for ever is told of and left alone, an idle cluster writes nothing of it, and the next release comes", async () => {
    const { sim, machine } = await running();
    for (let round = 0; round < 20; round++) {
      await machine.files.write(fileOf(kept), `${EDIT}# ${round}\n`);
      await machine.manager.reload();
      await sim.clock.advance(10_000);
    }
    assert.deepEqual(await told(sim), [`${kept} given-up ${CORRECTIONS_MAX} edited`]);
    const { revision } = await sim.snapshot();
    await sim.clock.advance(60_000);
    assert.equal((await sim.snapshot()).revision, revision);
    const next = `[Service]\nExecStart=/bin/next\n`;
    await sim.apply(sim.commit({ ...FILES, [`units/${kept}`]: next }, "next"));
    await sim.clock.advance(20_000);
    assert.equal(machine.files.peek(fileOf(kept))?.text, next);
    await sim.end();
  });

  test("a hold goes before every policy, and what was done meanwhile is found at its end", async () => {
    const { sim, machine } = await running();
    const scope = { kind: "cluster" } as const;
    const hold = { scope, reason: "", by: "ada", at: "2026-11-21T10:00:00.000Z", forMs: 600_000 };
    await placeHold(sim.registry, sim.keys, hold, () => sim.newId());
    await sim.clock.advance(2_000);
    await machine.files.write(fileOf(kept), EDIT);
    machine.files.mask(`/etc/systemd/system/${kept}`);
    await sim.clock.advance(30_000);
    assert.equal(machine.files.peek(fileOf(kept))?.text, EDIT);
    await endHold(sim.registry, sim.keys, scope);
    await sim.clock.advance(10_000);
    assert.equal(machine.files.peek(fileOf(kept))?.text, FILES[`units/${kept}`]);
    assert.deepEqual(await told(sim), [`${kept} corrected 1 edited masked`]);
    await sim.end();
  });
});

async function running(): Promise<{ sim: SimCluster; machine: SimMachine }> {
  const sim = new SimCluster({ seed: 1, machines: 1, engines: 1, cluster: "drifting" });
  sim.start();
  await sim.clock.advance(3_000);
  await sim.apply(sim.commit(FILES, "first"));
  const machine = sim.machines[0]!;
  assert.ok(await sim.clock.runUntil(() => machine.manager.running().size === 3, 300_000));
  await sim.clock.advance(10_000);
  return { sim, machine };
}

function invocations(machine: SimMachine): string[] {
  return [...machine.manager.running()].map(([unit, { invocation }]) => `${unit} ${invocation}`);
}

function texts(machine: SimMachine): (string | undefined)[] {
  return [kept, watched, loose].map((unit) => machine.files.peek(fileOf(unit))?.text);
}

/** What the registry says of drift. */
async function told(sim: SimCluster): Promise<string[]> {
  const { statuses } = await sim.snapshot();
  const said = (drift: UnitDrift) =>
    `${drift.outcome} ${drift.corrected} ${drift.seen.map(({ kind }) => kind).join(" ")}`;
  return statuses.flatMap(({ unit, drift }) => (drift === undefined ? [] : [`${unit} ${said(drift)}`]));
}
