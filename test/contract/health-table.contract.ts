import assert from "node:assert/strict";
import { test } from "node:test";
import { judgeUnitHealth, mustSettle, type UnitHealth, unitKind } from "../../src/domain/cluster/health-table.ts";
import type { UnitName } from "../../src/domain/names.ts";
import type { SpecUnit } from "../../src/domain/spec/cluster-spec.ts";
import { parseUnitName } from "../../src/domain/unit/unit-name.ts";
import { detailsOf } from "../details-of.ts";
import { specOf } from "../property/generators/cluster.ts";
import { looking, type UnitWorld } from "./unit-world.ts";

/** What the table says of a unit is what a systemd makes of it. `make` gives a clean world for each test. */
export function healthTableContract(label: string, make: () => Promise<UnitWorld>, skip: string | false = false): void {
  const it = (sentence: string, run: (world: UnitWorld) => Promise<void>) =>
    test(`${label}: ${sentence}`, { skip, timeout: 60_000 }, async () => {
      const world = await make();
      try {
        await run(world);
      } finally {
        await world.close();
      }
    });

  it("a simple service whose program is not there has started first, and is down a moment later: so it must settle", async (world) => {
    const unit = unitOf("ct-simple.service", "[Service]\nExecStart=/nonexistent\n");
    await world.write(unit.name, unit.fragment.text);
    assert.equal(await world.manager.start(unit.name), "done");
    await looking(world).becomes(unit.name, "loaded failed failed");
    assert.equal(await healthOf(unit, world), "down");
    assert.ok(mustSettle(unit, "launched"));
  });

  it("a oneshot that ended well is healthy, and so is one that remains", async (world) => {
    const once = unitOf("ct-once.service", "[Service]\nType=oneshot\nExecStart=/bin/true\n");
    const setup = unitOf("ct-setup.service", `${once.fragment.text}RemainAfterExit=yes\n`);
    for (const unit of [once, setup]) {
      await world.write(unit.name, unit.fragment.text);
      assert.equal(await world.manager.start(unit.name), "done");
    }
    await looking(world).becomes(setup.name, "loaded active exited");
    await looking(world).becomes(once.name, null);
    assert.deepEqual([unitKind(once), unitKind(setup)], ["oneshot", "setup"]);
    assert.deepEqual([await healthOf(once, world), await healthOf(setup, world)], ["healthy", "healthy"]);
  });

  it("a timer that waits is healthy, and what it activates is well while it is down", async (world) => {
    const timer = unitOf("ct-tick.timer", "[Timer]\nOnActiveSec=1d\n");
    const task = unitOf("ct-tick.service", "[Service]\nExecStart=/bin/true\n");
    for (const unit of [timer, task]) await world.write(unit.name, unit.fragment.text);
    assert.equal(await world.manager.start(timer.name), "done");
    await looking(world).becomes(timer.name, "loaded active waiting");
    assert.equal(await healthOf(timer, world), "healthy");
    assert.equal(await healthOf({ ...task, goal: "loaded" }, world), "healthy");
  });
}

/** As an agent sees a unit that it ordered to start: one that systemd holds no more has ended well. */
async function healthOf(unit: SpecUnit, { manager }: UnitWorld): Promise<UnitHealth> {
  const [held] = await manager.list([unit.name]);
  const result = (await detailsOf(manager, unit.name))?.result ?? "";
  const started = unit.goal === "launched";
  return judgeUnitHealth(unit, unit.goal, { active: "inactive", sub: "dead", ...held, result, started });
}

function unitOf(text: string, fragment: string): SpecUnit {
  const name = parseUnitName(text);
  assert.ok(name !== null);
  const sketch = { name: name as UnitName, group: 0, global: false, goal: "launched" as const, machineId: null };
  const rest = { machineMetadata: [], conflicts: [], replaces: [], move: "auto" as const, text: "" };
  return { ...specOf([{ ...sketch, ...rest }]).units[0]!, fragment: { path: name, text: fragment } };
}
