import assert from "node:assert/strict";
import { test } from "node:test";
import { specOf, type UnitSketch } from "../../../test/property/generators/cluster.ts";
import { isOneshot } from "./is-oneshot.ts";

const CASES: readonly (readonly [says: string, fragment: string, dropin: string, oneshot: boolean])[] = [
  ["a oneshot that does not remain", "Type=oneshot", "", true],
  ["a service without a type", "ExecStart=/bin/true", "", false],
  ["a oneshot that remains is active afterwards", "Type=oneshot\nRemainAfterExit=yes", "", false],
  ["systemd's other words for yes", "Type=oneshot\nRemainAfterExit=On", "", false],
  ["a drop-in has the last word", "Type=simple", "Type=oneshot", true],
];

const SKETCH: UnitSketch = {
  name: "u.service",
  group: 0,
  global: false,
  goal: "launched",
  machineId: null,
  machineMetadata: [],
  conflicts: [],
  replaces: [],
  move: "auto",
  text: "",
};

for (const [says, fragment, dropin, expected] of CASES) {
  test(says, () => {
    const unit = specOf([SKETCH]).units[0]!;
    const text = (lines: string) => `[Service]\n${lines}\n`;
    const changed = {
      ...unit,
      fragment: { path: "u.service", text: text(fragment) },
      dropins: [{ path: "u.service.d/1.conf", name: "1.conf", text: text(dropin) }],
    };
    assert.equal(isOneshot(changed), expected);
  });
}
