import assert from "node:assert/strict";
import { test } from "node:test";
import type { UnitHash, UnitName } from "../names.ts";
import type { UnitEffect } from "../unit/unit-effect.ts";
import { planTasks } from "./plan-tasks.ts";
import type { ObservedUnit, WantedUnit } from "./task.ts";

const OLD = "old" as UnitHash;
const NEW = "new" as UnitHash;

interface Case {
  readonly says: string;
  readonly wanted: Partial<WantedUnit> | null;
  readonly observed: Partial<ObservedUnit> | null;
  /** What the change between the two texts does; restart where not given. */
  readonly effect?: UnitEffect;
  readonly tasks: readonly string[];
  readonly blocked?: string;
}

const running = { onDisk: NEW, loaded: NEW, running: NEW, started: NEW, systemd: view("active") };
const runningOld = { onDisk: OLD, loaded: OLD, running: OLD, started: OLD, systemd: view("active") };

const CASES: readonly Case[] = [
  {
    says: "a new unit is written and started, without a reload",
    wanted: {},
    observed: null,
    tasks: ["write", "start"],
  },
  {
    says: "a unit to be loaded is written and not started",
    wanted: { goal: "loaded" },
    observed: null,
    tasks: ["write"],
  },
  { says: "what is as it should be is left alone", wanted: {}, observed: running, tasks: [] },
  {
    says: "a changed unit stops with its old text, is written, reloaded and started",
    wanted: {},
    observed: runningOld,
    tasks: ["stop", "write", "reload", "start"],
  },
  {
    says: "a changed unit that had failed is forgiven first",
    wanted: {},
    observed: { ...runningOld, running: null, systemd: view("failed") },
    tasks: ["write", "reset-failed", "reload", "start"],
  },
  {
    says: "a crash after the write is seen by what systemd has loaded",
    wanted: {},
    observed: { ...runningOld, onDisk: NEW },
    tasks: ["stop", "reload", "start"],
  },
  {
    says: "a crash between write and start is seen by what was started",
    wanted: {},
    observed: { onDisk: NEW, loaded: NEW, started: OLD },
    tasks: ["start"],
  },
  {
    says: "a unit that went down by itself is started",
    wanted: {},
    observed: { ...running, running: null, systemd: view("inactive") },
    tasks: ["start"],
  },
  {
    says: "a oneshot that ran is done, also when systemd has forgotten it",
    wanted: { oneshot: true },
    observed: { onDisk: NEW, loaded: NEW, started: NEW },
    tasks: [],
  },
  {
    says: "a oneshot that never ran is started",
    wanted: { oneshot: true },
    observed: { onDisk: NEW, loaded: NEW },
    tasks: ["start"],
  },
  {
    says: "a unit that failed with this very text stays failed",
    wanted: {},
    observed: { ...running, running: null, systemd: view("failed") },
    tasks: [],
  },
  {
    says: "a failure of an older text does not count against this one",
    wanted: {},
    observed: { onDisk: NEW, loaded: NEW, started: OLD, systemd: view("failed") },
    tasks: ["reset-failed", "start"],
  },
  {
    says: "a unit that is going down is waited for",
    wanted: {},
    observed: { ...running, running: null, systemd: view("deactivating") },
    tasks: [],
  },
  {
    says: "a loaded unit that its socket activated is left running",
    wanted: { goal: "loaded" },
    observed: { ...running, started: null },
    tasks: [],
  },
  {
    says: "a unit that goes on to another machine is stopped, whoever started it",
    wanted: { goal: "inactive" },
    observed: { ...running, started: null },
    tasks: ["stop"],
  },
  {
    says: "a unit that was launched and should only be loaded is stopped",
    wanted: { goal: "loaded" },
    observed: running,
    tasks: ["stop"],
  },
  {
    says: "what runs already with the right text is remembered, not restarted",
    wanted: {},
    observed: { ...running, started: null },
    tasks: ["adopt"],
  },
  {
    says: "our own unit found after the memory was lost is adopted",
    wanted: {},
    observed: { owned: false, onDisk: NEW, systemd: view("active") },
    tasks: ["adopt"],
  },
  {
    says: "a unit that is not wanted any more is stopped and removed",
    wanted: null,
    observed: running,
    tasks: ["stop", "remove", "reload"],
  },
  { says: "one that is down is only removed", wanted: null, observed: { onDisk: NEW }, tasks: ["remove"] },
  {
    says: "one that failed is forgotten",
    wanted: null,
    observed: { onDisk: NEW, systemd: view("failed") },
    tasks: ["remove", "reset-failed", "reload"],
  },
  {
    says: "somebody else's unit is never touched",
    wanted: null,
    observed: { owned: false, systemd: view("active") },
    tasks: [],
  },
  {
    says: "somebody else's unit of a wanted name is a conflict",
    wanted: {},
    observed: { owned: false, systemd: view("active", "/usr/lib/systemd/system/u.service") },
    tasks: [],
    blocked: "conflict",
  },
  {
    says: "a file in /etc before ours is said, not fought",
    wanted: {},
    observed: { ...running, systemd: view("active", "/etc/systemd/system/u.service") },
    tasks: [],
    blocked: "shadowed",
  },
  {
    says: "of a shadowed unit that is not wanted any more only our file goes",
    wanted: null,
    observed: { ...running, systemd: view("active", "/etc/systemd/system/u.service") },
    tasks: ["remove"],
  },
  {
    says: "a quadlet's files need a reload, because its service is generated",
    wanted: { name: "u.container" as UnitName },
    observed: null,
    tasks: ["write", "reload", "start"],
  },
];

const oneshotDone = { onDisk: OLD, loaded: OLD, started: OLD };
const failed = { ...runningOld, running: null, systemd: view("failed") };
const down = { ...runningOld, running: null, systemd: view("inactive") };

const GENTLE: readonly Case[] = [
  {
    says: "a quiet change is written and remembered, and systemd hears nothing of it",
    effect: "quiet",
    wanted: {},
    observed: runningOld,
    tasks: ["write", "adopt"],
  },
  {
    says: "a quiet change that was written and not yet remembered is remembered",
    effect: "quiet",
    wanted: {},
    observed: { ...runningOld, onDisk: NEW },
    tasks: ["adopt"],
  },
  {
    says: "a quiet change cut short in the middle of its write is written again, and systemd reads it once more",
    effect: "quiet",
    wanted: {},
    observed: { ...runningOld, onDisk: null },
    tasks: ["write", "reload", "adopt"],
  },
  {
    says: "a failure stays one under a quiet change",
    effect: "quiet",
    wanted: {},
    observed: failed,
    tasks: ["write", "adopt"],
  },
  {
    says: "a unit that went down by itself is started under a quiet change",
    effect: "quiet",
    wanted: {},
    observed: down,
    tasks: ["write", "start", "adopt"],
  },
  {
    says: "a oneshot that is done is not run again by a quiet change",
    effect: "quiet",
    wanted: { oneshot: true },
    observed: oneshotDone,
    tasks: ["write", "adopt"],
  },
  {
    says: "a quiet change of a unit that is to be loaded only stops it",
    effect: "quiet",
    wanted: { goal: "loaded" },
    observed: runningOld,
    tasks: ["stop", "write", "adopt"],
  },
  {
    says: "a unit its socket activated takes a quiet change running",
    effect: "quiet",
    wanted: { goal: "loaded" },
    observed: { ...runningOld, started: null },
    tasks: ["write", "adopt"],
  },
  {
    says: "what is going down is waited for before its text changes",
    effect: "quiet",
    wanted: {},
    observed: { ...runningOld, systemd: view("deactivating") },
    tasks: [],
  },
  {
    says: "what only systemd must read costs one reload and no process",
    effect: "daemon-reload",
    wanted: {},
    observed: runningOld,
    tasks: ["write", "reload", "adopt"],
  },
  {
    says: "a crash between write and reload ends in the reload",
    effect: "daemon-reload",
    wanted: {},
    observed: { ...runningOld, onDisk: NEW },
    tasks: ["reload", "adopt"],
  },
  {
    says: "a oneshot that is done and forgotten needs no reload and is not run again",
    effect: "daemon-reload",
    wanted: { oneshot: true },
    observed: oneshotDone,
    tasks: ["write", "adopt"],
  },
  {
    says: "a failure is started anew by what systemd must read: its Restart= may be what changed",
    effect: "daemon-reload",
    wanted: {},
    observed: failed,
    tasks: ["write", "reset-failed", "reload", "start"],
  },
  {
    says: "a unit that is down though it should be up is started anew",
    effect: "daemon-reload",
    wanted: {},
    observed: down,
    tasks: ["write", "reload", "start"],
  },
  {
    says: "a unit that applies its text by its own reload is told to, once systemd has read it",
    effect: "reload",
    wanted: {},
    observed: runningOld,
    tasks: ["write", "reload", "reload-unit", "adopt"],
  },
  {
    says: "a crash before its own reload was ordered ends in that reload",
    effect: "reload",
    wanted: {},
    observed: { ...runningOld, onDisk: NEW },
    tasks: ["reload", "reload-unit", "adopt"],
  },
  {
    says: "a unit on its way up is started anew instead of told to reload",
    effect: "reload",
    wanted: {},
    observed: { ...runningOld, systemd: view("activating") },
    tasks: ["stop", "write", "reload", "start"],
  },
  {
    says: "what stops anyway is not told to reload",
    effect: "reload",
    wanted: { goal: "loaded" },
    observed: runningOld,
    tasks: ["stop", "write", "reload", "adopt"],
  },
];

for (const { says, wanted, observed, effect = "restart", tasks, blocked } of [...CASES, ...GENTLE]) {
  test(says, () => {
    const plan = planTasks(
      wanted === null ? [] : [wantedUnit(wanted)],
      observed === null ? [] : [observedUnit(observed)],
      () => effect,
    );
    assert.deepEqual(
      plan.tasks.map((task) => task.kind),
      tasks,
    );
    assert.equal(plan.blocked[0]?.because.code, blocked);
  });
}

test("a pass cut short on the way to one text, and now back to the other, is judged by the worse of the two", () => {
  const kinds = (onDisk: UnitHash, effects: Record<string, UnitEffect>) =>
    planTasks(
      [wantedUnit({ hash: OLD })],
      [observedUnit({ ...runningOld, onDisk })],
      (_, from) => effects[from]!,
    ).tasks.map((task) => task.kind);
  assert.deepEqual(kinds(NEW, { [NEW]: "daemon-reload" }), ["write", "reload", "adopt"]);
  assert.deepEqual(kinds(NEW, { [NEW]: "reload" }), ["write", "reload", "reload-unit", "adopt"]);
  assert.deepEqual(kinds(NEW, { [NEW]: "restart" }), ["stop", "write", "reload", "start"]);
});

test("starts follow After=, stops go the other way, and a circle is entered at its first name", () => {
  const [a, b, c] = ["a.service", "b.service", "c.service"] as [UnitName, UnitName, UnitName];
  const units = [named(a, [c]), named(b), named(c, [b])];
  const seen = [a, b, c].map((name) => observedUnit({ ...runningOld, name, service: name }));
  const order = (kind: string, wanted: WantedUnit[]) =>
    planTasks(wanted, seen, () => "restart").tasks.flatMap((task) =>
      task.kind === kind && "unit" in task ? [task.unit] : [],
    );
  assert.deepEqual(order("start", units), [b, c, a]);
  assert.deepEqual(order("stop", units), [a, c, b]);
  assert.deepEqual(order("start", [named(a, [b]), named(b, [c]), named(c, [a])]), [c, b, a]);
});

test("what systemd stops along with a changed unit is started again, and what only follows it in order is not", () => {
  const [db, app, log] = ["db.service", "app.service", "log.service"] as [UnitName, UnitName, UnitName];
  const wanted = [
    named(db),
    { ...named(app, [db]), files: [{ path: app, text: "[Unit]\nRequires=db.service\nAfter=db.service\n" }] },
    { ...named(log, [db]), files: [{ path: log, text: "[Unit]\nAfter=db.service\n" }] },
  ];
  const seen = [
    observedUnit({ ...runningOld, name: db, service: db }),
    ...[app, log].map((name) => observedUnit({ ...running, name, service: name })),
  ];
  const { tasks } = planTasks(wanted, seen, () => "restart");
  const starts = tasks.filter((task) => task.kind === "start");
  assert.deepEqual(
    starts.map(({ unit, reason }) => [unit, reason.code]),
    [
      [db, "file-changed"],
      [app, "restart-with"],
    ],
  );
});

test("what systemd stops along with a changed unit is not told to reload: it is down by then", () => {
  const [db, app] = ["db.service", "app.service"] as [UnitName, UnitName];
  const wanted = [named(db), { ...named(app), files: [{ path: app, text: "[Unit]\nRequires=db.service\n" }] }];
  const seen = [db, app].map((name) => observedUnit({ ...runningOld, name, service: name }));
  const { tasks } = planTasks(wanted, seen, (unit) => (unit === db ? "restart" : "reload"));
  assert.deepEqual(
    tasks.map((task) => `${task.kind} ${task.kind === "reload" ? task.units.join(" ") : task.unit}`),
    [`stop ${db}`, `write ${app}`, `write ${db}`, `reload ${app} ${db}`, `start ${app}`, `start ${db}`, `adopt ${app}`],
  );
});

test("nothing goes down by way of a unit that systemd does not hold: what runs is told to reload", () => {
  const [db, link, app] = ["db.service", "link.service", "app.service"] as [UnitName, UnitName, UnitName];
  const requires = (unit: UnitName, of: UnitName) => [{ path: unit, text: `[Unit]\nRequires=${of}\n` }];
  const wanted = [
    named(db),
    { ...named(link), files: requires(link, db) },
    { ...named(app), files: requires(app, link) },
  ];
  const seen = [db, app].map((name) => observedUnit({ ...runningOld, name, service: name }));
  const { tasks } = planTasks(wanted, seen, (unit) => (unit === db ? "restart" : "reload"));
  const ofApp = tasks.flatMap((task) => ("unit" in task && task.unit === app ? [task.kind] : []));
  assert.deepEqual(ofApp, ["write", "reload-unit", "adopt"]);
});

test("a socket with new files opens only while its service is down, and one that died by itself stops nobody", () => {
  const [socket, service] = ["echo.socket", "echo.service"] as [UnitName, UnitName];
  const tasksOf = (goal: "launched" | "loaded", was: Partial<ObservedUnit>, text = "[Socket]\nListenStream=1\n") => {
    const wanted = [
      { ...named(socket), files: [{ path: socket, text }] },
      { ...named(service, [socket]), goal },
    ];
    const seen = [
      observedUnit({ ...was, name: socket, service: socket }),
      observedUnit({ ...running, started: goal === "launched" ? NEW : null, name: service, service }),
    ];
    const tasks = planTasks(wanted, seen, () => "restart").tasks;
    return tasks.flatMap((task) => ("unit" in task && task.kind !== "write" ? [`${task.kind} ${task.unit}`] : []));
  };
  const both = [`stop ${service}`, `stop ${socket}`, `start ${socket}`];
  assert.deepEqual(tasksOf("launched", runningOld), [...both, `start ${service}`]);
  assert.deepEqual(tasksOf("loaded", runningOld), both);
  assert.deepEqual(tasksOf("launched", {}), [`stop ${service}`, `start ${socket}`, `start ${service}`]);
  assert.deepEqual(tasksOf("launched", { ...running, running: null, systemd: view("inactive") }), [`start ${socket}`]);
  const accepting = "[Socket]\nListenStream=1\nAccept=yes\n";
  assert.deepEqual(tasksOf("launched", runningOld, accepting), [`stop ${socket}`, `start ${socket}`]);
});

function view(active: string, fragmentPath = "/run/systemd/system/u.service") {
  return { load: "loaded", active, sub: "", fragmentPath };
}

function wantedUnit(unit: Partial<WantedUnit>): WantedUnit {
  const name = "u.service" as UnitName;
  return { name, service: name, goal: "launched", hash: NEW, files: [], after: [], oneshot: false, ...unit };
}

function named(name: UnitName, after: readonly UnitName[] = []): WantedUnit {
  return wantedUnit({ name, service: name, after });
}

function observedUnit(unit: Partial<ObservedUnit>): ObservedUnit {
  const name = "u.service" as UnitName;
  const nothing = { onDisk: null, loaded: null, running: null, started: null, systemd: null };
  return { name, service: name, owned: true, ...nothing, ...unit };
}
