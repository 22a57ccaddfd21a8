import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { machineNumber, pretendChange, pretendReport } from "../../../test/pretend-report.ts";
import type { UnitHash } from "../../domain/names.ts";
import type { Change, ChangeAction, Effect } from "../../domain/plan/plan.ts";
import { displayWidth } from "./display-width.ts";
import { planText } from "./plan-text.ts";

const ESCAPE = "\u001b";

function side(index: number) {
  return { machine: machineNumber(index), hash: "h" as UnitHash, goal: "launched" as const };
}

function changed(unit: string, on = 0, key = "ExecStart"): Change {
  const causes = [{ effect: "restart" as const, section: "Service", key }];
  return pretendChange(unit, {
    action: "change",
    effect: "restart",
    from: side(on),
    to: side(on),
    reason: { code: "files-changed", causes } as Change["reason"],
  });
}

/** The lines between the head and what follows the changes. */
function rowsOf(text: string): string[] {
  return text.split("\n\n")[1]!.split("\n");
}

test("each effect stands once with its count, worst first, and each sign is read without colour", () => {
  const kinds: readonly (readonly [ChangeAction, Effect])[] = [
    ["add", "quiet"],
    ["adopt", "adopt"],
    ["add", "start"],
    ["change", "reload"],
    ["change", "restart"],
    ["move", "move"],
    ["remove", "stop"],
  ];
  const changes = kinds.map(([action, effect]) => pretendChange(`${effect}.service`, { action, effect }));
  assert.deepEqual(
    rowsOf(planText(pretendReport(changes))).map((row) => row.split(/ +/).slice(0, 4).join(" ")),
    [
      "stop 1 - stop.service",
      "move 1 > move.service",
      "restart 1 ~ restart.service",
      "reload 1 ~ reload.service",
      "start 1 + start.service",
      "adopt 1 = adopt.service",
      "quiet 1 + quiet.service",
    ],
  );
});

describe("what happens for one reason is one row", () => {
  const machines = ["m1", "m2", "m3", "m4", "m5", "m6"];
  const cases: [sentence: string, changes: Change[], rows: string[]][] = [
    [
      "a unit on several machines",
      [0, 1, 2].map((on) => changed("every.service", on)),
      ["restart  3  ~  every.service  m1, m2, m3  ExecStart= changed"],
    ],
    [
      "a unit on many",
      [0, 1, 2, 3, 4, 5].map((on) => changed("every.service", on)),
      ["restart  6  ~  every.service  m1, m2, m3, … (6)  ExecStart= changed"],
    ],
    [
      "instances, with the machine of each",
      [changed("web@10.service", 2), changed("web@2.service", 0), changed("web@9.service", 1)],
      ["restart  3  ~  web@{2,9,10}.service  m1, m2, m3  ExecStart= changed"],
    ],
    [
      "many instances on one machine",
      ["a", "b", "c", "d", "e"].map((name) => changed(`web@${name}.service`)),
      ["restart  5  ~  web@{a,b,c,…}.service  m1 (5)  ExecStart= changed"],
    ],
    [
      "another reason is another row",
      [changed("web@1.service"), changed("web@2.service", 1), changed("web@3.service", 2, "User")],
      [
        "restart  3  ~  web@{1,2}.service  m1, m2  ExecStart= changed",
        "            ~  web@3.service      m3      User= changed",
      ],
    ],
    [
      "instances on several machines each stay apart",
      [changed("g@a.service"), changed("g@a.service", 1), changed("g@b.service"), changed("g@b.service", 1)],
      [
        "restart  4  ~  g@a.service  m1, m2  ExecStart= changed",
        "            ~  g@b.service  m1, m2  ExecStart= changed",
      ],
    ],
  ];
  for (const [sentence, changes, rows] of cases)
    test(sentence, () => assert.deepEqual(rowsOf(planText(pretendReport(changes, machines))), rows));
});

test("wound 12: no changes is exactly one line, on a narrow terminal as well", () => {
  const report = pretendReport([], ["m1", "m2"]);
  for (const terminal of [null, { columns: 40, colour: true }])
    assert.equal(planText(report, terminal), "prod: no changes. 0 units on 2 machines match ccccccc (registry 7).");
});

test("3,000 changes stay readable: fifty rows, and how many changes are not shown", () => {
  const changes = Array.from({ length: 3_000 }, (_, index) => changed(`u${index}.service`));
  const rows = rowsOf(planText(pretendReport(changes)));
  assert.equal(rows.length, 51);
  assert.match(rows[0]!, /^restart {2}3000 {2}~ {2}u0\.service/);
  assert.equal(rows.at(-1)?.trim(), "… and 2950 more (--json has all)");
});

test("on a pipe no line is cut, and nothing is coloured", () => {
  const text = planText(pretendReport([changed(`${"long".repeat(50)}.service`)]));
  assert.match(text, /(long){50}\.service {2}m1 {2}ExecStart= changed/);
  assert.ok(!text.includes(ESCAPE));
});

describe("on a terminal", () => {
  const long = pretendReport(
    [
      changed("short.service"),
      changed(`${"long-name-".repeat(9)}.service`, 1),
      ...Array.from({ length: 30 }, (_, index) => changed(`日本${index}.service`, 1, "日本".repeat(20))),
    ],
    ["m1", "a-machine-with-a-long-name"],
  );

  for (const columns of [40, 60, 80, 120]) {
    test(`${columns} columns: one change is one line, and no line is longer but by one long word`, () => {
      const text = planText(long, { columns, colour: false });
      assert.equal(rowsOf(text).length, 32);
      for (const line of text.split("\n")) assert.ok(displayWidth(line) <= columns, line);
    });
  }

  test("too narrow for all: the reason is cut at a word, then left out, and a unit keeps its type", () => {
    const row = (columns: number) =>
      rowsOf(planText(pretendReport([pretendChange("some-unit.service")]), { columns, colour: false }))[0];
    assert.equal(row(80), "start  1  +  some-unit.service  m1  the only machine that fits");
    assert.equal(row(55), "start  1  +  some-unit.service  m1  the only machine…");
    assert.equal(row(45), "start  1  +  some-unit.service  m1");
    assert.equal(row(31), "start  1  +  some-u…service  m1");
  });

  test("effect and sign are coloured, and a terminal without colour gets the same text", () => {
    const report = pretendReport([changed("a.service")]);
    const coloured = planText(report, { columns: 80, colour: true });
    assert.match(coloured, /^\u001b\[33mrestart\u001b\[0m {2}1 {2}\u001b\[33m~\u001b\[0m {2}a\.service/m);
    assert.equal(coloured.replace(/\u001b\[\d+m/g, ""), planText(report, { columns: 80, colour: false }));
  });
});

test("no name of a plan file steers the terminal or passes for a line of ours", () => {
  const text = planText(pretendReport([changed("a.service\nprod: no changes.\u001b[2J")]), {
    columns: 200,
    colour: true,
  });
  assert.match(text, /a\.service\\nprod: no changes\.\\x1b\[2J/);
});
