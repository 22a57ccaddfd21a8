/** Machines that fall silent, one by one and many at once: what moves, when, and what does not (`docs/loss.md`). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SimCluster } from "../../src/sim/sim-cluster.ts";
import type { SimMachine } from "../../src/sim/sim-machine.ts";

const UNITS = 20;
const MANIFEST = "apiVersion: fleet/v1\ncluster: sim\n";
const SERVICE = "[Service]\nExecStart=/bin/server\n";
const files = (more: Readonly<Record<string, string>> = {}, manifest = MANIFEST) => ({
  "fleet.yaml": manifest,
  ...Object.fromEntries(Array.from({ length: UNITS }, (_, index) => [`units/u${index + 10}.service`, SERVICE])),
  ...more,
});

class Story {
  readonly sim = new SimCluster({ seed: 11, machines: 10, engines: 2, cluster: "sim" });

  async begin(commit: Readonly<Record<string, string>> = files()): Promise<void> {
    this.sim.start();
    await this.sim.clock.advance(3_000);
    await this.sim.apply(this.sim.commit(commit, "first"));
    await this.until("everything runs", async () => (await this.sim.convergence())?.converged === true);
    // The hold after the election is over.
    await this.sim.clock.advance(20_000);
  }

  async until(what: string, isSo: () => boolean | Promise<boolean>, limitMs = 120_000): Promise<void> {
    const fromMs = this.sim.clock.monotonicMs();
    while (!(await isSo())) {
      if (this.sim.clock.monotonicMs() - fromMs > limitMs) assert.fail(`${what}: not within ${limitMs} ms`);
      await this.sim.clock.advance(250);
    }
  }

  /** `machine/unit` → invocation of everything that runs. */
  running(): Map<string, string> {
    const found = this.sim.machines.flatMap(({ name, manager }) =>
      [...manager.running()].map(([unit, { invocation }]) => [`${name}/${unit}`, invocation] as const),
    );
    return new Map(found.sort());
  }

  async places(): Promise<Map<string, string>> {
    const { assignments } = await this.sim.snapshot();
    return new Map(assignments.map(({ unit, machine }) => [unit, machine]));
  }

  /** Units that are on that machine, by the registry. */
  async on({ id }: SimMachine): Promise<string[]> {
    return [...(await this.places())].filter(([, machine]) => machine === id).map(([unit]) => unit);
  }

  /** Without an engine on them, so that it is not the leader that is lost. */
  last(count: number): SimMachine[] {
    return this.sim.machines.slice(-count);
  }
}

test("5 of 10 machines are cut off for long: nothing moves; they return: nothing restarts", async () => {
  const story = new Story();
  await story.begin();
  const [before, places] = [story.running(), await story.places()];
  for (const machine of story.last(5)) machine.setPartitioned(true);
  for (let minute = 0; minute < 10; minute++) {
    await story.sim.clock.advance(60_000);
    assert.deepEqual(await story.places(), places);
  }
  for (const machine of story.last(5)) machine.setPartitioned(false);
  await story.sim.clock.advance(60_000);
  assert.deepEqual(await story.places(), places);
  assert.deepEqual(story.running(), before);
  await story.sim.end();
});

test("so it is where all of them are", async () => {
  const story = new Story();
  await story.begin();
  const [before, places] = [story.running(), await story.places()];
  for (const machine of story.sim.machines) machine.setPartitioned(true);
  await story.sim.clock.advance(600_000);
  for (const machine of story.sim.machines) machine.setPartitioned(false);
  await story.sim.clock.advance(120_000);
  assert.deepEqual(await story.places(), places);
  assert.deepEqual(story.running(), before);
  await story.sim.end();
});

test("the leader is among those that are cut off, and the next one sees the outage as well", async () => {
  const story = new Story();
  await story.begin();
  const places = await story.places();
  const { entries } = await story.sim.registry.list(story.sim.keys.leader, { exact: true });
  const leader = story.sim.machines.find(({ id }) => id === JSON.parse(entries[0]!.value).machine)!;
  for (const machine of [leader, ...story.last(4)]) machine.setPartitioned(true);
  await story.sim.clock.advance(300_000);
  assert.deepEqual(await story.places(), places);
  await story.sim.end();
});

test("2 of 10 are gone: their units move, one machine after the other, and nothing moves back", async () => {
  const story = new Story();
  await story.begin();
  const places = await story.places();
  const gone = story.last(2);
  const counts = await Promise.all(gone.map((machine) => story.on(machine)));
  for (const units of counts) assert.ok(units.length > 0);
  for (const machine of gone) machine.powerOff();
  const moved = async () => {
    const now = await story.places();
    return gone.filter(({ id }) => [...places].some(([unit, machine]) => machine === id && now.get(unit) !== id))
      .length;
  };
  await story.until("the first one's units move", async () => (await moved()) === 1);
  await story.sim.clock.advance(15_000);
  assert.equal(await moved(), 1, "the other one waits for its turn");
  await story.until("the second one's units move", async () => (await moved()) === 2);
  await story.until("everything runs", async () => (await story.sim.convergence())?.converged === true);
  const after = await story.places();
  for (const machine of gone) machine.powerOn(true);
  await story.sim.clock.advance(60_000);
  assert.deepEqual(await story.places(), after);
  await story.sim.end();
});

test("a leader that takes over in the middle of losses does not spend a second budget", async () => {
  const MOVES_WINDOW_MS = 20_000;
  const story = new Story();
  await story.begin();
  const [second, first] = story.last(2) as [SimMachine, SimMachine];
  const leader = async () => {
    const { entries } = await story.sim.registry.list(story.sim.keys.leader, { exact: true });
    return story.sim.machines.find(({ id }) => id === (entries[0] && JSON.parse(entries[0].value).machine)) ?? null;
  };
  // Two are a tenth of all units: the whole budget.
  assert.deepEqual([(await story.on(first)).length, (await story.on(second)).length], [2, 2]);
  first.powerOff();
  await story.until("the first one's units move", async () => (await story.on(first)).length === 0);
  const before = (await leader())!;
  before.crashEngine();
  second.powerOff();
  const next = async () => ![null, before].includes(await leader());
  await story.until("another engine leads", next);
  const fromMs = story.sim.clock.monotonicMs();
  await story.until("the second one's units move", async () => (await story.on(second)).length === 0);
  const waitedMs = story.sim.clock.monotonicMs() - fromMs;
  assert.ok(waitedMs >= MOVES_WINDOW_MS, `a window has passed, and not ${waitedMs} ms`);
  const isKept = async () => (await story.sim.registry.list(story.sim.keys.losses, { exact: true })).entries.length > 0;
  assert.ok(await isKept());
  await story.until("nothing is left to be known of it", async () => !(await isKept()));
  await story.sim.end();
});

test("what waits for its machine is where it was when that is back, and a longer grace is waited for", async () => {
  const manifest = `${MANIFEST}units: { u10.service: { replace: no }, u11.service: { replace: after=60s } }\n`;
  const story = new Story();
  await story.begin(files({}, manifest));
  const places = await story.places();
  const holder = (unit: string) => story.sim.machines.find(({ id }) => id === places.get(unit))!;
  const [patient, slow] = [holder("u10.service"), holder("u11.service")];
  for (const machine of new Set([patient, slow])) machine.powerOff();
  await story.sim.clock.advance(30_000);
  assert.equal((await story.places()).get("u11.service"), slow.id);
  await story.sim.clock.advance(90_000);
  const now = await story.places();
  assert.equal(now.get("u10.service"), patient.id);
  assert.notEqual(now.get("u11.service"), slow.id);
  assert.deepEqual(await story.on(patient), ["u10.service"], "what may move has gone from there");
  patient.powerOn(true);
  await story.sim.clock.advance(30_000);
  assert.ok([...patient.manager.running().keys()].some((unit) => unit === "u10.service"));
  await story.sim.end();
});

test("a machine that comes and goes moves its units at most once, and gets nothing new for a while", async () => {
  const story = new Story();
  await story.begin();
  const [shaky] = story.last(1) as [SimMachine];
  for (let time = 0; time < 3; time++) {
    shaky.setPartitioned(true);
    // Its lease ends, and it is back before its grace does.
    await story.until("it is missed", async () => !(await present(story, shaky)));
    shaky.setPartitioned(false);
    await story.until("it is back", () => present(story, shaky));
    await story.sim.clock.advance(1_000);
  }
  const before = (await story.on(shaky)).length;
  const more = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`units/v${index + 10}.service`, SERVICE]));
  await story.sim.apply(story.sim.commit(files(more), "more"));
  await story.sim.clock.advance(4_000);
  assert.equal((await story.on(shaky)).length, before, "nothing new comes");
  const placed = [...(await story.places()).keys()].filter((unit) => unit.startsWith("v"));
  assert.ok(placed.length > 20, `${placed.length} came to others`);
  await story.until("everything runs", async () => (await story.sim.convergence())?.converged === true);
  await story.sim.end();
});

async function present({ sim }: Story, { id }: SimMachine): Promise<boolean> {
  return (await sim.snapshot()).members.some((member) => member.id === id && member.present);
}
