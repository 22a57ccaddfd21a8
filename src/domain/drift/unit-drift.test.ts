import assert from "node:assert/strict";
import { test } from "node:test";
import { printDrift } from "./unit-drift.ts";

test("each thing that differs is named, with its file where it is about one", () => {
  assert.equal(
    printDrift([{ kind: "edited", path: "/run/systemd/system/a.service" }, { kind: "stopped" }]),
    "edited /run/systemd/system/a.service, stopped",
  );
});
