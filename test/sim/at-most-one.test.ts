/** Invariant I2: a unit with `stop-after` is on at most one machine at every moment, whatever fails. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { UnitName } from "../../src/domain/names.ts";
import { Random } from "../../src/sim/random.ts";
import { SimCluster } from "../../src/sim/sim-cluster.ts";
import type { Defects, SimMachine } from "../../src/sim/sim-machine.ts";
import { changed } from "./defects.ts";

const STORM_MS = 90_000;
/** Short against how long a double run could last: a stop. */
const LOOK_MS = 50;
const SINGLES = ["s1", "s2", "s3", "s4"].map((name) => `${name}.service` as UnitName);

/** `s1` is to be in one zone, and changes it: that machine is there, and has to let go first. */
const files = (zone: string) => ({
  "fleet.yaml":
    "apiVersion: fleet/v1\ncluster: sim\nloss: { agentTtl: 6s }\ndefaults: { onDisconnect: stop-after=2s }\n",
  ...Object.fromEntries(
    SINGLES.map((name) => [
      `units/${name}`,
      "[Service]\nExecStart=/bin/sleep infinity\nKillMode=mixed\nTimeoutStopSec=400ms\n" +
        (name === SINGLES[0] ? `[X-Fleet]\nMachineMetadata=zone=${zone}\n` : ""),
    ]),
  ),
});

/** What may befall a machine, and what ends it. Time may pass in both. */
type Fault = readonly [inject: (machine: SimMachine) => void, heal: (machine: SimMachine) => void];

const FAULTS: readonly Fault[] = [
  [(machine) => machine.setPartitioned(true), (machine) => machine.setPartitioned(false)],
  // Of both daemons: of an engine between its look and its write, and of an agent that still believes in its lease.
  [(machine) => machine.setPaused(true), (machine) => machine.setPaused(false)],
  [(machine) => machine.crashAgent(), (machine) => machine.startAgent()],
  [(machine) => void machine.stopAgent(), (machine) => machine.startAgent()],
  [(machine) => machine.powerOff(), (machine) => machine.powered || machine.powerOn(true)],
  [(machine) => machine.crashEngine(), (machine) => machine.startEngine()],
];

interface Outcome {
  readonly doubles: readonly string[];
  /** How often a unit began to run on another machine than before. */
  readonly moves: number;
  readonly trace: readonly string[];
}

async function storm(seed: number, defects: Defects = {}): Promise<Outcome> {
  const random = new Random(seed).fork("at most one");
  const cluster = new SimCluster({
    seed,
    machines: random.between(2, 4),
    engines: 2,
    cluster: "sim",
    defects,
    // Nothing to keep a move waiting but the lease itself, so that two runs are as close as they can get.
    loss: { graceMs: 0, outageMin: 5, lossWindowMs: 0, movesWindowMs: 0, flapAt: 1000 },
  });
  for (const machine of cluster.machines) {
    machine.noise = { dropRequest: 0.02, dropReply: 0.05, lateRequest: 0.1, delayMs: random.between(0, 80) };
    // A stop takes no time here: a paused machine's systemd would stand still in it, as no real one does.
    machine.manager.faults = (unit) => machine.lease.faultOf(unit);
  }
  const doubles: string[] = [];
  const last = new Map<UnitName, SimMachine>();
  let moves = 0;
  const look = () => {
    for (const unit of SINGLES) {
      const there = cluster.machines.filter(({ powered, manager }) => powered && manager.running().has(unit));
      if (there.length > 1) doubles.push(`${cluster.clock.monotonicMs()}: ${unit} on ${there.map(({ name }) => name)}`);
      const [only] = there;
      if (only === undefined) continue;
      if (last.has(unit) && last.get(unit) !== only) moves++;
      last.set(unit, only);
    }
  };
  const pass = async (milliseconds: number) => {
    for (let passed = 0; passed < milliseconds; passed += LOOK_MS) {
      await cluster.clock.advance(LOOK_MS);
      look();
    }
  };
  cluster.start();
  await pass(2_000);
  const release = async (zone: string) => void (await cluster.apply(cluster.commit(files(zone), `s1 in zone ${zone}`)));
  await release("a");
  await pass(5_000);
  while (cluster.clock.monotonicMs() < STORM_MS) {
    const [inject, heal] = random.pick(FAULTS);
    const machine = random.pick(cluster.machines);
    cluster.log(`fault ${FAULTS.findIndex(([one]) => one === inject)} of ${machine.name}`);
    inject(machine);
    await pass(random.between(200, 12_000));
    cluster.log(`healed ${machine.name}`);
    heal(machine);
    if (random.chance(0.3)) await release(random.pick(["a", "b"]));
    await pass(random.between(0, 4_000));
  }
  for (const machine of cluster.machines) {
    machine.noise = { dropRequest: 0, dropReply: 0, lateRequest: 0, delayMs: 0 };
    for (const [, heal] of FAULTS) heal(machine);
  }
  await pass(30_000);
  const running = cluster.machines.flatMap(({ manager }) => [...manager.running().keys()]);
  for (const unit of SINGLES) if (!running.includes(unit)) doubles.push(`${unit} runs nowhere after healing`);
  await cluster.end();
  return { doubles, moves, trace: cluster.trace };
}

test("units with stop-after run on at most one machine at every moment, move when theirs is lost, and run in the end", async () => {
  let moves = 0;
  for (let seed = 1; seed <= 5; seed++) {
    const outcome = await storm(seed);
    assert.deepEqual(outcome.doubles, [], `seed ${seed}\n${outcome.trace.slice(-40).join("\n")}`);
    moves += outcome.moves;
  }
  assert.ok(moves > 10, `only ${moves} moves`);
});

test("it is noticed when nobody stops them", async () => {
  const immortal: Defects = { lease: (inner) => changed(inner, { renewed: async () => {}, faultOf: () => null }) };
  const { doubles } = await storm(1, immortal);
  assert.notDeepEqual(doubles, []);
});
