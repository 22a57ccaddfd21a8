import { createHash } from "node:crypto";
import { NO_FAULTS } from "../../src/adapters/memory/faulty-registry.ts";
import { readReport } from "../../src/codec/read-report.ts";
import type { Convergence } from "../../src/domain/cluster/convergence.ts";
import type { UnitName } from "../../src/domain/names.ts";
import { rolloutOf } from "../../src/domain/rollout/rollouts.ts";
import { OperationError } from "../../src/ports/operation-error.ts";
import { Random } from "../../src/sim/random.ts";
import { SimCluster } from "../../src/sim/sim-cluster.ts";
import type { Defects } from "../../src/sim/sim-machine.ts";
import { hearOfCluster } from "../../src/usecases/hear-of-cluster.ts";
import { orderRollout } from "../../src/usecases/order-rollout.ts";
import { Checkers } from "./checkers.ts";
import { ENGINE_FAULTS, LATE_ORDERS } from "./engine-faults.ts";
import { FAULTS, type FaultKind, MEDDLER, SLOW_SYSTEMD, type Storm } from "./faults.ts";
import { adoptWhereToldSo, REGISTRY_FAULTS } from "./registry-faults.ts";
import { heldText, reloadedText, SampleRepository, startedText } from "./sample-repository.ts";
import { notForward, SOURCE_FAULTS } from "./source-faults.ts";

export interface SeedResult {
  readonly seed: number;
  readonly violations: readonly string[];
  readonly trace: readonly string[];
  /** Equal for equal runs. */
  readonly hash: string;
  readonly faults: readonly string[];
}

/** How long faults rain, and how often somebody looks. Virtual time. */
const STORM_MS = 180_000;
const LOOK_MS = 250;
const FAULT_MS = [500, 25_000] as const;
/** After everything is healed: converged within this, then silent for that. */
const CONVERGE_MS = 120_000;
const SILENCE_MS = 60_000;
/** The longest that a leader holds something against a machine: twice its hold for flapping. */
const HOLDS_MS = 120_000;
/** A daemon that is asked to stop has given its lease back, or given up on it, within this. */
const STOP_MS = 5_000;
/** The latest a late request arrives, and what it sets off. */
const SETTLE_MS = 30_000;

/**
 * Runs one seed to its end: a storm of faults and commits, then everything healed, convergence and silence. `only`: names of the faults
 * that may happen, instead of those the seed draws. `follows`: the engine follows the branch, and only the first release is applied.
 */
export async function runSeed(
  seed: number,
  defects: Defects = {},
  only?: readonly string[],
  follows = false,
): Promise<SeedResult> {
  const choices = new Random(seed).fork("choices");
  const few = choices.between(2, 6);
  const machines = choices.fork("many").chance(0.1) ? few + 4 : few;
  const cluster = new SimCluster({
    seed,
    machines,
    engines: choices.between(1, Math.min(3, few)),
    cluster: "sim",
    defects,
  });
  const checkers = new Checkers(cluster);
  const sources = choices.fork("sources");
  const ofSources = follows ? SOURCE_FAULTS.filter(() => sources.chance(0.4)) : [];
  const drawn = [...drawKinds(choices), ...ofSources].filter(
    ({ replacesRegistry = false }) => seed >= SOAK_SEEDS || !replacesRegistry,
  );
  const kinds = only === undefined ? drawn : EVERY_KIND.filter(({ name }) => only.includes(name));
  const repository = new SampleRepository(
    choices.fork("repository"),
    cluster.machines.map(({ id }) => id),
  );
  const storm: Storm = {
    cluster,
    checkers,
    random: choices.fork("storm"),
    backups: [cluster.registry.backup()],
    release: () => (follows ? push(storm, repository) : release(storm, repository)),
  };
  const noisy = choices.chance(0.5);
  for (const machine of cluster.machines) {
    machine.noise = noisy
      ? { dropRequest: 0.02, dropReply: 0.05, lateRequest: 0.1, delayMs: choices.between(0, 80) }
      : machine.noise;
  }
  // Some clusters are slow from the first to the last minute of the storm.
  if (choices.fork("slow").chance(0.2)) {
    for (const machine of cluster.machines) await SLOW_SYSTEMD.inject(storm, machine);
  }
  cluster.start();
  await cluster.clock.advance(2_000);
  await during(cluster, storm.release());
  await weather(storm, kinds);
  await heal(storm, kinds);
  await mustConverge(storm, kinds);
  if (follows) checkers.violations.push(...(await notFollowed(cluster)));
  checkers.violations.push(...notForward(cluster));
  cluster.log(`rollouts judged: ${JSON.stringify(checkers.rolloutsJudged)}`);
  checkers.end();
  await cluster.end();
  const hash = createHash("sha256").update(cluster.trace.join("\n")).digest("hex");
  return { seed, violations: checkers.violations, trace: cluster.trace, hash, faults: kinds.map((kind) => kind.name) };
}

/** `npm run soak` begins far beyond. */
const SOAK_SEEDS = 1_000_000;

const EVERY_KIND: readonly FaultKind[] = [
  ...FAULTS,
  ...ENGINE_FAULTS,
  ...REGISTRY_FAULTS,
  ...SOURCE_FAULTS,
  MEDDLER,
  LATE_ORDERS,
];

/** With all at once, one hides the other. */
function drawKinds(choices: Random): FaultKind[] {
  const kinds = FAULTS.filter(() => choices.chance(0.45));
  const more = choices.fork("engines and registry");
  kinds.push(...[...ENGINE_FAULTS, ...REGISTRY_FAULTS].filter(() => more.chance(0.15)));
  if (choices.fork("meddler").chance(0.4)) kinds.push(MEDDLER);
  if (choices.fork("late orders").chance(0.15)) kinds.push(LATE_ORDERS);
  return kinds;
}

/** As `release`, by somebody who only pushes: the engine does the rest, but for the first release. */
async function push(storm: Storm, repository: SampleRepository): Promise<void> {
  const { cluster, checkers } = storm;
  const files = repository.next();
  const follows = `${files["fleet.yaml"]}release: { by: sync }\nsync: { interval: 3s }\n`;
  const commit = cluster.commit({ ...files, "fleet.yaml": follows }, `commit ${cluster.repository.commits.size}`);
  await checkers.allow(commit);
  cluster.log(`pushed ${commit.slice(0, 7)}`);
  if ((await cluster.snapshot()).release !== null) return;
  try {
    await cluster.apply(commit);
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    cluster.log(`not applied ${commit.slice(0, 7)}: ${error.message}`);
  }
}

/** In peace the release is the branch's tip, or the engine says why it is not. */
async function notFollowed(cluster: SimCluster): Promise<string[]> {
  const { release } = await cluster.snapshot();
  const tip = cluster.repository.branches.get("main");
  if (release === null || release.commit === tip) return [];
  const report = (await cluster.registry.list(cluster.keys.report, { exact: true })).entries[0];
  const told = report === undefined ? null : readReport(report.value);
  if (told?.sync?.held?.commit === tip || told?.problem != null) return [];
  return [`the branch is at ${tip}, release ${release.seq} at ${release.commit}, and nobody says why`];
}

async function release({ cluster, checkers }: Storm, repository: SampleRepository): Promise<void> {
  const commit = cluster.commit(repository.next(), `commit ${cluster.repository.commits.size}`);
  await checkers.allow(commit);
  try {
    await hearOfCluster(cluster.registry, cluster.keys, cluster.clock);
    const applied = await cluster.apply(commit);
    cluster.log(`applied ${commit.slice(0, 7)}: ${applied.kind}`);
  } catch (error) {
    // A registry that was put back or wiped takes no release.
    if (!(error instanceof OperationError)) throw error;
    cluster.log(`not applied ${commit.slice(0, 7)}: ${error.message}`);
  }
}

async function weather(storm: Storm, kinds: readonly FaultKind[]): Promise<void> {
  const { cluster, checkers, random, backups } = storm;
  const endMs = cluster.clock.monotonicMs() + STORM_MS;
  const pending: { atMs: number; heal: () => Promise<void> }[] = [];
  while (cluster.clock.monotonicMs() < endMs) {
    await cluster.clock.advance(LOOK_MS);
    checkers.look();
    const nowMs = cluster.clock.monotonicMs();
    for (const due of pending.filter(({ atMs }) => atMs <= nowMs)) {
      pending.splice(pending.indexOf(due), 1);
      await during(cluster, due.heal());
    }
    if (kinds.length > 0 && random.chance(LOOK_MS / 8_000)) {
      const [kind, anybody] = [pickByWeight(kinds, random), random.pick(cluster.machines)];
      const machine = kind.target?.(storm) ?? anybody;
      const [leastMs, mostMs] = kind.lastsMs ?? FAULT_MS;
      cluster.log(`fault: ${kind.name} of ${machine.name}`);
      await during(cluster, kind.inject(storm, machine));
      pending.push({
        atMs: nowMs + random.between(leastMs, mostMs),
        heal: async () => {
          cluster.log(`healed: ${kind.name} of ${machine.name}`);
          await kind.heal(storm, machine);
        },
      });
    }
    if (random.chance(LOOK_MS / 25_000)) await during(cluster, storm.release());
    if (random.chance(LOOK_MS / 30_000)) backups.push(cluster.registry.backup());
  }
  for (const { heal } of pending) await during(cluster, heal());
}

function pickByWeight(kinds: readonly FaultKind[], random: Random): FaultKind {
  let left = random.next() * kinds.reduce((sum, { weight = 1 }) => sum + weight, 0);
  for (const kind of kinds) {
    left -= kind.weight ?? 1;
    if (left < 0) return kind;
  }
  return kinds[kinds.length - 1]!;
}

/** Waits for something that may need time to pass. */
async function during(cluster: SimCluster, act: Promise<void>): Promise<void> {
  let done = false;
  let failure: unknown = null;
  act.then(
    () => {
      done = true;
    },
    (error: unknown) => {
      done = true;
      failure = error;
    },
  );
  await cluster.clock.runUntil(() => done, 120_000);
  if (failure !== null) throw failure;
}

async function heal(storm: Storm, kinds: readonly FaultKind[]): Promise<void> {
  const { cluster } = storm;
  cluster.log("everything is healed");
  for (const machine of cluster.machines) {
    machine.noise = { dropRequest: 0, dropReply: 0, lateRequest: 0, delayMs: 0 };
    for (const registry of [machine.agentRegistry, machine.engineRegistry]) {
      if (registry !== null) registry.faults = { ...NO_FAULTS, partitioned: registry.faults.partitioned };
    }
    for (const kind of [...kinds, SLOW_SYSTEMD]) await during(cluster, kind.heal(storm, machine));
  }
  // A daemon that was asked to stop while it was paused stops now.
  await cluster.clock.advance(STOP_MS);
  for (const machine of cluster.machines) {
    machine.startAgent();
    if (cluster.hasEngine(machine)) machine.startEngine();
  }
}

/** The unit that fails on every start stays failed, and is all that may. */
function isDone(state: Convergence | null): boolean {
  return state?.settled === true && state.failed.every(({ unit }) => unit === "broken.service");
}

/** A person who has seen what failed, a unit that never starts or what the storm broke, lets the rollout go on in spite of it. */
async function resumeHeld(cluster: SimCluster): Promise<void> {
  const { rollouts, release } = await cluster.snapshot();
  if (rolloutOf(rollouts, release)?.phase !== "held") return;
  const order = { order: "resume", by: "sim", at: new Date(cluster.clock.wallMs()).toISOString() } as const;
  await orderRollout(cluster.registry, cluster.keys, order, () => cluster.newId());
}

async function mustConverge(storm: Storm, kinds: readonly FaultKind[]): Promise<void> {
  const { cluster, checkers } = storm;
  const mayBeReplaced = kinds.some(({ replacesRegistry = false }) => replacesRegistry);
  const untilMs = cluster.clock.monotonicMs() + CONVERGE_MS;
  let state = await cluster.convergence();
  while (!isDone(state) && cluster.clock.monotonicMs() < untilMs) {
    await cluster.clock.advance(LOOK_MS);
    checkers.look();
    await resumeHeld(cluster);
    if (mayBeReplaced) await during(cluster, adoptWhereToldSo(storm));
    state = await cluster.convergence();
  }
  if (!isDone(state)) {
    checkers.violations.push(`not converged ${CONVERGE_MS / 1000} s after healing: ${JSON.stringify(state)}`);
    return;
  }
  cluster.log("converged");
  // What was still on its way may arrive until now.
  await cluster.clock.advance(SETTLE_MS);
  await oneSurvivorEach(cluster, checkers);
  let written = await writesIn(cluster, SILENCE_MS);
  // What an engine says of a machine that came and went, or of an outage, it says again when that is over.
  for (let waited = 0; written > 0 && waited < HOLDS_MS; waited += SILENCE_MS)
    written = await writesIn(cluster, SILENCE_MS);
  checkers.look();
  if (written > 0) checkers.violations.push(`an idle cluster wrote ${written} times in ${SILENCE_MS / 1000} s`);
}

async function writesIn(cluster: SimCluster, milliseconds: number): Promise<number> {
  const { revision } = cluster.store;
  await cluster.clock.advance(milliseconds);
  return cluster.store.revision - revision;
}

/** After heal each single unit runs on one machine, the one `assign/` names. */
async function oneSurvivorEach(cluster: SimCluster, checkers: Checkers): Promise<void> {
  const { assignments, release } = await cluster.snapshot();
  const { units } = await cluster.specAt(release!.commit);
  const texts = new Map(units.map((unit) => [unit.name, unit.fragment.text]));
  for (const { name, manager } of cluster.machines) {
    for (const [unit, { text, reloaded, held }] of manager.running()) {
      const wanted = texts.get(unit) ?? "";
      const stale = [
        ...(startedText(text) === startedText(wanted) ? [] : ["runs"]),
        ...(reloadedText(reloaded ?? text) === reloadedText(wanted) ? [] : ["has not reloaded"]),
        ...(heldText(held) === heldText(wanted) ? [] : ["is held by systemd with"]),
      ];
      for (const what of stale) checkers.violations.push(`${unit} still ${what} its old text on ${name}`);
    }
  }
  for (const { unit, machine, goal } of assignments) {
    const running = cluster.machines.filter(({ manager }) => manager.running().has(unit as UnitName));
    const wrong = running.filter((other) => other.id !== machine);
    if (wrong.length > 0)
      checkers.violations.push(`${unit} still runs on ${wrong.map(({ name }) => name)}, assigned to ${machine}`);
    const lasting = goal === "launched" && !["once.service", "tick.service", "broken.service"].includes(unit);
    if (lasting && running.length === 0) checkers.violations.push(`${unit} runs nowhere after healing`);
  }
}
