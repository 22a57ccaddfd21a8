import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { effectiveUnit } from "./effective-unit.ts";
import type { FleetOptions } from "./fleet-options.ts";
import { parseUnitFile } from "./parse-unit-file.ts";
import { readFleetOptions } from "./read-fleet-options.ts";
import { parseUnitName } from "./unit-name.ts";

function read(name: string, section: string, ...dropins: string[]) {
  const unit = parseUnitName(name);
  assert.ok(unit);
  const files = [section, ...dropins].map((text, index) => parseUnitFile(`${index}.conf`, `[X-Fleet]\n${text}\n`));
  assert.deepEqual(
    files.flatMap(({ diagnostics }) => diagnostics),
    [],
  );
  const [fragment, ...others] = files.map(({ file }) => file);
  return readFleetOptions(unit, effectiveUnit(fragment!, others));
}

const NOTHING: FleetOptions = {
  global: false,
  machineId: null,
  machineOf: [],
  machineMetadata: [],
  conflicts: [],
  replaces: [],
  group: "auto",
  move: null,
};
const metadata = (key: string, ...values: string[]) => ({ kind: "metadata", key, values }) as const;

describe("what a section says", () => {
  const cases: [string, string, Record<string, unknown>][] = [
    ["nothing", "", {}],
    ["Global, in any spelling of yes", "Global=T", { global: true }],
    ["the last Global counts", "Global=true\nGlobal=no", { global: false }],
    ["a machine by name", "MachineID=pi-1", { machineId: "pi-1" }],
    ["the old spelling", "X-ConditionMachineID=pi-1", { machineId: "pi-1" }],
    ["peers, one a line", "MachineOf=b.service\nMachineOf=a.service", { machineOf: ["a.service", "b.service"] }],
    [
      "old and new spellings add up",
      "X-ConditionMachineOf=b.service\nMachineOf=a.container",
      { machineOf: ["a.container", "b.service"] },
    ],
    ["an instance's peer", "MachineOf=db@%i.service", { machineOf: ["db@1.service"] }],
    [
      "values of one key are alternatives, keys must all hold",
      "MachineMetadata=zone=b\nMachineMetadata=role=db\nX-ConditionMachineMetadata=zone=a",
      { machineMetadata: [metadata("role", "db"), metadata("zone", "a", "b")] },
    ],
    [
      "several quoted on a line",
      'MachineMetadata="zone=a" "role=db"',
      { machineMetadata: [metadata("role", "db"), metadata("zone", "a")] },
    ],
    ["the selector's list", "MachineMetadata=zone in (b, a)", { machineMetadata: [metadata("zone", "a", "b")] }],
    [
      "conflicts are split at blanks",
      "Conflicts=b*.service a@?.service\nX-Conflicts=b*.service",
      { conflicts: ["a@?.service", "b*.service"] },
    ],
    ["conflicts with its own siblings", "Conflicts=%p@*.service", { conflicts: ["web@*.service"] }],
    ["replaces", "Replaces=old@%i.service", { replaces: ["old@1.service"] }],
    ["group and move", "Group=none\nMove=never", { group: "none", move: "never" }],
    ["Move=auto is not silence", "Move=auto", { move: "auto" }],
    ["an empty assignment resets, old spellings too", "X-Conflicts=a\nConflicts=\nConflicts=b", { conflicts: ["b"] }],
    [
      "Global with Conflicts and MachineMetadata",
      "Global=1\nConflicts=a\nMachineMetadata=a=b",
      { global: true, conflicts: ["a"], machineMetadata: [metadata("a", "b")] },
    ],
    ["a Global that is off contradicts nothing", "Global=no\nMachineOf=a.service", { machineOf: ["a.service"] }],
  ];
  for (const [sentence, section, expected] of cases) {
    test(sentence, () => {
      const { options, diagnostics } = read("web@1.service", section);
      assert.deepEqual(diagnostics, []);
      assert.deepEqual(options, { ...NOTHING, ...expected });
    });
  }

  test("a drop-in moves a unit to another machine", () => {
    const { options, diagnostics } = read("web.service", "MachineID=pi-1", "MachineID=pi-2");
    assert.deepEqual(diagnostics, []);
    assert.equal(options.machineId, "pi-2");
  });

  test("a drop-in resets what made a combination forbidden", () => {
    const { options, diagnostics } = read("web.service", "MachineID=pi-1", "MachineID=\nMachineOf=a.service");
    assert.deepEqual(diagnostics, []);
    assert.deepEqual([options.machineId, options.machineOf], [null, ["a.service"]]);
  });
});

describe("what is refused", () => {
  const cases: [string, string, string, RegExp][] = [
    ["Global=maybe", "x-fleet-value", "Global=maybe", /Global=maybe/],
    ["metadata with two =", "x-fleet-value", "MachineMetadata=a=b=c", /2 "="/],
    ["metadata without value", "x-fleet-value", "MachineMetadata=a=", /empty value/],
    ["metadata without key", "x-fleet-value", "MachineMetadata==a", /no key/],
    ["metadata without =", "x-fleet-value", "MachineMetadata=a", /without "="/],
    ["two unquoted on a line", "x-fleet-value", "MachineMetadata=a=b c=d", /2 "="/],
    ["an open quote", "x-fleet-quotes", 'MachineMetadata="a=b" c=d" "e=f"', /unclosed quote/],
    ["a machine that is none", "x-fleet-value", "MachineID=a b", /MachineID=a b/],
    ["a selector as machine", "x-fleet-value", "MachineID=role=db", /MachineID=role=db/],
    ["two machines", "x-fleet-contradiction", "MachineID=a\nMachineID=b", /MachineID=b beside MachineID=a/],
    ["a peer that is no unit", "x-fleet-value", "MachineOf=db", /without a type/],
    ["a template as peer", "x-fleet-value", "MachineOf=db@.service", /a template/],
    ["itself as peer", "x-fleet-contradiction", "MachineOf=%n", /itself/],
    ["a malformed glob", "x-fleet-value", "Conflicts=a[.service", /malformed pattern "a\["?/],
    ["several globs in Replaces", "x-fleet-value", "Replaces=a b", /malformed pattern "a b"/],
    ["Group=all", "x-fleet-value", "Group=all", /Group=all/],
    ["Move=always", "x-fleet-value", "Move=always", /Move=always/],
    ["what only a machine knows", "x-fleet-specifier", "MachineOf=a-%H.service", /%H in MachineOf=/],
    ["an instance where there is none", "x-fleet-specifier", "MachineOf=a@%i.service", /no instance/],
    ["a boot id", "x-fleet-boot-id", "X-ConditionMachineBootID=x", /every boot/],
    ["CPU, not yet", "x-fleet-not-yet", "CPU=2", /does not carry out yet/],
    ["OnDisconnect without a time", "x-fleet-value", "OnDisconnect=stop-after", /OnDisconnect=stop-after/],
    ["an unknown option", "x-fleet-unknown-option", "Whatever=1", /unknown option "Whatever"/],
    [
      "MachineID and MachineOf",
      "x-fleet-contradiction",
      "MachineID=a\nMachineOf=b.service",
      /MachineID= together with MachineOf=/,
    ],
    [
      "MachineID and Conflicts",
      "x-fleet-contradiction",
      "MachineID=a\nConflicts=b",
      /MachineID= together with Conflicts=/,
    ],
    ["MachineID and Global", "x-fleet-contradiction", "MachineID=a\nGlobal=yes", /MachineID= together with Global=/],
    [
      "MachineID and Replaces",
      "x-fleet-contradiction",
      "MachineID=a\nReplaces=b",
      /MachineID= together with Replaces=/,
    ],
    [
      "Global and MachineOf",
      "x-fleet-contradiction",
      "Global=yes\nMachineOf=b.service",
      /Global= together with MachineOf=/,
    ],
    ["Global and Replaces", "x-fleet-contradiction", "Global=yes\nReplaces=b", /Global= together with Replaces=/],
    [
      "Conflicts and Replaces",
      "x-fleet-contradiction",
      "Conflicts=a\nReplaces=b",
      /Conflicts= together with Replaces=/,
    ],
    [
      "a peer it conflicts with",
      "x-fleet-contradiction",
      "MachineOf=b.service\nConflicts=b*",
      /Conflicts=b\*, which matches/,
    ],
    ["a peer it replaces", "x-fleet-contradiction", "MachineOf=b.service\nReplaces=b*", /Replaces=b\*, which matches/],
  ];
  for (const [sentence, code, section, saw] of cases) {
    test(sentence, () => {
      const { diagnostics } = read("web.service", section);
      assert.deepEqual(
        diagnostics.map((one) => [one.code, one.severity]),
        [[code, "error"]],
      );
      assert.match(diagnostics[0]!.saw, saw);
      assert.equal(diagnostics[0]!.at?.line, section.split("\n").length + 1);
    });
  }

  test("an unknown option that looks like one says which", () => {
    assert.match(read("web.service", "Conflict=a").diagnostics[0]!.next!, /did you mean Conflicts=/);
  });

  test("every problem is told, not the first", () => {
    assert.equal(read("web.service", "Global=x\nMove=y\nFoo=z\nMachineMetadata=a=").diagnostics.length, 4);
  });

  test("a section that only looks like [X-Fleet]", () => {
    const { file } = parseUnitFile("a.service", "[x-fleet]\nGlobal=yes\n");
    const name = parseUnitName("a.service");
    assert.ok(name);
    const { diagnostics } = readFleetOptions(name, effectiveUnit(file, []));
    assert.deepEqual(
      diagnostics.map(({ code, at }) => [code, at?.line]),
      [["x-fleet-section", 1]],
    );
  });
});
