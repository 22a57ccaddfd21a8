import assert from "node:assert/strict";
import { test } from "node:test";
import type { DriftPolicy } from "./drift-policy.ts";
import {
  afterCorrection,
  afterNewOrder,
  CORRECTION_WINDOW_MS,
  CORRECTIONS_MAX,
  type DriftMemory,
  judgeDrift,
  reportDrift,
} from "./judge-drift.ts";
import type { DriftSeen } from "./unit-drift.ts";

const edited: DriftSeen = { kind: "edited", path: "/run/systemd/system/a.service" };
const stopped: DriftSeen = { kind: "stopped" };
const MINUTE_MS = 60_000;

/** A unit under one policy, minute by minute; what is asked to be corrected is corrected. */
class Life {
  memory: DriftMemory | null = null;
  minute = 0;
  corrections = 0;
  readonly policy: DriftPolicy;

  constructor(policy: DriftPolicy = "correct") {
    this.policy = policy;
  }

  /** What differs in each of the next minutes; what is said of it at the end. */
  live(...minutes: readonly (readonly DriftSeen[])[]): string {
    for (const seen of minutes) {
      const now = { monotonicMs: this.minute * MINUTE_MS, wall: `minute ${this.minute}` };
      const { correct, memory } = judgeDrift(this.policy, seen, this.memory, now);
      this.memory = correct && memory !== null ? afterCorrection(memory, now.monotonicMs, true) : memory;
      if (correct) this.corrections++;
      this.minute++;
    }
    return this.said();
  }

  said(): string {
    if (this.memory === null) return "nothing";
    const { seen, since, corrected, outcome } = reportDrift(this.policy, this.memory);
    return `${outcome} ${seen.map(({ kind }) => kind).join(" ")} since ${since}, ${corrected} times`;
  }
}

const times = (count: number, seen: readonly DriftSeen[]) => Array.from({ length: count }, () => seen);
const WINDOW = CORRECTION_WINDOW_MS / MINUTE_MS;

test("what was never changed is not spoken of", () => {
  assert.equal(new Life().live([], [], []), "nothing");
});

test("a change is put back at once, and told for as long as it counts", () => {
  const life = new Life();
  assert.equal(life.live([edited]), "corrected edited since minute 0, 1 times");
  assert.equal(life.live(...times(WINDOW - 1, [])), "corrected edited since minute 0, 1 times");
  assert.equal(life.live([]), "nothing");
});

test("whoever changes it again and again is not fought: it is left alone, and said", () => {
  const life = new Life();
  assert.equal(life.live(...times(30, [edited])), `given-up edited since minute ${CORRECTIONS_MAX}, 5 times`);
  assert.equal(life.corrections, CORRECTIONS_MAX);
});

test("several kinds of change of one unit are one quarrel", () => {
  const life = new Life();
  life.live([edited], [stopped], [], [edited], [stopped], [edited, stopped]);
  assert.equal(life.corrections, CORRECTIONS_MAX);
  assert.match(life.live([stopped]), /^given-up stopped/);
});

test("given up, it is tried again after a whole window in which nobody touched it, and not as soon as one correction is old", () => {
  const life = new Life();
  life.live(...times(CORRECTIONS_MAX, [edited]));
  life.live(...times(WINDOW - 1, [edited]));
  assert.equal(life.corrections, CORRECTIONS_MAX, "the first correction is out of the window by now");
  life.live([edited]);
  assert.equal(life.corrections, CORRECTIONS_MAX + 1);
});

test("seen as it should be, a later change is put back if the window allows", () => {
  const life = new Life();
  life.live(...times(CORRECTIONS_MAX + 1, [edited]), []);
  assert.match(life.said(), /^corrected/);
  assert.match(life.live([edited]), /^given-up edited since minute 7/);
});

test("a new order gives what was given up another chance, and takes nothing from the rest", () => {
  const life = new Life();
  life.live(...times(CORRECTIONS_MAX + 1, [edited]));
  life.memory = afterNewOrder(life.memory!);
  assert.match(life.live([edited]), /^corrected edited since minute 5, 1 times/);
  const calm = new Life();
  calm.live([edited]);
  assert.equal(afterNewOrder(calm.memory!), calm.memory);
});

test("detect never touches it, and tells it as long as it is there", () => {
  const life = new Life("detect");
  assert.equal(life.live(...times(40, [edited])), "detected edited since minute 0, 0 times");
  assert.equal(life.corrections, 0);
  assert.equal(life.live([]), "nothing");
});

test("off touches and tells nothing, and forgets what was told before", () => {
  const life = new Life("off");
  life.memory = { seen: [edited], since: "", isThere: true, correctedAtMs: [0], givenUp: true };
  assert.equal(life.live([edited]), "nothing");
  assert.equal(life.corrections, 0);
});

test("what the disk refuses to take is asked for each time, and does not count as a quarrel", () => {
  let memory: DriftMemory | null = null;
  for (let minute = 0; minute < 30; minute++) {
    const verdict = judgeDrift("correct", [edited], memory, { monotonicMs: minute, wall: "then" });
    assert.ok(verdict.correct);
    memory = verdict.memory;
  }
  assert.equal(reportDrift("correct", memory!).outcome, "correcting");
});

test("another unit's stop is repaired as often as it takes", () => {
  let memory: DriftMemory | null = null;
  for (let minute = 0; minute < 30; minute++) {
    const verdict = judgeDrift("correct", [stopped], memory, { monotonicMs: minute, wall: "then" });
    assert.ok(verdict.correct);
    memory = afterCorrection(verdict.memory!, minute, false);
  }
});
