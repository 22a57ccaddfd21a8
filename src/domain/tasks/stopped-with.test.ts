import assert from "node:assert/strict";
import { test } from "node:test";
import type { UnitHash, UnitName } from "../names.ts";
import { stoppedWith } from "./stopped-with.ts";
import type { WantedUnit } from "./task.ts";

const CASES: readonly [string, Readonly<Record<string, string>>, readonly string[], readonly string[]][] = [
  [
    "what requires it",
    { "db.service": "", "web.service": "Requires=db.service" },
    ["db.service"],
    ["web.service < db.service"],
  ],
  ["not what wants it", { "db.service": "", "web.service": "Wants=db.service" }, ["db.service"], []],
  [
    "an instance that names it by a specifier",
    { "db@1.service": "", "web@1.service": "BindsTo=db@%i.service", "web@2.service": "BindsTo=db@%i.service" },
    ["db@1.service"],
    ["web@1.service < db@1.service"],
  ],
  [
    "whom it takes along itself",
    { "net.service": "PropagatesStopTo=web.service", "web.service": "" },
    ["net.service"],
    ["web.service < net.service"],
  ],
  [
    "through others, and none that is stopped anyway",
    {
      "a.service": "",
      "b.service": "PartOf=a.service",
      "c.service": "Requisite=b.service",
      "d.service": "PartOf=a.service",
    },
    ["a.service", "d.service"],
    ["b.service < a.service", "c.service < a.service"],
  ],
];

for (const [says, units, stopped, found] of CASES) {
  test(`a stop takes along ${says}`, () => {
    const followers = stoppedWith(stopped as UnitName[], Object.entries(units).map(wanted));
    assert.deepEqual([...followers].map(([unit, leader]) => `${unit} < ${leader}`).sort(), found);
  });
}

function wanted([name, text]: readonly [string, string]): WantedUnit {
  const unit = name as UnitName;
  const files = [{ path: name, text: `[Unit]\n${text}\n` }];
  return { name: unit, service: unit, goal: "launched", hash: name as UnitHash, files, after: [], oneshot: false };
}
