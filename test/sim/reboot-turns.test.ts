/** Windows, drains and slots of machines that never come back. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeRecord } from "../../src/codec/record.ts";
import { REPORT_SHAPE, type ReportRecord } from "../../src/codec/registry-records.ts";
import { readLock } from "../../src/usecases/read-lock.ts";
import { RebootFleet, type RebootFleetOptions } from "./reboot-fleet.ts";

async function started(options: Omit<RebootFleetOptions, "seed" | "slots">): Promise<RebootFleet> {
  const fleet = new RebootFleet({ seed: 1, slots: 1, ...options });
  fleet.stormy = false;
  await fleet.start();
  return fleet;
}

async function waitOf({ sim }: RebootFleet): Promise<string | undefined> {
  const { entries } = await sim.registry.list(sim.keys.report, { exact: true });
  const decoded = entries[0] === undefined ? null : decodeRecord<ReportRecord>(entries[0].value, REPORT_SHAPE);
  return decoded?.kind === "record" ? decoded.record.reboots?.[0]?.wait.code : undefined;
}

const holders = async ({ sim }: RebootFleet) => (await readLock(sim.registry, sim.keys, "reboot")).held.length;

test("nobody restarts outside of the window, and who waits goes as soon as it opens", async () => {
  // The simulation begins at midnight UTC.
  const fleet = await started({ policy: ', window: "00:10-00:20 UTC"' });
  const one = fleet.guarded[3]!;
  one.wants = true;
  await fleet.pass(300_000);
  assert.deepEqual([one.reboots, await waitOf(fleet)], [0, "window"]);
  await fleet.pass(360_000);
  assert.deepEqual([one.reboots, one.wants, fleet.violations], [1, false, []]);
  assert.equal(await holders(fleet), 0, "its slot is back");
  await fleet.end();
});

test("with a drain, what may move has left a machine before it restarts", async () => {
  const fleet = await started({ policy: ", drain: true" });
  const one = fleet.guarded.find(({ machine }) =>
    [...machine.manager.running().keys()].some((unit) => unit.startsWith("web@")),
  )!;
  let before: readonly string[] = [];
  one.wants = true;
  await fleet.pass(180_000, () => {
    if (!one.isDown) return;
    if (one.machine.powered && before.length === 0) before = [...one.machine.manager.running().keys()];
  });
  assert.deepEqual(before, ["each.service"], "what is on every machine stays");
  assert.deepEqual([one.reboots, fleet.violations], [1, []]);
  await fleet.end();
});

test("a slot of a machine that does not come back ends at its deadline, and the next one goes", async () => {
  const fleet = await started({});
  const [lost, next] = [fleet.guarded[3]!, fleet.guarded[4]!];
  fleet.checksBudgets = false;
  lost.wants = true;
  await fleet.pass(60_000, () => {
    if (lost.isDown) fleet.keepsOff(lost);
  });
  assert.equal(lost.machine.powered, false);
  next.wants = true;
  await fleet.pass(600_000);
  assert.equal(next.reboots, 0, "the budget of each.service and the slot are taken");
  await fleet.pass(600_000);
  assert.deepEqual([next.reboots, fleet.violations], [1, []]);
  await fleet.end();
});
