import assert from "node:assert/strict";
import { test } from "node:test";
import type { UnitHash, UnitName } from "../names.ts";
import type { WantedUnit } from "../tasks/task.ts";
import { serviceNameOf } from "../unit/unit-name.ts";
import { waitsForQuadlet } from "./waits-for-quadlet.ts";

const unit = (name: string, text = "[Unit]\n", dropin = ""): WantedUnit => ({
  ...{ name: name as UnitName, service: serviceNameOf(name as UnitName), goal: "launched", hash: "h" as UnitHash },
  ...{ after: [], oneshot: false },
  files: [{ path: name, text }, ...(dropin === "" ? [] : [{ path: `${name}.d/10.conf`, text: dropin }])],
});

const backup = unit("backup.container", "[Container]\nImage=x\n");
const CASES: readonly (readonly [name: string, one: WantedUnit, waits: boolean])[] = [
  ["its timer", unit("backup.timer", "[Timer]\nOnCalendar=daily\n"), true],
  ["a timer of another name", unit("nightly.timer", "[Timer]\nUnit=backup.service\n"), true],
  [
    "a timer that a drop-in points elsewhere",
    unit("backup.timer", "[Timer]\n", "[Timer]\nUnit=other.service\n"),
    false,
  ],
  ["what requires it", unit("report.service", "[Unit]\nRequires=backup.service\n"), true],
  ["what is bound to it", unit("report.service", "[Unit]\n", "[Unit]\nBindsTo=backup.service\n"), true],
  [
    "what only wants it, or comes after it",
    unit("report.service", "[Unit]\nWants=backup.service\nAfter=backup.service\n"),
    false,
  ],
  ["a pod's other container", unit("web.container", "[Container]\nImage=y\n"), false],
];

for (const [name, one, waits] of CASES) {
  test(`who waits for a container that is not there yet: ${name}`, () => {
    const waiting = waitsForQuadlet([one, backup], [backup]);
    assert.deepEqual([...waiting], waits ? [[one.name, "backup.container"]] : []);
  });
}

test("waiting goes on from one to the next, and round in a circle it ends", () => {
  const units = [
    unit("a.service", "[Unit]\nRequires=b.service\n"),
    unit("b.service", "[Unit]\nRequires=a.service\nRequires=backup.timer\n"),
    unit("backup.timer", "[Timer]\n"),
    unit("c.service"),
  ];
  assert.deepEqual([...waitsForQuadlet(units, [backup]).keys()].sort(), ["a.service", "b.service", "backup.timer"]);
  assert.deepEqual([...waitsForQuadlet(units, [])], []);
});
