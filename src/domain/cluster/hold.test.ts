import assert from "node:assert/strict";
import { test } from "node:test";
import type { MachineId, UnitName } from "../names.ts";
import { type Hold, type HoldScope, holdOn, holdScope, parseHoldScope, printHoldScope, sortedHolds } from "./hold.ts";

const nas = "a".repeat(32) as MachineId;
const pi = "b".repeat(32) as MachineId;
const web = "web.service" as UnitName;
const db = "db.service" as UnitName;
const cluster: HoldScope = { kind: "cluster" };
const onNas: HoldScope = { kind: "machine", machine: nas };
const onWeb: HoldScope = { kind: "unit", unit: web };
const hold = (scope: HoldScope): Hold => ({ scope, reason: "", by: "ada", at: "", forMs: 1 });

const WHAT: readonly [string, string, HoldScope | null][] = [
  ["the word for all of it", "cluster", cluster],
  ["a machine by its name", "nas", onNas],
  ["a machine by its id", nas, onNas],
  ["a unit", "web.service", onWeb],
  ["a machine's name goes before a unit's", "odd.service", { kind: "machine", machine: pi }],
  ["nothing anybody knows", "nsa", null],
];

for (const [says, text, scope] of WHAT) {
  test(`what a person may hold: ${says}`, () => {
    const machines = [
      { id: nas, name: "nas" },
      { id: pi, name: "odd.service" },
    ];
    assert.deepEqual(holdScope(text, machines), scope);
  });
}

test("a hold keeps what it names, and the widest one is told", () => {
  const all = [onWeb, onNas, cluster].map(hold);
  assert.equal(holdOn(all, pi, db)?.scope, cluster);
  const [unit, machine] = all;
  assert.equal(holdOn([unit!, machine!], nas, web), machine);
  assert.equal(holdOn([unit!, machine!], pi, web), unit);
  assert.equal(holdOn([unit!, machine!], pi, db), null);
  assert.deepEqual(
    sortedHolds(all).map((one) => one.scope),
    [cluster, onNas, onWeb],
  );
});

test("one that was placed at a machine holds there only, and stands behind the registry's", () => {
  const here: Hold = { ...hold(onWeb), placedAt: nas };
  assert.equal(holdOn([here], nas, web), here);
  assert.equal(holdOn([here], pi, web), null);
  assert.equal(holdOn([{ ...hold(onNas), placedAt: pi }], nas, web), null, "no machine speaks for another");
  assert.deepEqual(sortedHolds([here, hold(onWeb)]), [hold(onWeb), here]);
});

test("a scope comes back from its key, and nothing else is one", () => {
  for (const scope of [cluster, onNas, onWeb]) assert.deepEqual(parseHoldScope(printHoldScope(scope)), scope);
  for (const text of ["", "machine/nas", "unit/", "unit/a.service/b", "machine", "all"]) {
    assert.equal(parseHoldScope(text), null);
  }
});

test("a quadlet is held by the name its service has as well, and nobody else is", () => {
  const data = "data.volume" as UnitName;
  const byService = hold({ kind: "unit", unit: "data-volume.service" as UnitName });
  assert.equal(holdOn([byService], nas, data), byService);
  assert.equal(holdOn([hold({ kind: "unit", unit: data })], nas, data)?.scope.kind, "unit");
  assert.equal(holdOn([byService], nas, "data.service" as UnitName), null);
});
