import assert from "node:assert/strict";
import { test } from "node:test";
import type { MachineId, UnitName } from "../../domain/names.ts";
import type { UnitExplanation } from "../../domain/why/unit-explanation.ts";
import { whyText } from "./why-text.ts";

const chain = (unit: string, machine: number | null, isWrong = false): UnitExplanation => ({
  unit: unit as UnitName,
  service: unit as UnitName,
  machine: machine === null ? null : (`id-${machine}` as MachineId),
  machineName: machine === null ? null : `m${machine}`,
  verdict: isWrong
    ? { state: "waits", because: { code: "no-status" }, link: "agent" }
    : { state: "as-wanted", because: { code: "runs" }, link: null },
  links: [{ link: "goal", goal: "launched", because: { code: "default" }, instances: null }],
});
const GOAL = "  goal     launched: nothing else is said of it";
const text = (...explanations: UnitExplanation[]) => whyText({ explanations, unknown: [] }, [], 0).split("\n");

test("of a unit on many machines where all is well, one chain stands for all", () => {
  assert.deepEqual(text(...[1, 2, 3, 4, 5, 6, 7].map((machine) => chain("all.service", machine))), [
    "* all.service on m1 runs as the commit wants it",
    GOAL,
    "",
    "* all.service is as wanted on m2, m3, m4, m5, m6 and 1 more",
  ]);
});

test("where it is not everywhere well, only those chains are shown", () => {
  assert.deepEqual(text(chain("all.service", 1), chain("all.service", 2, true)), [
    "o all.service on m2: the agent on m2 has said nothing of it yet",
    GOAL,
    "",
    "* all.service is as wanted on m1",
  ]);
});

test("of many units those that are as wanted are only named", () => {
  const units = ["a", "b", "c", "d", "e", "f"].map((name) => chain(`${name}.service`, 1, name === "d"));
  const lines = text(...units, chain("g.service", null));
  assert.deepEqual(lines.slice(0, 3), ["o d.service on m1: the agent on m1 has said nothing of it yet", GOAL, ""]);
  assert.equal(lines[3], "* a.service is as wanted on m1");
  assert.equal(lines.at(-1), "* g.service is as wanted");
});

test("of many that are not, five chains are shown and the others' answers", () => {
  const lines = text(...[1, 2, 3, 4, 5, 6, 7].map((number) => chain(`u${number}.service`, number, true)));
  assert.equal(lines.filter((line) => line === GOAL).length, 5);
  assert.equal(lines.filter((line) => line.startsWith("o ")).length, 7);
});

test("a line of a journal or a commit cannot steer a terminal nor pass for a line of ours", () => {
  const systemd = {
    link: "systemd",
    load: "loaded",
    active: "failed",
    sub: "failed",
    result: "exit-code",
    since: null,
    started: true,
    isOld: false,
    journal: ["\u001b[2J\n> next  rm"],
  } as const;
  const lines = text({ ...chain("a.service", 1, true), links: [systemd] });
  assert.equal(lines.at(-1), "           | \\x1b[2J\\n> next  rm");
});
