import assert from "node:assert/strict";
import { test } from "node:test";
import type { RebootWait } from "../../domain/locks/reboot.ts";
import type { MachineId, UnitName } from "../../domain/names.ts";
import { rebootText } from "./reboot-text.ts";

const NOW = Date.parse("2026-11-21T12:05:00Z");

const CASES: readonly (readonly [RebootWait, string])[] = [
  [{ code: "window" }, "nas waits for its window to open"],
  [{ code: "others" }, "nas waits for others that restart"],
  [{ code: "machine-absent" }, "nas is absent, and is not asked to restart"],
  [{ code: "changing" }, "nas waits until nothing changes on it"],
  [
    { code: "budget", sets: ["web@.service"], more: 2 },
    "nas waits: without it too few would be up of web@.service and 2 more",
  ],
  [{ code: "steady" }, "nas restarts soon: its units' replicas elsewhere must be up for a while"],
  [{ code: "granted" }, "nas may restart now"],
  [{ code: "going" }, "nas restarts"],
  [
    { code: "not-healthy", units: ["db.service" as UnitName], more: 0 },
    "nas is back, and not yet as wanted: db.service",
  ],
  [{ code: "not-healthy", units: [], more: 0 }, "nas is back: its units must be up for a while"],
];

for (const [wait, text] of CASES) {
  test(text, () => {
    const state = { machine: "a".repeat(32) as MachineId, since: "2026-11-21T12:00:00Z", wait };
    assert.equal(
      rebootText(state, () => "nas", NOW),
      `${text}, slot since 2026-11-21T12:00:00Z (5 min ago)`,
    );
  });
}
