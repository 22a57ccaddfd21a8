import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryHealthProbe } from "../adapters/memory/memory-health-probe.ts";
import { VirtualClock } from "../adapters/memory/virtual-clock.ts";
import { encodeRecord } from "../codec/record.ts";
import { registryKeys } from "../codec/registry-keys.ts";
import type { HealthCheck, LoopbackHost } from "../domain/health/health-check.ts";
import type { ServiceHealth } from "../domain/health/judge-health.ts";
import type { MachineId, UnitHash, UnitName } from "../domain/names.ts";
import type { WantedUnit } from "../domain/tasks/task.ts";
import type { HealthProbe } from "../ports/health-probe.ts";
import type { Observation } from "../usecases/observe-units.ts";
import { HealthWatch } from "./health-watch.ts";

const KEYS = registryKeys("prod");
const M1 = "1".repeat(32) as MachineId;
const CHECK: HealthCheck = { kind: "tcp", host: "127.0.0.1" as LoopbackHost, port: 1 };
const TEXT = "tcp://127.0.0.1:1";

const unit = (name: string, more: Partial<WantedUnit> = {}): WantedUnit => ({
  name: name as UnitName,
  service: name as UnitName,
  goal: "launched",
  hash: "h" as UnitHash,
  files: [],
  after: [],
  oneshot: false,
  healthChecks: [CHECK],
  ...more,
});
const WEB = unit("web.service");
const up = (invocation: string, active = "active") =>
  ({ observed: { systemd: { active } }, details: { invocation } }) as Observation;

function world(
  probe: HealthProbe = new MemoryHealthProbe(),
  told: (ServiceHealth & { invocation: string }) | null = null,
) {
  const clock = new VirtualClock();
  const record = {
    load: "",
    active: "active",
    sub: "",
    hash: null,
    since: "",
    result: "",
    started: true,
    problem: null,
  };
  const value = told === null ? "" : encodeRecord({ ...record, invocation: told.invocation, health: told });
  const entry = { key: KEYS.status(M1, WEB.name), value, modRevision: 1, createRevision: 1, version: 1, lease: null };
  const shown = { complete: true, get: (key: string) => (told !== null && key === entry.key ? entry : null) };
  let wakes = 0;
  const watch = new HealthWatch(KEYS, M1, shown, { health: probe, clock, wake: () => wakes++ });
  const look = (invocation: string, active?: string, wanted: readonly WantedUnit[] = [WEB]) =>
    watch.look(wanted, new Map(wanted.map(({ name }) => [name, up(invocation, active)])));
  return { clock, watch, look, shown, wakes: () => wakes };
}

test("it tells that a service passes once it was asked, and of nothing else", async () => {
  const { clock, watch, look, wakes } = world();
  look("a");
  assert.equal(watch.of(WEB)?.state, "unknown");
  await clock.advance(1);
  assert.deepEqual(watch.of(WEB), { state: "passing", detail: "" });
  assert.equal(watch.of(WEB), watch.of(WEB), "the same value, so that it is told once");
  await clock.advance(300_000);
  assert.equal(wakes(), 1);
});

test("why it does not pass yet, and that it fails, is told with the check's own text", async () => {
  const probe = new MemoryHealthProbe();
  probe.answers.set(TEXT, "nobody listens there");
  const { clock, watch, look } = world(probe);
  look("a");
  await clock.advance(5_000);
  assert.deepEqual(watch.of(WEB), { state: "unknown", detail: `${TEXT}: nobody listens there` });
  probe.answers.delete(TEXT);
  await clock.advance(2_000);
  assert.equal(watch.of(WEB)?.state, "passing");
  probe.answers.set(TEXT, "HTTP status 500");
  await clock.advance(7_000);
  assert.deepEqual(watch.of(WEB), { state: "failing", detail: `${TEXT}: HTTP status 500` });
});

test("a service that was started again has to pass again", async () => {
  const probe = new MemoryHealthProbe();
  const { clock, watch, look } = world(probe);
  look("a");
  await clock.advance(1);
  probe.answers.set(TEXT, "no");
  look("b");
  assert.equal(watch.of(WEB)?.state, "unknown");
  await clock.advance(1);
  assert.deepEqual(watch.of(WEB), { state: "unknown", detail: `${TEXT}: no` });
});

test("an answer that comes after a restart says nothing of the new run", async () => {
  let answer = (_: string | null) => {};
  const asked = new Promise<string | null>((resolve) => {
    answer = resolve;
  });
  let count = 0;
  const probe = { probe: () => (count++ === 0 ? asked : new Promise<null>(() => {})), close() {} };
  const { clock, watch, look } = world(probe);
  look("a");
  await clock.advance(1);
  look("b");
  answer(null);
  await clock.advance(1);
  assert.equal(watch.of(WEB)?.state, "unknown");
});

test("what is down, loaded, or gone is not asked", async () => {
  const probe = new MemoryHealthProbe();
  const { clock, watch, look } = world(probe);
  look("a", "inactive");
  look("a", "activating");
  look("a", "active", [unit("web.service", { goal: "loaded" })]);
  await clock.advance(60_000);
  assert.deepEqual(probe.asked, []);
  look("a");
  await clock.advance(1);
  watch.look([], new Map());
  await clock.advance(60_000);
  assert.equal(probe.asked.length, 1);
});

test("without checks there is nothing to tell, to ask, or to wait for", async () => {
  const probe = new MemoryHealthProbe();
  const { clock, watch, look } = world(probe);
  const { healthChecks: _, ...plain } = WEB;
  look("a", "active", [plain]);
  assert.equal(watch.of(plain), null);
  await clock.advance(600_000);
  assert.deepEqual(probe.asked, []);
});

test("what the agent before it told of the same run stays until it is asked", () => {
  const { watch, look } = world(new MemoryHealthProbe(), { state: "passing", detail: "", invocation: "a" });
  look("a");
  assert.equal(watch.of(WEB)?.state, "passing");
  const other = world(new MemoryHealthProbe(), { state: "passing", detail: "", invocation: "old" });
  other.look("a");
  assert.equal(other.watch.of(WEB)?.state, "unknown");
});

test("nothing is asked before it is known what was told", async () => {
  const probe = new MemoryHealthProbe();
  const { clock, look, shown } = world(probe);
  shown.complete = false;
  look("a");
  await clock.advance(10_000);
  assert.deepEqual(probe.asked, []);
  shown.complete = true;
  look("a");
  await clock.advance(1);
  assert.equal(probe.asked.length, 1);
});

test("all checks of a service are asked until one does not pass", async () => {
  const probe = new MemoryHealthProbe();
  const second: HealthCheck = { kind: "exec", argv: ["/bin/x", "-q"] };
  const web = unit("web.service", { healthChecks: [CHECK, second] });
  const { clock, watch, look } = world(probe);
  probe.answers.set("exec:/bin/x -q", "its program failed");
  look("a", "active", [web]);
  await clock.advance(1);
  assert.deepEqual(probe.asked, [`web.service ${TEXT}`, "web.service exec:/bin/x -q"]);
  assert.deepEqual(watch.of(web), { state: "unknown", detail: "exec:/bin/x -q: its program failed" });
});

test("where nobody could be asked, the service is what it was", async () => {
  const probe = new MemoryHealthProbe();
  const { clock, watch, look } = world(probe);
  look("a");
  await clock.advance(1);
  probe.away = true;
  await clock.advance(300_000);
  assert.equal(watch.of(WEB)?.state, "passing");
});

test("at most eight are asked at one moment, and all of 750 in their turn", async () => {
  let [now, most, all] = [0, 0, 0];
  const { clock, watch, look } = world({
    async probe() {
      most = Math.max(most, ++now);
      all++;
      await clock.sleep(5);
      now--;
      return null;
    },
    close() {},
  });
  const wanted = Array.from({ length: 750 }, (_, index) => unit(`web@${index}.service`));
  look("a", "active", wanted);
  await clock.advance(1_500);
  assert.equal(most, 8);
  assert.ok(wanted.every((one) => watch.of(one)?.state === "passing"));
  await clock.advance(118_500);
  const before = all;
  await clock.advance(60_000);
  // Two to three rounds of 750: every 22.5 to 30 s.
  assert.ok(all - before > 1_500 && all - before < 2_100, `${all - before} questions in a minute`);
});

test("after its end nothing is asked", async () => {
  const probe = new MemoryHealthProbe();
  const { clock, watch, look } = world(probe);
  look("a");
  await clock.advance(1);
  watch.end();
  await clock.advance(60_000);
  assert.equal(probe.asked.length, 1);
});
