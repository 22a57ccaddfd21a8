import assert from "node:assert/strict";
import { test } from "node:test";
import { OperationError } from "../../ports/operation-error.ts";
import { JOB_WAIT_MS } from "../../ports/unit-manager.ts";
import { VirtualClock } from "../memory/virtual-clock.ts";
import { JobWaiters } from "./job-waiters.ts";

interface World {
  readonly clock: VirtualClock;
  readonly waiters: JobWaiters;
  /** What systemd still has. */
  readonly jobs: Set<string>;
  asked(): number;
}

function world(): World {
  const clock = new VirtualClock();
  const jobs = new Set<string>();
  let asked = 0;
  const waiters = new JobWaiters(clock, async () => {
    asked++;
    return new Set(jobs);
  });
  return { clock, waiters, jobs, asked: () => asked };
}

const judge = async () => "judged";

/** Runs it, and shows what became of it by now. */
function watch(run: Promise<unknown>): () => unknown {
  let seen: unknown = "waiting";
  run.then(
    (result) => {
      seen = result;
    },
    (error: unknown) => {
      seen = error;
    },
  );
  return () => seen;
}

test("a job ends with the result its signal brings, for all who wait for it", async () => {
  const { clock, waiters, jobs } = world();
  jobs.add("/job/1").add("/job/2");
  const seen = ["/job/1", "/job/1", "/job/2"].map((job) => watch(waiters.run(async () => job, judge)));
  await clock.advance(0);
  waiters.ended("/job/1", "failed");
  await clock.advance(0);
  assert.deepEqual(
    seen.map((look) => look()),
    ["failed", "failed", "waiting"],
  );
});

test("an end that comes before the reply with the job's path is not missed", async () => {
  const { clock, waiters } = world();
  const reply = Promise.withResolvers<string>();
  const seen = [watch(waiters.run(() => reply.promise, judge)), watch(waiters.run(() => reply.promise, judge))];
  waiters.ended("/job/7", "done");
  reply.resolve("/job/7");
  await clock.advance(0);
  assert.deepEqual(
    seen.map((look) => look()),
    ["done", "done"],
  );
});

test("ends seen for others are forgotten: a job of the same path later waits for its own", async () => {
  const { clock, waiters, jobs } = world();
  jobs.add("/job/7").add("/job/8");
  const reply = Promise.withResolvers<string>();
  watch(waiters.run(() => reply.promise, judge));
  waiters.ended("/job/7", "done");
  reply.resolve("/job/8");
  await clock.advance(0);
  const seen = watch(waiters.run(async () => "/job/7", judge));
  await clock.advance(20_000);
  assert.equal(seen(), "waiting");
});

test("a job that is gone without a signal is judged by its unit", async () => {
  const { clock, waiters, jobs } = world();
  jobs.add("/job/1");
  const seen = watch(waiters.run(async () => "/job/1", judge));
  await clock.advance(20_000);
  assert.equal(seen(), "waiting");
  jobs.clear();
  await clock.advance(6_000);
  assert.equal(seen(), "judged");
});

test("one question serves all who wait, and nobody asks when nobody waits", async () => {
  const { clock, waiters, jobs, asked } = world();
  const names = Array.from({ length: 100 }, (_, index) => `/job/${index}`);
  for (const job of names) {
    jobs.add(job);
    watch(waiters.run(async () => job, judge));
  }
  await clock.advance(9_000);
  assert.equal(asked(), 1);
  for (const job of names) waiters.ended(job, "done");
  await clock.advance(60_000);
  assert.equal(asked(), 1);
  const seen = watch(waiters.run(async () => "/job/gone", judge));
  await clock.advance(6_000);
  assert.equal(seen(), "judged", "and asks again for the next");
});

test("patience ends with timeout-waiting, while the job goes on", async () => {
  const { clock, waiters, jobs } = world();
  jobs.add("/job/1");
  const seen = watch(waiters.run(async () => "/job/1", judge));
  await clock.advance(JOB_WAIT_MS - 10_000);
  assert.equal(seen(), "waiting");
  await clock.advance(20_000);
  assert.equal(seen(), "timeout-waiting");
});

test("a lost connection rejects everybody: how their jobs ended nobody knows", async () => {
  const { clock, waiters, jobs } = world();
  jobs.add("/job/1");
  const seen = watch(waiters.run(async () => "/job/1", judge));
  await clock.advance(0);
  const lost = new OperationError("systemd-unreachable", "gone");
  waiters.lost(lost);
  await clock.advance(0);
  assert.equal(seen(), lost);
});

test("a job that could not be queued rejects with why", async () => {
  const { clock, waiters } = world();
  const refused = new OperationError("unit-not-found", "no");
  const seen = watch(waiters.run(() => Promise.reject(refused), judge));
  await clock.advance(0);
  assert.equal(seen(), refused);
});
