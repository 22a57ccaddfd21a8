import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { UnitName } from "../../src/domain/names.ts";
import { planTasks } from "../../src/domain/tasks/plan-tasks.ts";
import type { ObservedUnit, Task, WantedUnit } from "../../src/domain/tasks/task.ts";
import { type MachineCase, machineCases } from "./generators/units-on-machine.ts";

const RUNS = { numRuns: 2000 };
const ORDER = ["stop", "remove", "write", "reset-failed", "reload", "start", "adopt"];

test("tasks come in one order of kinds, with one reload at most and no task twice", () => {
  fc.assert(
    fc.property(machineCases, ({ wanted, observed }) => {
      const { tasks } = planTasks(wanted, observed);
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
    fc.property(machineCases, ({ wanted, observed }) => {
      const { tasks, blocked } = planTasks(wanted, observed);
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
      assert.deepEqual(planTasks(wanted, observed), planTasks(input.wanted, input.observed));
    }),
    RUNS,
  );
});

test("a unit starts after what it comes after, unless they go in a circle", () => {
  fc.assert(
    fc.property(machineCases, ({ wanted, observed }) => {
      const inOneLine = wanted.map((unit) => ({ ...unit, after: unit.after.filter((other) => other < unit.name) }));
      const starts = planTasks(inOneLine, observed)
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
      const first = planTasks(input.wanted, machine.observed());
      const blocked = new Set(first.blocked.map((unit) => unit.unit));
      machine.run(first.tasks);
      for (const unit of input.wanted) if (!blocked.has(unit.name)) machine.assertAsWanted(unit);
      for (const unit of machine.observed()) {
        assert.ok(!unit.owned || input.wanted.some((wanted) => wanted.name === unit.name), `${unit.name} is left over`);
      }
      assert.deepEqual(planTasks(input.wanted, machine.observed()).tasks, []);
    }),
    RUNS,
  );
});

/** systemd and the agent's memory in the fewest words: what each task does, and what a started unit then does by itself. */
class ModelMachine {
  readonly #units: Map<UnitName, ObservedUnit>;
  readonly #wanted: ReadonlyMap<UnitName, WantedUnit>;
  readonly #behaviour: MachineCase["behaviour"];

  constructor({ wanted, observed, behaviour }: MachineCase) {
    this.#units = new Map(observed.map((unit) => [unit.name, unit]));
    this.#wanted = new Map(wanted.map((unit) => [unit.name, unit]));
    this.#behaviour = behaviour;
  }

  observed(): ObservedUnit[] {
    return [...this.#units.values()];
  }

  run(tasks: readonly Task[]): void {
    for (const task of tasks) this.#do(task);
  }

  assertAsWanted({ name, goal, hash }: WantedUnit): void {
    const unit = this.#units.get(name)!;
    assert.equal(unit.onDisk, hash);
    if (unit.systemd !== null) assert.equal(unit.loaded, hash);
    if (unit.running !== null) assert.equal(unit.running, hash);
    const hasEnded = unit.systemd?.active === "failed" || this.#behaviour.get(name) === "ends";
    const isDone = unit.started === hash && hasEnded;
    if (goal === "launched") assert.ok(isDone || unit.running === hash, `${name} does not run`);
    if (goal === "loaded") assert.equal(unit.started, null, `${name} was started by us and should only be loaded`);
  }

  #do(task: Task): void {
    if (task.kind === "reload") {
      for (const unit of this.#units.values()) this.#set(unit.name, { loaded: unit.onDisk });
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
    if (unit.owned) assert.equal(unit.loaded, hash, `${name} is started with an older text`);
    const isUp = this.#behaviour.get(name) === "runs";
    this.#set(name, { running: isUp ? hash : null, started: hash });
    this.#state(name, { runs: "active", ends: "inactive", fails: "failed" }[this.#behaviour.get(name)!]);
  }

  /** As systemd does it: what requires the unit goes down with it. */
  #stop(name: UnitName): void {
    this.#set(name, { running: null, started: null });
    this.#state(name, "inactive");
    for (const [follower, wanted] of this.#wanted) {
      const unit = this.#units.get(follower);
      const isUp =
        unit?.owned === true && unit.systemd?.fragmentPath.startsWith("/run") && unit.systemd.active !== "inactive";
      if (isUp && unit.systemd?.active !== "failed" && wanted.files[0]!.text.includes(`Requires=${name}\n`)) {
        const { started } = unit;
        this.#stop(follower);
        this.#set(follower, { started });
      }
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
