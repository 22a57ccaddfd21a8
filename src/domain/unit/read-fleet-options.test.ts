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
    [
      "what metadata must not be, beside what it must be",
      'MachineMetadata="zone!=c" "zone in (a, b)" "role!=db"\nMachineMetadata=zone notin (d, c)',
      {
        machineMetadata: [
          { ...metadata("role", "db"), not: true },
          metadata("zone", "a", "b"),
          { ...metadata("zone", "c", "d"), not: true },
        ],
      },
    ],
    ["MachineID with Conflicts", "MachineID=m1\nConflicts=b", { machineId: "m1", conflicts: ["b"] }],
    ["a wish to be spread", "Spread=zone", { spread: { key: "zone", hard: false } }],
    [
      "a rule to be spread",
      "Spread=topology.example/rack  hard",
      { spread: { key: "topology.example/rack", hard: true } },
    ],
    ["the last Spread counts", "Spread=zone hard\nSpread=rack", { spread: { key: "rack", hard: false } }],
    ["no Spread after all", "Spread=zone\nSpread=", {}],
    ["so many on a machine", "MaxPerMachine=2", { maxPerMachine: 2 }],
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

describe("what is asked of a machine", () => {
  const asked = (name: string, text: string) => {
    const unit = parseUnitName(name);
    assert.ok(unit);
    return readFleetOptions(unit, effectiveUnit(parseUnitFile(name, text).file, []));
  };
  const G = 1024 ** 3;
  const cases: [string, string, string, ReturnType<typeof asked>["requests"]][] = [
    ["nothing", "a.service", "[Service]\nExecStart=/bin/a", null],
    ["both options", "a.service", "[X-Fleet]\nCPU=0.5\nMemory=1.5G", { cpuMilli: 500, memoryBytes: 1.5 * G }],
    ["thousandths", "a.service", "[X-Fleet]\nCPU=250m", { cpuMilli: 250, memoryBytes: 0 }],
    ["parts of a size", "a.service", "[X-Fleet]\nMemory=1G 512M", { cpuMilli: 0, memoryBytes: 1.5 * G }],
    [
      "its limits",
      "a.service",
      "[Service]\nMemoryMax=2G\nMemoryHigh=1G\nCPUQuota=150%",
      { cpuMilli: 1500, memoryBytes: 2 * G },
    ],
    [
      "the softer limit where it is the only one",
      "a.service",
      "[Service]\nMemoryHigh=1G",
      { cpuMilli: 0, memoryBytes: G },
    ],
    [
      "the softer limit beside none",
      "a.service",
      "[Service]\nMemoryMax=infinity\nMemoryHigh=1G",
      { cpuMilli: 0, memoryBytes: G },
    ],
    [
      "an option before a limit, each for itself",
      "a.service",
      "[Service]\nMemoryMax=2G\nCPUQuota=20%\n[X-Fleet]\nMemory=1G",
      { cpuMilli: 200, memoryBytes: G },
    ],
    [
      "nothing in spite of limits",
      "a.service",
      "[Service]\nMemoryMax=2G\nCPUQuota=20%\n[X-Fleet]\nMemory=0\nCPU=0",
      null,
    ],
    ["shares of a machine are no amounts", "a.service", "[Service]\nMemoryMax=20%\nMemoryHigh=infinity", null],
    ["a limit taken back", "a.service", "[Service]\nMemoryMax=2G\nMemoryMax=\nCPUQuota=10%\nCPUQuota=", null],
    ["a limit that systemd ignores", "a.service", "[Service]\nMemoryMax=2GB\nCPUQuota=2", null],
    [
      "the section of its type",
      "a.socket",
      "[Service]\nMemoryMax=2G\n[Socket]\nMemoryMax=1G",
      { cpuMilli: 0, memoryBytes: G },
    ],
    [
      "the service a quadlet becomes",
      "a.container",
      "[Container]\nImage=a\n[Service]\nMemoryMax=1G",
      { cpuMilli: 0, memoryBytes: G },
    ],
    ["hundredths of a percent, rounded up", "a.service", "[Service]\nCPUQuota=0.55%", { cpuMilli: 6, memoryBytes: 0 }],
  ];
  for (const [sentence, name, text, expected] of cases) {
    test(sentence, () => {
      const { requests, diagnostics } = asked(name, text);
      assert.deepEqual(diagnostics, []);
      assert.deepEqual(requests, expected);
    });
  }
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
    ["a boot id", "x-fleet-boot-id", "X-ConditionMachineBootID=x", /every boot/],
    ["a share of a machine's CPU", "x-fleet-value", "CPU=50%", /CPU=50%/],
    ["less than a thousandth of a core", "x-fleet-value", "CPU=0.0001", /CPU=0.0001/],
    ["fewer than no cores", "x-fleet-value", "CPU=-1", /CPU=-1/],
    ["more cores than there are", "x-fleet-value", "CPU=999999", /CPU=999999/],
    ["a share of a machine's memory", "x-fleet-value", "Memory=50%", /Memory=50%/],
    ["memory without end", "x-fleet-value", "Memory=infinity", /Memory=infinity/],
    ["a suffix that systemd does not know", "x-fleet-value", "Memory=2GiB", /Memory=2GiB/],
    ["more memory than there is", "x-fleet-value", "Memory=65T", /Memory=65T/],
    ["a spread that is neither", "x-fleet-value", "Spread=zone soft", /Spread=zone soft/],
    ["a value to spread over", "x-fleet-value", "Spread=zone=a", /Spread=zone=a/],
    ["none on a machine", "x-fleet-value", "MaxPerMachine=0", /MaxPerMachine=0/],
    ["half of one on a machine", "x-fleet-value", "MaxPerMachine=1.5", /MaxPerMachine=1.5/],
    ["OnDisconnect without a time", "x-fleet-value", "OnDisconnect=stop-after", /OnDisconnect=stop-after/],
    ["an unknown option", "x-fleet-unknown-option", "Whatever=1", /unknown option "Whatever"/],
    [
      "MachineID and MachineOf",
      "x-fleet-contradiction",
      "MachineID=a\nMachineOf=b.service",
      /MachineID= together with MachineOf=/,
    ],
    ["Global and Spread", "x-fleet-contradiction", "Global=yes\nSpread=zone", /Global= together with Spread=/],
    [
      "Global and MaxPerMachine",
      "x-fleet-contradiction",
      "Global=yes\nMaxPerMachine=1",
      /Global= together with MaxPerMachine=/,
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
      const { diagnostics } = read("web@1.service", section);
      assert.deepEqual(
        diagnostics.map((one) => [one.code, one.severity]),
        [[code, "error"]],
      );
      assert.match(diagnostics[0]!.saw, saw);
      assert.equal(diagnostics[0]!.at?.line, section.split("\n").length + 1);
    });
  }

  test("an instance where there is none", () => {
    const { diagnostics } = read("web.service", "MachineOf=a@%i.service");
    assert.deepEqual(
      diagnostics.map(({ code }) => code),
      ["x-fleet-specifier"],
    );
    assert.match(diagnostics[0]!.saw, /no instance/);
  });

  test("what is about instances, in a unit that is none", () => {
    const { options, diagnostics } = read("web.service", "Spread=zone\nMaxPerMachine=2");
    assert.deepEqual(
      diagnostics.map(({ code, severity, at }) => [code, severity, at?.line]),
      [
        ["x-fleet-without-effect", "warning", 2],
        ["x-fleet-without-effect", "warning", 3],
      ],
    );
    assert.deepEqual([options.spread, options.maxPerMachine], [{ key: "zone", hard: false }, 2]);
  });

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
