import assert from "node:assert/strict";
import { test } from "node:test";
import type { MachineId } from "../names.ts";
import { DEFAULT_DAMPING, type LossThresholds } from "./damping.ts";
import { judgeLoss } from "./judge-loss.ts";
import { type LossHistory, NO_HISTORY } from "./loss-history.ts";
import { isToBeKept, memoryOf, recalledHistory } from "./loss-memory.ts";
import type { LossVerdict, MachineVerdict } from "./loss-verdict.ts";

const THRESHOLDS: LossThresholds = { agentTtlMs: 30_000, graceMs: 60_000, ...DEFAULT_DAMPING };
const ALL = "abcdefghij";
/** Of each machine, unless it has moved: a tenth of all, which is the whole budget. */
const UNITS_EACH = 10;

/** One leader: `here` at each of these seconds. Units of the first that is lost have moved by the next look. */
function leader(from: LossHistory, looks: readonly (readonly [atS: number, here: string])[], moved = ""): LossVerdict {
  let history = from;
  let verdict: LossVerdict | null = null;
  for (const [atS, here] of looks) {
    const machines = [...ALL].map((name) => ({
      machine: name as MachineId,
      present: here.includes(name),
      drained: false,
      stakes: new Map(moved.includes(name) ? [] : [[THRESHOLDS.graceMs, UNITS_EACH]]),
    }));
    const sightings = { machines, units: ALL.length * UNITS_EACH };
    verdict = judgeLoss(history, { sightings, nowMs: atS * 1_000, registryAway: null }, THRESHOLDS);
    history = verdict.history;
  }
  return verdict!;
}

/** The next leader's history: its clock shows other times than the last one's. */
function succeeded({ history }: LossVerdict, writtenS: number, missing: string, nowS: number): LossHistory {
  return recalledHistory(memoryOf(history, writtenS * 1_000), new Set([...missing] as MachineId[]), nowS * 1_000);
}

function of(verdict: LossVerdict, machine: string): MachineVerdict | undefined {
  return verdict.machines.get(machine as MachineId);
}

/** j goes at 200 s, when the hold after the election is over, and is lost at 260 s. */
const STORM = leader(NO_HISTORY, [
  [0, ALL],
  [200, "abcdefghi"],
  [260, "abcdefghi"],
]);
const LATER = 10_000;

test("a leader that follows in the middle of a storm does not spend what was spent, and one that knows nothing would", () => {
  assert.equal(of(STORM, "j")?.presence, "lost");
  const looks = [
    [LATER, "abcdefghi"],
    [LATER + 100, "abcdefgh"],
    [LATER + 160, "abcdefgh"],
  ] as const;
  assert.equal(of(leader(NO_HISTORY, looks, "j"), "i")?.presence, "lost");
  const next = leader(succeeded(STORM, 260, "j", LATER), looks, "j");
  assert.deepEqual(of(next, "i")?.waits, { code: "budget", because: "units", untilMs: (LATER + 300) * 1_000 });
});

test("once the window is over it spends again, counted from its first look", () => {
  const from = succeeded(STORM, 260, "j", LATER);
  const lookAt = (atS: number) =>
    leader(
      from,
      [
        [LATER, "abcdefghi"],
        [LATER + 100, "abcdefgh"],
        [LATER + atS, "abcdefgh"],
      ],
      "j",
    );
  assert.equal(of(lookAt(299.999), "i")?.presence, "absent");
  assert.equal(of(lookAt(300), "i")?.presence, "lost");
});

test("of a machine that is still missing the rest moves after the hold, without waiting for another turn", () => {
  const from = succeeded(STORM, 260, "j", LATER);
  const lookAt = (atS: number) =>
    leader(from, [
      [LATER, "abcdefghi"],
      [LATER + atS, "abcdefghi"],
    ]);
  assert.equal(of(lookAt(89.999), "j")?.waits?.code, "hold");
  assert.equal(of(lookAt(90), "j")?.presence, "lost");
});

test("one that was back, and goes again, is another loss", () => {
  const next = leader(succeeded(STORM, 260, "", LATER), [
    [LATER, ALL],
    [LATER + 100, "abcdefghi"],
    [LATER + 160, "abcdefghi"],
  ]);
  assert.equal(of(next, "j")?.waits?.code, "budget");
});

test("a machine that comes and goes is held on for as long as was left", () => {
  const flaps: (readonly [number, string])[] = [[0, ALL]];
  for (const atS of [200, 300, 400]) flaps.push([atS, "abcdefghi"], [atS + 20, ALL]);
  const held = leader(NO_HISTORY, flaps);
  assert.equal(of(held, "j")?.flapping?.untilMs, 1_020_000);
  const next = leader(succeeded(held, 520, "", LATER), [[LATER, ALL]]);
  assert.deepEqual(of(next, "j")?.flapping, { losses: 3, untilMs: (LATER + 500) * 1_000, cordons: true });
  const again = leader(succeeded(next, LATER, "", 0), [
    [0, ALL],
    [200, "abcdefghi"],
    [220, ALL],
  ]);
  assert.equal(
    of(again, "j")?.flapping?.untilMs,
    220_000 + 2 * THRESHOLDS.flapHoldMs,
    "the next hold is twice as long",
  );
});

test("what is kept is written when something is new, when all of it is over, and not while it only ages", () => {
  const well = leader(NO_HISTORY, [[0, ALL]]).history;
  const lost = STORM.history;
  const on = (atS: number) => leader(lost, [[atS, "abcdefghi"]], "j").history;
  assert.equal(isToBeKept(well, NO_HISTORY), false);
  assert.equal(isToBeKept(lost, well), true);
  assert.equal(isToBeKept(on(400), lost), false);
  assert.equal(isToBeKept(on(560), lost), true, "the window is over");
  const back = leader(lost, [[300, ALL]], "j").history;
  assert.equal(isToBeKept(back, lost), true, "it was missed, and is back");
});
