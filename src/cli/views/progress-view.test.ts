import assert from "node:assert/strict";
import { test } from "node:test";
import { ROLLING } from "../../../test/rolling-status.ts";
import { VirtualClock } from "../../adapters/memory/virtual-clock.ts";
import type { Convergence } from "../../domain/cluster/convergence.ts";
import type { MachineId, SpecHash, UnitName } from "../../domain/names.ts";
import type { RolloutStatus } from "../../domain/report/rollout-status.ts";
import { startRollout } from "../../domain/rollout/start-rollout.ts";
import { type Followed, ProgressView } from "./progress-view.ts";

const M1 = "1".repeat(32) as MachineId;
const A = "a.service" as UnitName;
const names = new Map([[M1, "m1"]]);
const state = (waiting: number): Convergence => ({
  ...{ converged: false, settled: false, wanted: 3, failed: [], away: [] },
  waiting: Array.from({ length: waiting }, () => ({ unit: A, machine: M1, because: { code: "not-placed" } as const })),
});
const settling: RolloutStatus = {
  ...ROLLING,
  waits: [{ code: "wave", units: [A], more: 0, for: [{ unit: A, machine: M1, state: "settling" }], since: "" }],
};
const wave = (number: number) => ({ number, of: 3 });
const seen = (changes: Partial<Followed>): Followed => ({
  state: state(2),
  rollout: ROLLING,
  wave: wave(1),
  names,
  ...changes,
});

function followed(stream: { readonly isTTY: boolean; readonly columns?: number }) {
  const clock = new VirtualClock();
  const written: string[] = [];
  const view = new ProgressView(
    { ...stream, write: (text: string) => written.push(text) } as unknown as NodeJS.WriteStream,
    clock,
  );
  const show = async (what: Followed, forMs: number) => {
    for (let ms = 0; ms < forMs; ms += 500) {
      view.show(what);
      await clock.advance(500);
    }
  };
  return { written, show };
}

test("where nobody watches a line is written for each stage, and none while nothing changes", async () => {
  const { written, show } = followed({ isTTY: false });
  await show(seen({}), 60_000);
  await show(seen({ wave: wave(2), rollout: settling }), 60_000);
  await show(seen({ state: state(1), wave: wave(2), rollout: settling }), 60_000);
  assert.deepEqual(written, [
    "5.0 s: 1 of 3 as wanted, waiting for 2; wave 1 of 3\n",
    "60.0 s: 1 of 3 as wanted, waiting for 2; wave 2 of 3; waits for a.service on m1 (up, not for long enough yet)\n",
    "120.0 s: 2 of 3 as wanted, waiting for 1; wave 2 of 3; waits for a.service on m1 (up, not for long enough yet)\n",
  ]);
});

test("of counts alone there is a line every five seconds at most", async () => {
  const { written, show } = followed({ isTTY: false });
  for (let left = 3; left > 0; left--) await show(seen({ state: state(left) }), 3_000);
  assert.deepEqual(
    written.map((line) => line.slice(0, line.indexOf(";"))),
    ["5.0 s: 1 of 3 as wanted, waiting for 2"],
  );
});

test("a rollout that somebody paused is told at once", async () => {
  const { written, show } = followed({ isTTY: false });
  const order = { order: "pause", by: "ada", reason: "lunch", obeyed: true } as const;
  await show(seen({ rollout: { ...ROLLING, phase: "paused", order }, wave: null }), 10_000);
  assert.deepEqual(written, [
    "0.0 s: 1 of 3 as wanted, waiting for 2; paused by ada (lunch): no further wave begins\n",
  ]);
});

test("a ring that soaks is told once, and when the next one opens", async () => {
  const { written, show } = followed({ isTTY: false });
  const ring = { ...ROLLING, rings: ["early", "rest"] };
  const soak = { ms: 600_000, until: new Date(600_000).toISOString() };
  await show(seen({ rollout: { ...ring, soak }, wave: wave(2) }), 60_000);
  await show(seen({ rollout: { ...ring, openRings: 2 }, wave: wave(2) }), 60_000);
  assert.equal(written.length, 2);
  assert.match(written[0]!, /ring 1 of 2 \(early\) soaks until 1970-01-01T00:10:00\.000Z/);
  assert.match(written[1]!, /ring 2 of 2 \(rest\) changes/);
});

test("on the way back a line is for the phase: the waves and the units of the plan are no news any more", async () => {
  const { written, show } = followed({ isTTY: false });
  const back = { rollout: { ...ROLLING, phase: "rolling-back" as const } };
  const failed = [{ unit: A, machine: M1, because: { code: "held", by: A } as const }];
  await show(seen({ ...back, state: { ...state(1), failed } }), 2_000);
  await show(seen({ ...back, wave: wave(2) }), 2_000);
  await show(seen({ rollout: { ...ROLLING, phase: "rolled-back" } }), 500);
  assert.deepEqual(
    written.map((line) => line.slice(line.indexOf(";"))),
    [
      "; a change failed, and all goes back to what was before\n",
      "; a change failed, and it was rolled back: what was before runs\n",
    ],
  );
});

test("what is up and has to stay so for its time is told as that, and a rollout that nobody leads", async () => {
  const { written, show } = followed({ isTTY: false });
  const settled = {
    ...state(0),
    rollout: startRollout({ seq: 2, commit: ROLLING.commit, specHash: "s" as SpecHash }, null, ""),
  };
  await show(seen({ state: settled, wave: null }), 10_000);
  await show(seen({ wave: null, rollout: { ...ROLLING, leaderless: true } }), 10_000);
  assert.equal(written[0], "5.0 s: 3 of 3 as wanted; what it changed has not been up for long enough yet\n");
  assert.match(written[1]!, /no engine leads, so that nothing goes on\n$/);
});

test("on a terminal the line is no longer than the terminal, or it could not be written over", async () => {
  const { written, show } = followed({ isTTY: true, columns: 40 });
  await show(seen({ rollout: settling }), 500);
  assert.deepEqual(written, ["\r\x1b[K0.0 s: 1 of 3 as wanted, waiting for…"]);
});
