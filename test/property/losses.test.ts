import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_DAMPING, type LossThresholds } from "../../src/domain/loss/damping.ts";
import { judgeLoss, type LookAtMachines } from "../../src/domain/loss/judge-loss.ts";
import { type LossHistory, NO_HISTORY } from "../../src/domain/loss/loss-history.ts";
import { isToBeKept, memoryOf, recalledHistory } from "../../src/domain/loss/loss-memory.ts";
import type { LossVerdict } from "../../src/domain/loss/loss-verdict.ts";
import type { MachineId } from "../../src/domain/names.ts";
import * as fc from "./fast-check.ts";

const RUNS = { numRuns: 500 };
const GRACE_MS = 60_000;
/** Some units are waited for shorter, some longer. */
const GRACES = [15_000, GRACE_MS, GRACE_MS, 400_000];

/**
 * A cluster through its life: at each step some time passes, and some machines go or return, and now and then another leads, who
 * knows only what was kept. Units move as the verdict lets them.
 */
const lives = fc.record({
  machines: fc.integer({ min: 1, max: 12 }),
  unitsEach: fc.integer({ min: 0, max: 6 }),
  thresholds: fc.record({
    agentTtlMs: fc.constant(30_000),
    graceMs: fc.constant(GRACE_MS),
    outageAtPercent: fc.constantFrom(30, 60, 100),
    outageMin: fc.integer({ min: 1, max: 4 }),
    outageWindowMs: fc.constantFrom(20_000, 120_000),
    lossWindowMs: fc.constantFrom(0, 10_000, 45_000),
    movesAtPercent: fc.constantFrom(1, 10, 50),
    movesWindowMs: fc.constantFrom(0, 5_000, 300_000),
  }),
  steps: fc.array(
    fc.record({
      afterMs: fc.constantFrom(1, 500, 5_000, 30_000, 60_000, 100_000, 300_000),
      toggled: fc.array(fc.nat({ max: 11 }), { maxLength: 3 }),
      away: fc.boolean(),
      elected: fc.integer({ min: 0, max: 9 }).map((number) => number === 0),
    }),
    { minLength: 5, maxLength: 60 },
  ),
});

interface Move {
  readonly atMs: number;
  readonly machine: MachineId;
  readonly units: number;
}

type Life = typeof lives extends fc.Arbitrary<infer One> ? One : never;
type Watcher = (verdict: LossVerdict, look: LookAtMachines, moves: readonly Move[], history: LossHistory) => void;

function live({ machines, unitsEach, steps, thresholds }: Life, watch: Watcher): Move[] {
  const all: LossThresholds = { ...DEFAULT_DAMPING, ...thresholds };
  const ids = Array.from({ length: machines }, (_, index) => `m${String(index).padStart(2, "0")}` as MachineId);
  const stakes = new Map(ids.map((id) => [id, new Map<number, number>()]));
  for (let unit = 0; unit < unitsEach * machines; unit += 1) {
    const here = stakes.get(ids[unit % machines]!)!;
    const grace = GRACES[unit % GRACES.length]!;
    here.set(grace, (here.get(grace) ?? 0) + 1);
  }
  const gone = new Set<MachineId>();
  const moves: Move[] = [];
  let history: LossHistory = NO_HISTORY;
  let [kept, memory] = [history, memoryOf(history, 0)];
  let nowMs = 0;
  for (const { afterMs, toggled, away, elected } of steps) {
    const fromMs = nowMs;
    nowMs += afterMs;
    for (const index of toggled) {
      const id = ids[index % machines]!;
      if (!gone.delete(id)) gone.add(id);
    }
    if (elected) {
      history = recalledHistory(memory, gone, nowMs);
      kept = history;
    }
    const look: LookAtMachines = {
      sightings: {
        machines: ids.map((machine) => ({
          machine,
          present: !gone.has(machine),
          drained: false,
          stakes: new Map(stakes.get(machine)),
        })),
        units: unitsEach * machines,
      },
      registryAway: away && afterMs <= 30_000 ? { fromMs, untilMs: nowMs } : null,
      nowMs,
    };
    const verdict = judgeLoss(history, look, all);
    const now: Move[] = [];
    for (const [machine, { graces }] of verdict.machines) {
      if (graces === null) continue;
      const leaving = [...stakes.get(machine)!].filter(([grace]) =>
        grace === GRACE_MS ? graces.cluster : grace <= graces.ownMs,
      );
      const units = leaving.reduce((sum, [, count]) => sum + count, 0);
      for (const [grace] of leaving) stakes.get(machine)!.delete(grace);
      if (units > 0) now.push({ atMs: nowMs, machine, units });
    }
    moves.push(...now);
    watch(verdict, look, now, history);
    history = verdict.history;
    if (isToBeKept(history, kept)) {
      memory = memoryOf(history, nowMs);
      kept = history;
    }
  }
  return moves;
}

test("whatever happens, no window sees more units move than its budget, but those of one machine", () => {
  let most = 0;
  fc.assert(
    fc.property(lives, (life) => {
      const moves = live(life, () => undefined);
      const max = Math.ceil((life.machines * life.unitsEach * life.thresholds.movesAtPercent) / 100);
      for (const { atMs } of moves) {
        const window = moves.filter((one) => one.atMs <= atMs && one.atMs > atMs - life.thresholds.movesWindowMs);
        const machines = new Set(window.map(({ machine }) => machine));
        const units = window.reduce((sum, one) => sum + one.units, 0);
        most = Math.max(most, machines.size);
        assert.ok(machines.size <= 1 || units <= max, `${units} units of ${[...machines]} before ${atMs}, of ${max}`);
      }
    }),
    RUNS,
  );
  assert.ok(most > 1, "windows with several machines were among them");
});

test("whatever happens, two machines begin to move at least a window apart", () => {
  fc.assert(
    fc.property(lives, (life) => {
      const moves = live(life, () => undefined);
      moves.forEach((move, index) => {
        const other = moves.slice(0, index).findLast(({ machine }) => machine !== move.machine);
        if (other === undefined) return;
        assert.ok(move.atMs - other.atMs >= life.thresholds.lossWindowMs, `${other.machine}, then ${move.machine}`);
      });
    }),
    RUNS,
  );
});

test("nothing moves in an outage or a hold, nor from a machine that is there or was missed for less than its shortest grace", () => {
  fc.assert(
    fc.property(lives, (life) => {
      live(life, (verdict, look, moves) => {
        if (verdict.mode !== "normal" || verdict.hold !== null) assert.deepEqual(moves, []);
        for (const { machine } of moves) {
          assert.equal(look.sightings.machines.find((one) => one.machine === machine)!.present, false);
          assert.ok(look.nowMs - verdict.machines.get(machine)!.absentSinceMs! >= 15_000);
        }
      });
    }),
    RUNS,
  );
});

test("a verdict stays the same until the time it gives", () => {
  fc.assert(
    fc.property(lives, (life) => {
      const thresholds = { ...DEFAULT_DAMPING, ...life.thresholds };
      live(life, (verdict, look) => {
        // With time passing the units that may move have moved.
        const stays = look.sightings.machines.map((one) => {
          const graces = verdict.machines.get(one.machine)?.graces;
          const left = [...one.stakes].filter(([grace]) => graces == null || grace > graces.ownMs);
          return { ...one, stakes: new Map(left) };
        });
        const later = (nowMs: number) =>
          judgeLoss(verdict.history, { ...look, sightings: { ...look.sightings, machines: stays }, nowMs }, thresholds);
        const shown = ({ history: _, ...said }: LossVerdict) => said;
        const until = verdict.wakeAtMs ?? look.nowMs + 10 * 24 * 3_600_000;
        assert.ok(until > look.nowMs);
        assert.deepEqual(shown(later(until - 1)), shown(verdict));
      });
    }),
    RUNS,
  );
});

test("a machine that is missed for good is lost in the end, whatever else is missing, unless it is an outage", () => {
  fc.assert(
    fc.property(lives, (life) => {
      const thresholds = { ...DEFAULT_DAMPING, ...life.thresholds };
      let last: { readonly verdict: LossVerdict; readonly look: LookAtMachines } | null = null;
      live(life, (verdict, look) => {
        last = { verdict, look };
      });
      let { verdict, look } = last!;
      for (let steps = 0; verdict.wakeAtMs !== null; steps += 1) {
        assert.ok(steps < 1_000, "it comes to rest");
        look = { ...look, nowMs: verdict.wakeAtMs };
        verdict = judgeLoss(verdict.history, look, thresholds);
      }
      if (verdict.mode !== "normal") return;
      for (const { machine, present } of look.sightings.machines) {
        if (!present) assert.equal(verdict.machines.get(machine)!.presence, "lost");
      }
    }),
    RUNS,
  );
});
