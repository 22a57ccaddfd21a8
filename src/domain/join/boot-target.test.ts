import assert from "node:assert/strict";
import { test } from "node:test";
import type { UnitName } from "../names.ts";
import { bootTarget } from "./boot-target.ts";

const cases = [
  ["web.service", "multi-user.target"],
  ["web@1.service", "multi-user.target"],
  ["a.timer.service", "multi-user.target"],
  ["backup.timer", "timers.target"],
  ["web.socket", "sockets.target"],
  ["in.path", "paths.target"],
  ["srv-data.mount", "local-fs.target"],
] as const;

for (const [unit, target] of cases) {
  test(`${unit} is started at boot by ${target}`, () => assert.equal(bootTarget(unit as UnitName), target));
}
