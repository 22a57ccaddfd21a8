import assert from "node:assert/strict";
import { test } from "node:test";
import { isBooleanDirective, isKnownDirective, knownDirectives, knownSections } from "./systemd-directives.ts";

test("every section of systemd's unit types is known, sorted", () => {
  assert.deepEqual(knownSections, [
    ..."Automount Install Mount Path Scope Service Slice Socket Swap Timer Unit".split(" "),
  ]);
});

test("directives are known in the sections that take them, and nowhere else", () => {
  const cases: [string, string, boolean][] = [
    ["Unit", "After", true],
    ["Unit", "BindTo", true],
    ["Unit", "ConditionPathExists", true],
    ["Service", "After", false],
    ["Service", "ExecStart", true],
    ["Service", "MemoryMax", true],
    ["Service", "LimitNOFILE", true],
    ["Service", "KillMode", true],
    ["Service", "StartLimitInterval", true],
    ["Socket", "MemoryMax", true],
    ["Socket", "ListenStream", true],
    ["Slice", "MemoryMax", true],
    ["Slice", "LimitNOFILE", false],
    ["Timer", "OnCalendar", true],
    ["Install", "WantedBy", true],
    ["Service", "RestartSteps", true],
    ["Service", "restart", false],
    ["Service", "ExecStrat", false],
    ["X-Fleet", "MachineID", false],
    ["Container", "Image", false],
    ["toString", "length", false],
  ];
  for (const [section, key, known] of cases)
    assert.equal(isKnownDirective(section, key), known, `[${section}] ${key}=`);
});

test("a section's directives come sorted and once", () => {
  for (const section of knownSections) {
    const keys = knownDirectives(section);
    assert.deepEqual(keys, [...new Set(keys)].sort());
    assert.ok(keys.length >= 4 && keys.every((key) => /^[A-Z]\w+$/.test(key)), section);
  }
  assert.deepEqual(knownDirectives("X-Fleet"), []);
});

test("yes-or-no directives are told from those that take more words", () => {
  assert.ok(isBooleanDirective("RemainAfterExit") && isBooleanDirective("NoNewPrivileges"));
  for (const key of ["ProtectSystem", "ProtectHome", "Type", "Restart", "Delegate", "ExecStart", ""]) {
    assert.ok(!isBooleanDirective(key), key);
  }
});
