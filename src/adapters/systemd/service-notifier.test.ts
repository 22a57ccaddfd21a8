import assert from "node:assert/strict";
import { test } from "node:test";
import { OperationError } from "../../ports/operation-error.ts";
import { VirtualClock } from "../memory/virtual-clock.ts";
import { ServiceNotifier, STALLED_AFTER_MS } from "./service-notifier.ts";

const LIMIT_MS = 60_000;

/** A notifier whose messages are kept with the second they were sent in. */
function world({ socket = "/run/systemd/notify" as string | null, watchdogMs = LIMIT_MS as number | null } = {}) {
  const clock = new VirtualClock();
  const sent: string[] = [];
  const logged: string[] = [];
  const deaf = { is: false };
  const notifier = new ServiceNotifier({
    socket: socket ?? undefined,
    watchdogMs,
    clock,
    log: ({ message }) => logged.push(message),
    send: async (assignments) => {
      if (deaf.is) throw new OperationError("program-failed", "systemd-notify ended with 1");
      sent.push(`${clock.monotonicMs() / 1_000} ${assignments.join(" ")}`);
    },
  });
  const stop = new AbortController();
  const done = notifier.run(stop.signal);
  return { clock, sent, logged, deaf, notifier, stop, done };
}

test("pings three times within systemd's limit, from when it is ready, as long as the loop moves", async () => {
  const { clock, sent, notifier, stop, done } = world();
  await clock.advance(LIMIT_MS);
  assert.deepEqual(sent, [], "not ready yet: systemd does not watch");
  notifier.ready();
  for (let turn = 0; turn < 12; turn++) {
    notifier.progress();
    await clock.advance(5_000);
  }
  assert.deepEqual(sent, ["60 READY=1", "80 WATCHDOG=1", "100 WATCHDOG=1", "120 WATCHDOG=1"]);
  stop.abort();
  await done;
});

test("a loop that stands still is pinged for until its longest wait is over, and not any more", async () => {
  const { clock, sent, logged, notifier } = world();
  notifier.progress();
  notifier.ready();
  await clock.advance(STALLED_AFTER_MS);
  const before = sent.length;
  assert.equal(sent.at(-1), `${STALLED_AFTER_MS / 1_000} WATCHDOG=1`, "a transfer of 300 s must not end it");
  await clock.advance(LIMIT_MS * 2);
  assert.equal(sent.length, before);
  assert.equal(logged.length, 1);
  notifier.progress();
  await clock.advance(LIMIT_MS);
  assert.equal(sent.length, before + 3, "it moved before systemd's limit was over");
});

test("a status is said once, gathered, on one line, and never keeps what is urgent waiting", async () => {
  const { clock, sent, notifier } = world({ watchdogMs: null });
  notifier.status("starts");
  await clock.advance(500);
  for (const active of [1, 2, 3]) notifier.status(`${active} active\nMAINPID=1`);
  notifier.status("3 active\nMAINPID=1");
  await clock.advance(2_000);
  assert.deepEqual(sent, ["2 STATUS=3 active MAINPID=1"]);
  notifier.status("4 active");
  await clock.advance(9_000);
  assert.equal(sent.length, 1);
  await clock.advance(1_000);
  notifier.status("going");
  notifier.stopping();
  await clock.advance(0);
  assert.deepEqual(sent.slice(1), ["12 STATUS=4 active", "12.5 STATUS=going STOPPING=1"]);
});

test("what PID 1 did not take is sent again, with what is news by then", async () => {
  const { clock, sent, logged, deaf, notifier } = world();
  deaf.is = true;
  notifier.ready();
  await clock.advance(3_500);
  notifier.status("newer");
  deaf.is = false;
  await clock.advance(1_000);
  assert.deepEqual(sent, ["4 READY=1 STATUS=newer"]);
  assert.equal(logged.length, 1, "the same trouble is told once");
});

test("one that ends tries once: systemd sees it end", async () => {
  const { clock, sent, deaf, notifier } = world();
  deaf.is = true;
  notifier.stopping();
  await notifier.flush();
  await clock.advance(10_000);
  assert.deepEqual(sent, []);
});

test("nothing follows the last word, and nothing keeps the process waiting after it", async () => {
  const { clock, sent, notifier } = world();
  notifier.status("going on");
  await clock.advance(100);
  notifier.stopping();
  notifier.status("0 active");
  await notifier.flush();
  await clock.advance(LIMIT_MS);
  assert.deepEqual(sent, ["0.1 STATUS=going on STOPPING=1"]);
});

test("nobody listens, nothing is sent", async () => {
  const { clock, sent, notifier, done } = world({ socket: null });
  notifier.ready();
  notifier.status("x");
  await clock.advance(LIMIT_MS);
  await done;
  assert.deepEqual(sent, []);
});
