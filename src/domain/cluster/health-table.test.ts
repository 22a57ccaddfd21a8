import assert from "node:assert/strict";
import { test } from "node:test";
import { specOf } from "../../../test/property/generators/cluster.ts";
import type { UnitName } from "../names.ts";
import type { SpecUnit, UnitGoal } from "../spec/cluster-spec.ts";
import {
  hasProcesses,
  judgeUnitHealth,
  mustSettle,
  UNIT_KINDS,
  type UnitHealth,
  type UnitKind,
  unitKind,
} from "./health-table.ts";

const GOALS: readonly UnitGoal[] = ["launched", "loaded", "inactive"];

/** What an agent may see, in systemd's words. */
const SEEN = {
  up: { active: "active", sub: "running", result: "success", started: true },
  reloading: { active: "reloading", sub: "reload", result: "success", started: true },
  "on its way up": { active: "activating", sub: "start", result: "success", started: true },
  "between two attempts": { active: "activating", sub: "auto-restart", result: "exit-code", started: true },
  "on its way down": { active: "deactivating", sub: "stop-sigterm", result: "success", started: true },
  "ended well": { active: "inactive", sub: "dead", result: "success", started: true },
  "ended badly": { active: "inactive", sub: "dead", result: "exit-code", started: true },
  "never started": { active: "inactive", sub: "dead", result: "success", started: false },
  failed: { active: "failed", sub: "failed", result: "exit-code", started: true },
} as const;
type Seen = keyof typeof SEEN;

/** The first letters of `healthy`, `coming` and `down`, for each of `SEEN` in its order. */
const LETTERS: Readonly<Record<string, UnitHealth>> = { h: "healthy", c: "coming", d: "down" };
const LAUNCHED_STAYS = "hhcdcddcd";
const LAUNCHED_ENDS = "hhcdchdcd";
const LOADED = "hhhhhhhhd";
const INACTIVE = "cccdchhhh";
const CELLS: Readonly<Record<UnitKind, readonly [launched: string, settles: boolean]>> = {
  service: [LAUNCHED_STAYS, true],
  lingering: [LAUNCHED_STAYS, true],
  oneshot: [LAUNCHED_ENDS, false],
  setup: [LAUNCHED_STAYS, false],
  socket: [LAUNCHED_STAYS, false],
  timer: [LAUNCHED_STAYS, false],
  path: [LAUNCHED_STAYS, false],
  mount: [LAUNCHED_STAYS, false],
  automount: [LAUNCHED_STAYS, false],
  swap: [LAUNCHED_STAYS, false],
  target: [LAUNCHED_STAYS, false],
  slice: [LAUNCHED_STAYS, false],
};

const TEXTS: Partial<Record<UnitKind, string>> = {
  lingering: "RemainAfterExit=yes",
  oneshot: "Type=oneshot",
  setup: "Type=oneshot\nRemainAfterExit=yes",
};

for (const kind of UNIT_KINDS) {
  for (const goal of GOALS) {
    const [launched, settles] = CELLS[kind];
    const row = { launched, loaded: LOADED, inactive: INACTIVE }[goal];
    test(`a ${kind} that is to be ${goal} is well, on its way or down`, () => {
      const name = TEXTS[kind] !== undefined || kind === "service" ? "u.service" : `u.${kind}`;
      const unit = unitOf(name, TEXTS[kind] ?? "");
      assert.equal(unitKind(unit), kind);
      const states = Object.keys(SEEN) as Seen[];
      const judged = Object.fromEntries(states.map((state) => [state, judgeUnitHealth(unit, goal, SEEN[state])]));
      assert.deepEqual(judged, Object.fromEntries(states.map((state, index) => [state, LETTERS[row[index]!]])));
      assert.equal(mustSettle(unit, goal), settles && goal === "launched");
    });
  }
}

const KINDS: readonly (readonly [says: string, fragment: string, dropin: string, kind: UnitKind])[] = [
  ["a service without a type has a process that is to stay", "ExecStart=/bin/true", "", "service"],
  ...["simple", "exec", "notify", "notify-reload", "forking", "dbus", "idle"].map(
    (type) => [`so has one of Type=${type}`, `Type=${type}\nExecStart=/bin/true`, "", "service"] as const,
  ),
  ["one that remains after its exit", "ExecStart=/bin/true\nRemainAfterExit=yes", "", "lingering"],
  ["a oneshot that does not remain", "Type=oneshot", "", "oneshot"],
  ["a oneshot that remains is active afterwards", "Type=oneshot\nRemainAfterExit=yes", "", "setup"],
  ["systemd's other words for yes", "Type=oneshot\nRemainAfterExit=On", "", "setup"],
  ["a drop-in has the last word", "Type=simple", "Type=oneshot", "oneshot"],
  ["a drop-in takes the type away", "Type=oneshot\nExecStart=/bin/true", "Type=", "service"],
  ["what only undoes something at its end", "ExecStop=/bin/true\nRemainAfterExit=yes", "", "setup"],
  ["a service of D-Bus", "BusName=a.b\nExecStop=/bin/true", "", "service"],
];

for (const [says, fragment, dropin, kind] of KINDS) {
  test(`${says}: ${kind}`, () => {
    const unit = unitOf("u.service", fragment);
    const text = `[Service]\n${dropin}\n`;
    const dropins = [{ path: "u.service.d/1.conf", name: "1.conf", text }];
    assert.equal(unitKind(dropin === "" ? unit : { ...unit, dropins }), kind);
  });
}

for (const [name, service, kind] of [
  ["app.container", "app.service", "service"],
  ["app.pod", "app-pod.service", "service"],
  ["data.volume", "data-volume.service", "setup"],
  ["net.network", "net-network.service", "setup"],
] as const) {
  test(`the service of ${name} is a ${kind}`, () => {
    const unit = { ...unitOf(name, ""), service: service as UnitName, kind: "quadlet" as const };
    assert.equal(unitKind(unit), kind);
  });
}

test("a unit the commit has no more is up, or it is not", () => {
  assert.equal(judgeUnitHealth(undefined, "launched", SEEN.up), "healthy");
  assert.equal(judgeUnitHealth(undefined, "launched", SEEN["ended well"]), "down");
});

test("what has processes is neither down nor failed", () => {
  const states = ["active", "reloading", "activating", "deactivating", "inactive", "failed", "maintenance"];
  assert.deepEqual(states.filter(hasProcesses), states.slice(0, 4));
});

function unitOf(name: string, service: string): SpecUnit {
  const sketch = { name, group: 0, global: false, goal: "launched" as const, machineId: null, machineMetadata: [] };
  const [unit] = specOf([{ ...sketch, conflicts: [], replaces: [], move: "auto", text: "" }]).units;
  return { ...unit!, fragment: { path: name, text: `[Service]\n${service}\n` } };
}
