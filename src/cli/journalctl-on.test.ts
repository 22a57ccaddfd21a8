import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import type { MachineId } from "../domain/names.ts";
import { journalctlOn } from "./journalctl-on.ts";

const far = { machine: "f".repeat(32) as MachineId, machineName: "far", address: "192.0.2.7" };
const ten = { lines: 10, follow: false, json: false };

test("a machine that is neither here nor in a lab is read by ssh, every word quoted for its shell", () => {
  assert.deepEqual(journalctlOn(far, "a'b\\x2d.service", ten), [
    ...["ssh", "--", "192.0.2.7"],
    "'journalctl' '--quiet' '--no-pager' '--lines=10' '--unit=a'\\''b\\x2d.service'",
  ]);
});

test("what a machine claims as its address is never an option or a name for ssh", () => {
  for (const address of ["-oProxyCommand=true", "host.example", "", "192.0.2.7 x"]) {
    assert.throws(() => journalctlOn({ ...far, address }, "a.service", ten), { code: "no-address" });
  }
});

const ownId = existsSync("/etc/machine-id") ? readFileSync("/etc/machine-id", "utf8").trim() : "";
test("this machine's journal is read here", { skip: ownId === "" && "this machine has no machine id" }, () => {
  assert.deepEqual(
    journalctlOn({ ...far, machine: ownId as MachineId }, "a.service", { lines: 3, follow: true, json: true }),
    ["journalctl", "--quiet", "--no-pager", "--lines=3", "--unit=a.service", "--follow", "--output=json"],
  );
});
