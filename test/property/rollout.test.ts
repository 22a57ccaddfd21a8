import assert from "node:assert/strict";
import { test } from "node:test";
import type { MachineId, UnitName } from "../../src/domain/names.ts";
import { machineOf } from "../../src/domain/plan/diff-placements.ts";
import {
  planRollout,
  type Rollout,
  type RolloutChange,
  type RolloutInput,
} from "../../src/domain/rollout/plan-rollout.ts";
import { unitNameParts } from "../../src/domain/unit/unit-name.ts";
import * as fc from "./fast-check.ts";
import { rolloutInputs } from "./generators/rollout.ts";

const RUNS = { numRuns: 2000 };
const HARD = rolloutInputs({ losses: true, groups: true, conflicts: true, canaries: true });
const TAKES_DOWN = ["stop", "move", "restart"];
const TOUCHES_NO_PROCESS = ["reload", "daemon-reload", "quiet"];
const STARTS = ["start", "move", "restart"];

test("every prefix of the waves keeps every budget, or is not worse than now, or is refused by its number", () => {
  fc.assert(
    fc.property(HARD, (input) => {
      const { waves, refusals } = planRollout(input);
      const model = new Model(input);
      const now = model.up();
      waves.forEach((wave, index) => {
        const changes = wave.changes.map((change) => changeOf(input, change));
        const during = model.during(changes);
        const losing = [...during].filter(([set, up]) => up < model.up().get(set)! && model.sizeOf(set) > 0);
        assert.deepEqual(
          wave.budgets,
          losing
            .map(([set, up]) => ({ set, up, of: model.sizeOf(set), min: model.minimumOf(set) }))
            .sort((a, b) => (a.set < b.set ? -1 : 1)),
        );
        const worse = wave.budgets.filter(({ set, up, min }) => up < min && up < now.get(set)!);
        assert.deepEqual(
          refusals.filter((refusal) => refusal.wave === index + 1),
          worse.map((budget) => ({ ...budget, wave: index + 1, now: now.get(budget.set)! })),
        );
        model.finish(changes);
      });
    }),
    RUNS,
  );
});

test("every change is in exactly one wave", () => {
  fc.assert(
    fc.property(HARD, (input) => {
      const inWaves = planRollout(input).waves.flatMap((wave) => wave.changes);
      const all = input.changes.map((change) => ({ unit: change.unit, machine: machineOf(change) }));
      assert.deepEqual(inWaves.map(keyOf).sort(), all.map(keyOf).sort());
    }),
    RUNS,
  );
});

test("the order of the inputs does not matter", () => {
  const shuffled = HARD.chain((input) =>
    fc.record({
      input: fc.constant(input),
      changes: shuffle(input.changes),
      units: shuffle(input.spec.units),
      groups: shuffle(input.spec.groups),
      after: shuffle(input.after),
      before: shuffle([...input.before]),
    }),
  );
  fc.assert(
    fc.property(shuffled, ({ input, changes, units, groups, after, before }) => {
      const other = { ...input, changes, after, before: new Map(before), spec: { ...input.spec, units, groups } };
      assert.deepEqual(planRollout(other), planRollout(input));
    }),
    RUNS,
  );
});

test("a group changes in one wave", () => {
  fc.assert(
    fc.property(HARD, (input) => {
      const rollout = planRollout(input);
      for (const group of input.spec.groups.filter((one) => !one.global)) {
        const own = input.changes.filter((change) => group.units.includes(change.unit));
        assert.ok(new Set(own.map((change) => waveOf(rollout, change))).size <= 1, `${group.name} is torn apart`);
      }
    }),
    RUNS,
  );
});

test("nothing is refused where everything runs, has a place and is alone in its group", () => {
  fc.assert(
    fc.property(rolloutInputs({ losses: false, groups: false, conflicts: false, canaries: true }), (input) => {
      assert.deepEqual(planRollout(input).refusals, []);
    }),
    RUNS,
  );
});

test("wound 22: order is kept across machines when a dependency changes: who starts after it waits for a later wave", () => {
  fc.assert(
    fc.property(rolloutInputs({ losses: true, groups: false, conflicts: false, canaries: true }), (input) => {
      const rollout = planRollout(input);
      for (const [later, earlier] of pairsInOrder(input, input.spec.units, (change) =>
        STARTS.includes(change.effect),
      )) {
        if (later.to === null || earlier.to === null) continue;
        const isBeside = later.to.machine === earlier.to.machine;
        const copies = input.after.filter((one) => one.unit === earlier.unit);
        if (!isBeside && copies.some((copy) => copy.machine === later.to!.machine)) continue;
        const [first, second] = [waveOf(rollout, earlier), waveOf(rollout, later)];
        const told = `${later.unit} (wave ${second}) starts after ${earlier.unit} (wave ${first})`;
        assert.ok(isBeside ? second >= first : second > first, told);
      }
    }),
    RUNS,
  );
});

test("wound 22: order is kept across machines when a dependency is deleted: who needed it is stopped or changed before", () => {
  fc.assert(
    fc.property(rolloutInputs({ losses: true, groups: false, conflicts: false, canaries: true }), (input) => {
      fc.pre(input.released !== null);
      const rollout = planRollout(input);
      const isFree = (unit: UnitName) => input.spec.units.every((one) => one.name !== unit);
      const both = pairsInOrder(input, input.released!.units, (change) => change.to === null);
      for (const [later, earlier] of both) {
        // Units that stay have an order of their own to keep, which may be the opposite.
        if (!isFree(later.unit) || !isFree(earlier.unit)) continue;
        const isBeside = later.from!.machine === earlier.from!.machine;
        const copies = input.before.get(earlier.unit) ?? [];
        if (!isBeside && copies.some((copy) => copy.machine === later.from!.machine)) continue;
        const [first, second] = [waveOf(rollout, later), waveOf(rollout, earlier)];
        const told = `${later.unit} (wave ${first}) needed ${earlier.unit} (wave ${second})`;
        assert.ok(isBeside ? second >= first : second > first, told);
      }
    }),
    RUNS,
  );
});

test("no newcomer meets on its machine whom it conflicts with: that has left, at the latest in the same wave", () => {
  fc.assert(
    fc.property(HARD, (input) => {
      const rollout = planRollout(input);
      for (const coming of input.changes) {
        for (const going of input.changes) {
          const isMeeting = coming.to !== null && coming.to.machine === going.from?.machine;
          if (!isMeeting || coming.from?.machine === coming.to!.machine) continue;
          if (going.to?.machine === going.from!.machine || !conflict(input, coming.unit, going.unit)) continue;
          assert.ok(
            waveOf(rollout, going) <= waveOf(rollout, coming),
            `${coming.unit} comes before ${going.unit} goes`,
          );
        }
      }
    }),
    RUNS,
  );
});

test("wound 4: a global unit over five machines keeps at least four up while it is updated", () => {
  const input = fc
    .sample(rolloutInputs({ losses: false, groups: false, conflicts: false }), { numRuns: 3000, seed: 1 })
    .find(
      ({ changes }) => changes.filter(({ unit, effect }) => unit === "g.service" && effect === "restart").length === 5,
    )!;
  const spec = {
    ...input.spec,
    units: input.spec.units.map((unit) => ({ ...unit, rollout: { ...unit.rollout, maxUnavailable: 1 } })),
  };
  const budgets = planRollout({ ...input, spec }).waves.flatMap((wave) =>
    wave.budgets.filter(({ set }) => set === "g.service"),
  );
  assert.equal(budgets.length, 5);
  for (const budget of budgets) assert.deepEqual(budget, { set: "g.service", up: 4, of: 5, min: 4 });
});

/** Every replica by itself, where the decider only counts. */
class Model {
  readonly #input: RolloutInput;
  readonly #isUp = new Map<string, boolean>();
  /** Replicas of sets that are wanted and were taken away without a new place. */
  readonly #missed = new Map<string, number>();

  constructor(input: RolloutInput) {
    this.#input = input;
    for (const [unit, sides] of input.before) {
      for (const { machine } of sides) {
        if (this.#counts(unit, machine)) {
          this.#isUp.set(keyOf({ unit, machine }), !input.isAway(machine) && input.stateOf(unit, machine) === "up");
        }
      }
    }
  }

  up(): Map<string, number> {
    return this.during([]);
  }

  /** How many of each set are up while these changes are under way. */
  during(changes: readonly RolloutChange[]): Map<string, number> {
    const going = new Set(
      changes
        .filter((change) => TAKES_DOWN.includes(change.effect) && change.from !== null)
        .map((change) => keyOf({ unit: change.unit, machine: change.from!.machine })),
    );
    const up = new Map<string, number>();
    for (const unit of [...this.#input.before.keys(), ...this.#input.spec.units.map((one) => one.name)])
      up.set(setOf(unit), 0);
    for (const [key, isUp] of this.#isUp) {
      const set = setOf(key.split(" ")[0] as UnitName);
      if (isUp && !going.has(key)) up.set(set, up.get(set)! + 1);
    }
    return up;
  }

  finish(changes: readonly RolloutChange[]): void {
    for (const { unit, effect, from, to } of changes) {
      const key = from === null ? "" : keyOf({ unit, machine: from.machine });
      const was = this.#isUp.get(key);
      this.#isUp.delete(key);
      if (to === null) this.#miss(unit, was !== undefined);
      else if (this.#counts(unit, to.machine)) {
        const isUntouched = from !== null && TOUCHES_NO_PROCESS.includes(effect);
        this.#isUp.set(
          keyOf({ unit, machine: to.machine }),
          !this.#input.isAway(to.machine) && (!isUntouched || was === true),
        );
      }
    }
  }

  sizeOf(set: string): number {
    const here = [...this.#isUp.keys()].filter((key) => setOf(key.split(" ")[0] as UnitName) === set).length;
    return Math.min(this.#wanted(set), here + (this.#missed.get(set) ?? 0));
  }

  minimumOf(set: string): number {
    const budgets = this.#input.spec.units.filter((unit) => setOf(unit.name) === set);
    return Math.max(0, this.sizeOf(set) - Math.min(...budgets.map((unit) => unit.rollout.maxUnavailable)));
  }

  #wanted(set: string): number {
    const units = this.#input.spec.units.filter((unit) => setOf(unit.name) === set && unit.goal !== "inactive");
    const copies = (name: UnitName) =>
      this.#input.after.filter(({ unit, machine }) => unit === name && this.#counts(unit, machine)).length;
    return units.reduce((sum, unit) => sum + (unit.options.global ? copies(unit.name) : 1), 0);
  }

  #miss(unit: UnitName, wasHere: boolean): void {
    const spec = this.#input.spec.units.find((one) => one.name === unit);
    const isMissed = spec !== undefined && spec.goal !== "inactive" && !spec.options.global;
    if (isMissed && wasHere) this.#missed.set(setOf(unit), (this.#missed.get(setOf(unit)) ?? 0) + 1);
  }

  #counts(unit: UnitName, machine: MachineId): boolean {
    return !this.#input.isAway(machine) || !isGlobal(this.#input, unit);
  }
}

function isGlobal({ spec, released }: RolloutInput, unit: UnitName): boolean {
  const found = [...spec.units, ...(released?.units ?? [])].find((one) => one.name === unit);
  return found?.options.global === true;
}

function setOf(unit: UnitName): string {
  return unitNameParts(unit).template ?? unit;
}

function keyOf({ unit, machine }: { readonly unit: UnitName; readonly machine: MachineId }): string {
  return `${unit} ${machine}`;
}

function changeOf(
  { changes }: RolloutInput,
  one: { readonly unit: UnitName; readonly machine: MachineId },
): RolloutChange {
  return changes.find((change) => change.unit === one.unit && machineOf(change) === one.machine)!;
}

function waveOf({ waves }: Rollout, { unit, from, to }: RolloutChange): number {
  const key = keyOf({ unit, machine: machineOf({ from, to }) });
  return waves.findIndex((wave) => wave.changes.some((change) => keyOf(change) === key));
}

/** Changes of a unit and of one it starts after. */
function pairsInOrder(
  { changes }: RolloutInput,
  units: RolloutInput["spec"]["units"],
  isMeant: (change: RolloutChange) => boolean,
): [RolloutChange, RolloutChange][] {
  const meant = changes.filter(isMeant);
  const after = new Map(units.map((unit) => [unit.name, unit.after]));
  return meant.flatMap((later) =>
    meant
      .filter((earlier) => after.get(later.unit)?.includes(earlier.unit))
      .map((earlier): [RolloutChange, RolloutChange] => [later, earlier]),
  );
}

function conflict({ spec, released }: RolloutInput, a: UnitName, b: UnitName): boolean {
  const globs = (name: UnitName) =>
    [...spec.units, ...(released?.units ?? [])].find((unit) => unit.name === name)?.options.conflicts ?? [];
  const matches = (list: readonly string[], name: string) =>
    list.some((glob) => (glob === "web@*.service" ? name.startsWith("web@") : /^[a-c]\.service$/.test(name)));
  return matches(globs(a), b) || matches(globs(b), a);
}

function shuffle<T>(items: readonly T[]): fc.Arbitrary<T[]> {
  return fc.shuffledSubarray([...items], { minLength: items.length, maxLength: items.length });
}
