import assert from "node:assert/strict";
import { test } from "node:test";
import type { UnitHash, UnitName } from "../../src/domain/names.ts";
import { planTasks } from "../../src/domain/tasks/plan-tasks.ts";
import type { ObservedUnit, Task, WantedUnit } from "../../src/domain/tasks/task.ts";
import * as fc from "./fast-check.ts";
import { type MachineCase, machineCases } from "./generators/units-on-machine.ts";

const RUNS = { numRuns: 2000 };
const ORDER = ["stop", "remove", "write", "reset-failed", "reload", "reload-unit", "start", "adopt"];

test("tasks come in one order of kinds, with one reload at most and no task twice", () => {
  fc.assert(
    fc.property(machineCases, ({ wanted, observed, effectOf }) => {
      const { tasks } = planTasks(wanted, observed, effectOf);
      const ranks = tasks.map((task) => ORDER.indexOf(task.kind));
      assert.deepEqual(ranks, [...ranks].sort());
      const labels = tasks.map((task) => (task.kind === "reload" ? "reload" : `${task.kind} ${task.unit}`));
      assert.equal(new Set(labels).size, labels.length);
    }),
    RUNS,
  );
});

test("no task touches a unit that is somebody else's", () => {
  fc.assert(
    fc.property(machineCases, ({ wanted, observed, effectOf }) => {
      const { tasks, blocked } = planTasks(wanted, observed, effectOf);
      const touched = new Set(tasks.flatMap((task) => (task.kind === "reload" ? task.units : [task.unit])));
      const hashes = new Map(wanted.map((unit) => [unit.name, unit.hash]));
      for (const unit of observed) {
        const isForeign = !unit.owned && unit.systemd !== null && unit.onDisk !== hashes.get(unit.name);
        const isUnknown = !unit.owned && !hashes.has(unit.name);
        if (isForeign || isUnknown) assert.ok(!touched.has(unit.name), `${unit.name} is not ours`);
        if (isForeign && hashes.has(unit.name)) assert.ok(blocked.some((one) => one.unit === unit.name));
      }
    }),
    RUNS,
  );
});

test("the order of the lists does not matter", () => {
  const shuffled = machineCases.chain((input) =>
    fc.record({ input: fc.constant(input), wanted: shuffle(input.wanted), observed: shuffle(input.observed) }),
  );
  fc.assert(
    fc.property(shuffled, ({ input, wanted, observed }) => {
      const { effectOf } = input;
      assert.deepEqual(planTasks(wanted, observed, effectOf), planTasks(input.wanted, input.observed, effectOf));
    }),
    RUNS,
  );
});

test("a unit starts after what it comes after, unless they go in a circle", () => {
  fc.assert(
    fc.property(machineCases, ({ wanted, observed, effectOf }) => {
      const inOneLine = wanted.map((unit) => ({ ...unit, after: unit.after.filter((other) => other < unit.name) }));
      const starts = planTasks(inOneLine, observed, effectOf)
        .tasks.filter((task) => task.kind === "start")
        .map((task) => task.unit);
      for (const unit of inOneLine) {
        for (const before of unit.after) {
          if (!starts.includes(unit.name) || !starts.includes(before)) continue;
          assert.ok(starts.indexOf(before) < starts.indexOf(unit.name), `${unit.name} starts before ${before}`);
        }
      }
    }),
    RUNS,
  );
});

test("doing the tasks brings the machine where it should be in one pass, and the next pass finds nothing to do", () => {
  fc.assert(
    fc.property(machineCases, (input) => {
      const machine = new ModelMachine(input);
      const first = planTasks(input.wanted, machine.observed(), input.effectOf);
      const blocked = new Set(first.blocked.map((unit) => unit.unit));
      machine.run(first.tasks);
      for (const unit of input.wanted) if (!blocked.has(unit.name)) machine.assertAsWanted(unit);
      for (const unit of machine.observed()) {
        assert.ok(!unit.owned || input.wanted.some((wanted) => wanted.name === unit.name), `${unit.name} is left over`);
      }
      assert.deepEqual(planTasks(input.wanted, machine.observed(), input.effectOf).tasks, []);
    }),
    RUNS,
  );
});

test("what runs keeps running unless its change says restart, its goal does, or it goes down with another", () => {
  fc.assert(
    fc.property(machineCases, ({ wanted, observed, effectOf }) => {
      const { tasks } = planTasks(wanted, observed, effectOf);
      const stopped = tasks.flatMap((task) => (task.kind === "stop" ? [task] : []));
      for (const { unit, reason } of stopped) {
        const want = wanted.find((one) => one.name === unit);
        if (want === undefined || reason.code === "goal-is") continue;
        const { running, started, loaded, onDisk, systemd } = observed.find((one) => one.name === unit)!;
        const texts = [running ?? started ?? loaded, onDisk].flatMap((hash) => (hash === null ? [] : [hash]));
        const effects = texts.map((hash) => effectOf(unit, hash, want.hash));
        const isRising = systemd?.active === "activating" && effects.includes("reload");
        assert.ok(effects.includes("restart") || isRising, `${unit} stops for ${effects}`);
      }
      for (const task of tasks) {
        if (task.kind !== "start" || task.reason.code !== "file-changed") continue;
        const isUp = observed.some(({ name, running }) => name === task.unit && running !== null);
        const isStopped = stopped.some(({ unit }) => unit === task.unit);
        assert.ok(!isUp || isStopped, `${task.unit} runs, is not stopped, and is started`);
      }
    }),
    RUNS,
  );
});

test("a pass may end after any of its tasks: the passes after it leave nothing in force but the wanted text", () => {
  fc.assert(
    fc.property(machineCases, fc.nat(20), (input, cut) => {
      const machine = new ModelMachine(input);
      const { tasks, blocked } = planTasks(input.wanted, machine.observed(), input.effectOf);
      machine.run(tasks, cut);
      for (let pass = 0; pass < 2; pass++) {
        machine.run(planTasks(input.wanted, machine.observed(), input.effectOf).tasks);
      }
      assert.deepEqual(planTasks(input.wanted, machine.observed(), input.effectOf).tasks, []);
      const names = new Set(blocked.map((unit) => unit.unit));
      for (const unit of input.wanted) if (!names.has(unit.name)) machine.assertAsWanted(unit);
    }),
    RUNS,
  );
});

/** systemd and the agent's memory in the fewest words: what each task does, and what a started unit then does by itself. */
class ModelMachine {
  readonly #units: Map<UnitName, ObservedUnit>;
  readonly #wanted: ReadonlyMap<UnitName, WantedUnit>;
  readonly #behaviour: MachineCase["behaviour"];
  readonly #effectOf: MachineCase["effectOf"];
  /** What really runs and what systemd really holds, whatever the agent remembers. */
  readonly #process = new Map<UnitName, UnitHash>();
  readonly #held = new Map<UnitName, UnitHash>();
  #reloading: readonly UnitName[] = [];

  constructor({ wanted, observed, behaviour, effectOf }: MachineCase) {
    this.#effectOf = effectOf;
    for (const { name, running, loaded, systemd } of observed) {
      if (running !== null) this.#process.set(name, running);
      if (loaded !== null && systemd !== null) this.#held.set(name, loaded);
    }
    this.#units = new Map(observed.map((unit) => [unit.name, unit]));
    this.#wanted = new Map(wanted.map((unit) => [unit.name, unit]));
    this.#behaviour = behaviour;
  }

  observed(): ObservedUnit[] {
    return [...this.#units.values()];
  }

  /** The first so many of them, all where not given. */
  run(tasks: readonly Task[], count = tasks.length): void {
    this.#reloading = tasks.flatMap((task) => (task.kind === "reload-unit" ? [task.unit] : []));
    for (const task of tasks.slice(0, count)) this.#do(task);
  }

  assertAsWanted({ name, goal, hash }: WantedUnit): void {
    const unit = this.#units.get(name)!;
    assert.equal(unit.onDisk, hash);
    if (unit.systemd !== null) assert.equal(unit.loaded, hash);
    if (unit.running !== null) assert.equal(unit.running, hash);
    const [process, held] = [this.#process.get(name), this.#held.get(name)];
    if (unit.running !== null && process !== undefined) {
      const effect = this.#effectOf(name, process, hash);
      assert.ok(effect === "quiet" || effect === "daemon-reload", `${name} runs a text that differs by ${effect}`);
    }
    if (unit.systemd !== null && held !== undefined) {
      assert.equal(this.#effectOf(name, held, hash), "quiet", `systemd holds another ${name}`);
    }
    const hasEnded = unit.systemd?.active === "failed" || this.#behaviour.get(name) === "ends";
    const isDone = unit.started === hash && hasEnded;
    if (goal === "launched") assert.ok(isDone || unit.running === hash, `${name} does not run`);
    if (goal === "loaded") assert.equal(unit.started, null, `${name} was started by us and should only be loaded`);
  }

  #do(task: Task): void {
    if (task.kind === "reload") {
      for (const { name, onDisk } of this.#units.values()) if (onDisk !== null) this.#held.set(name, onDisk);
      for (const name of task.units) {
        const { onDisk, running } = this.#get(name);
        // What still has to apply its text itself counts as loaded only once it was told to.
        if (this.#reloading.includes(name)) continue;
        this.#set(name, { loaded: onDisk, running: running === null ? null : onDisk });
      }
      return;
    }
    const unit = this.#get(task.unit);
    const wanted = this.#wanted.get(task.unit);
    if (task.kind === "stop") this.#stop(task.unit);
    if (task.kind === "remove") this.#set(task.unit, { owned: false, onDisk: null, loaded: null, running: null });
    if (task.kind === "write") {
      this.#set(task.unit, {
        owned: true,
        onDisk: wanted!.hash,
        loaded: unit.systemd === null ? wanted!.hash : unit.loaded,
      });
    }
    if (task.kind === "reset-failed") this.#state(task.unit, "inactive");
    if (task.kind === "reload-unit") {
      const process = this.#process.get(task.unit);
      assert.ok(unit.systemd?.active === "active", `${task.unit} is told to reload and is not up`);
      assert.equal(this.#held.get(task.unit) ?? unit.onDisk, unit.onDisk, `${task.unit} reloads an older text`);
      if (process !== undefined && this.#effectOf(task.unit, process, unit.onDisk!) !== "restart") {
        this.#process.set(task.unit, unit.onDisk!);
      }
      this.#set(task.unit, { loaded: unit.onDisk, running: unit.onDisk });
    }
    if (task.kind === "start") this.#start(task.unit);
    if (task.kind === "adopt") {
      const started = wanted!.goal === "launched" ? wanted!.hash : null;
      const isUp = unit.systemd?.active === "active" || unit.systemd?.active === "activating";
      const running = isUp ? wanted!.hash : null;
      this.#set(task.unit, { owned: true, onDisk: wanted!.hash, loaded: wanted!.hash, running, started });
    }
  }

  #start(name: UnitName): void {
    const unit = this.#get(name);
    const hash = this.#wanted.get(name)!.hash;
    if (unit.owned)
      assert.equal(this.#effectOf(name, unit.loaded!, hash), "quiet", `${name} starts with an older text`);
    if (unit.systemd === null || this.#held.get(name) === undefined) this.#held.set(name, hash);
    this.#process.set(name, hash);
    const isUp = this.#behaviour.get(name) === "runs";
    this.#set(name, { running: isUp ? unit.loaded : null, started: hash });
    this.#state(name, { runs: "active", ends: "inactive", fails: "failed" }[this.#behaviour.get(name)!]);
  }

  /** As systemd does it: what requires the unit goes down with it, also by way of what is down already. */
  #stop(name: UnitName): void {
    this.#process.delete(name);
    this.#set(name, { running: null, started: null });
    this.#state(name, "inactive");
    this.#stopFollowers(name, new Set([name]));
  }

  #stopFollowers(name: UnitName, met: Set<UnitName>): void {
    for (const [follower, wanted] of this.#wanted) {
      const unit = this.#units.get(follower);
      const isOurs = unit?.owned === true && unit.systemd?.fragmentPath.startsWith("/run");
      if (!isOurs || met.has(follower) || !wanted.files[0]!.text.includes(`Requires=${name}\n`)) continue;
      met.add(follower);
      const { active } = unit.systemd!;
      if (active !== "inactive" && active !== "failed") {
        this.#process.delete(follower);
        this.#set(follower, { running: null });
        this.#state(follower, "inactive");
      }
      this.#stopFollowers(follower, met);
    }
  }

  #get(name: UnitName): ObservedUnit {
    const nothing = { owned: false, onDisk: null, loaded: null, running: null, started: null, systemd: null };
    return this.#units.get(name) ?? { name, service: name, ...nothing };
  }

  #set(name: UnitName, change: Partial<ObservedUnit>): void {
    this.#units.set(name, { ...this.#get(name), ...change });
  }

  #state(name: UnitName, active: string): void {
    const fragmentPath = `/run/systemd/system/${name}`;
    const systemd = this.#get(name).systemd ?? { load: "loaded", active, sub: "", fragmentPath };
    this.#set(name, { systemd: { ...systemd, active } });
  }
}

function shuffle<T>(values: readonly T[]): fc.Arbitrary<readonly T[]> {
  return fc.shuffledSubarray([...values], { minLength: values.length });
}
