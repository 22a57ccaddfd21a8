import { sha256 } from "../../src/adapters/sha256.ts";
import type { CommitId, UnitName } from "../../src/domain/names.ts";
import { unitOnMachine } from "../../src/domain/spec/unit-on-machine.ts";
import type { SimCluster } from "../../src/sim/sim-cluster.ts";
import type { SimMachine } from "../../src/sim/sim-machine.ts";
import { OrderBook } from "./order-book.ts";
import { startedText } from "./sample-repository.ts";

/**
 * Protocol rule 33: how long a `keep` unit may run on two connected machines, from when an engine can see to it: the lease of a leader that
 * is gone (6 s) and a campaign, the commit and a pass with a lost answer or two (1 s each), and on the machine a reload and a slow stop
 * (3 s and 4 s), with the faults between.
 */
const OVERLAP_MS = 20_000;
/** A leader that adopts waits for a lease and the grace, as after an election, and then for those that are silent. */
const ADOPTION_MS = 20_000;
/** A conflict between two running units may last this long: the one that leaves is still stopping when the other's start is queued. */
const CONFLICT_MS = 0;

/** Globals run everywhere, and units that come and go by themselves are not watched for staying. */
const GLOBALS: ReadonlySet<string> = new Set(["everywhere.service"]);
const TRANSIENT: ReadonlySet<string> = new Set(["once.service", "tick.service", "broken.service"]);

interface Seen {
  readonly invocation: string;
  readonly sinceMs: number;
}

/** What runs on a machine, as long as it is the same. */
interface Picture {
  readonly running: Running;
  /** Of each unit, `machine/unit` and what its process was started with. */
  readonly processes: readonly { readonly place: string; readonly started: string }[];
}

type Running = SimMachine["manager"] extends { running(): infer Result } ? Result : never;

/**
 * Looks at what runs, from outside: at systemd's processes and at the registry's history, never at what the daemons think. It looks at a
 * machine after each change of a unit there, at everything now and then. Every violation is a sentence; none is the only good answer.
 */
export class Checkers {
  readonly violations: string[] = [];
  readonly #cluster: SimCluster;
  readonly #orders: OrderBook;
  readonly #verified = new Set<string>();
  readonly #running = new Map<string, Seen>();
  readonly #pictures = new Map<SimMachine, Picture>();
  readonly #excused = new Set<SimMachine>();
  readonly #overlapSince = new Map<UnitName, number>();
  /** What counted in the last look, by machine, and whether some unit was in two of them. */
  #counted: readonly (Running | null)[] = [];
  #isTwice = false;
  /** When a process that is not what the registry last ordered was last seen: `machine/unit` → time. */
  readonly #owed = new Map<string, number>();
  readonly #conflictSince = new Map<string, number>();
  isRegistryReplaced = false;
  #adoptedMs = Number.NEGATIVE_INFINITY;

  constructor(cluster: SimCluster) {
    this.#cluster = cluster;
    this.#orders = new OrderBook(cluster, (sentence) => this.#fail(sentence));
    for (const machine of cluster.machines) machine.observe(() => this.#lookAt(machine));
  }

  /** From now on this commit's texts may run. */
  async allow(commit: CommitId): Promise<void> {
    const spec = await this.#cluster.specAt(commit);
    this.#orders.rollouts.learn(commit, spec);
    for (const { id, drain } of spec.machines) if (drain && id !== null) this.#orders.moves.drained(id);
    for (const unit of spec.units) {
      this.#verified.add(`${unit.name}\n${unit.fragment.text}`);
      for (const { name } of this.#cluster.machines)
        this.#orders.learn(unitOnMachine(unit, name, spec, sha256).hash, startedText(unit.fragment.text));
    }
  }

  /** The registry is not what it was, and nobody places by it before a person has adopted it (false) and machines have told of themselves. */
  registryReplaced(isReplaced: boolean): void {
    this.isRegistryReplaced = isReplaced;
    this.#adoptedMs = this.#cluster.clock.monotonicMs();
  }

  /** How often each rule of rollouts had something to judge. */
  get rolloutsJudged(): Readonly<Record<string, number>> {
    return this.#orders.rollouts.judged;
  }

  /** The machine whose engine leads, as the registry says. */
  get leader(): string | null {
    return this.#orders.leader;
  }

  /** Its engine's disk was lost. */
  forgot(machine: SimMachine): void {
    this.#orders.forgot(machine.id);
  }

  injected(revision: number, isAll = false): void {
    this.#orders.injected(revision, isAll);
  }

  #forget(machine: SimMachine): void {
    for (const key of this.#running.keys()) if (key.startsWith(`${machine.id}/`)) this.#running.delete(key);
    this.#pictures.delete(machine);
  }

  /** Somebody does something to a machine's units: while they do, nobody looks. */
  async excuse(machine: SimMachine, act: () => Promise<void> | void): Promise<void> {
    this.#excused.add(machine);
    try {
      await act();
    } finally {
      this.#excused.delete(machine);
      this.#forget(machine);
    }
  }

  look(): void {
    const seen = this.#cluster.machines.map((machine) => {
      const running = machine.powered ? this.#lookAt(machine) : null;
      const isCounted = machine.agentUp && !isCutOff(machine) && !machine.agentPaused && !machine.systemdAway;
      return isCounted ? running : null;
    });
    // As it was, and nothing ran twice then: nothing does now.
    if (!this.#isTwice && seen.every((running, index) => running === this.#counted[index])) return;
    this.#counted = seen;
    const places = new Map<UnitName, SimMachine[]>();
    seen.forEach((running, index) => {
      const machine = this.#cluster.machines[index]!;
      for (const unit of running?.keys() ?? []) {
        const there = places.get(unit);
        if (there === undefined) places.set(unit, [machine]);
        else there.push(machine);
      }
    });
    this.#overlaps(places, this.#cluster.clock.monotonicMs());
  }

  end(): void {
    this.#orders.end();
  }

  #lookAt(machine: SimMachine): Running {
    const nowMs = this.#cluster.clock.monotonicMs();
    const running = machine.manager.running();
    if (!machine.powered || this.#excused.has(machine)) return running;
    let picture = this.#pictures.get(machine);
    if (picture?.running !== running) {
      picture = this.#changed(machine, running, nowMs);
      this.#pictures.set(machine, picture);
    }
    this.#noteOwed(picture, nowMs);
    this.#conflict(machine, running.has("red.service" as UnitName) && running.has("blue.service" as UnitName), nowMs);
    return running;
  }

  #changed(machine: SimMachine, running: Running, nowMs: number): Picture {
    const processes = [];
    for (const [unit, { text, invocation }] of running) {
      if (!this.#verified.has(`${unit}\n${text}`))
        this.#fail(`${unit} runs on ${machine.name} with a text no release holds`);
      this.#sameInvocation(machine, unit, invocation, nowMs);
      processes.push({ place: `${machine.id}/${unit}`, started: startedText(text) });
    }
    this.#gone(machine, running);
    return { running, processes };
  }

  #sameInvocation(machine: SimMachine, unit: UnitName, invocation: string, nowMs: number): void {
    const key = `${machine.id}/${unit}`;
    const before = this.#running.get(key);
    if (before !== undefined && before.invocation !== invocation)
      this.#mustBeOrdered(machine, unit, before, "was restarted");
    if (before?.invocation !== invocation) this.#running.set(key, { invocation, sinceMs: nowMs });
  }

  #gone(machine: SimMachine, running: Running): void {
    for (const [key, before] of this.#running) {
      if (!key.startsWith(`${machine.id}/`)) continue;
      const unit = key.slice(machine.id.length + 1) as UnitName;
      if (running.has(unit)) continue;
      this.#running.delete(key);
      this.#mustBeOrdered(machine, unit, before, "was stopped");
    }
  }

  /** An order stays one until it is carried out, however long the machine could not hear of it or act. */
  #noteOwed({ processes }: Picture, nowMs: number): void {
    for (const { place, started } of processes) {
      const ordered = this.#orders.shown(place);
      if (ordered !== undefined && ordered !== started) this.#owed.set(place, nowMs);
    }
  }

  /**
   * Nothing stops or restarts unless an engine changed that machine's set for it, or for what it requires, since it began to run, or had
   * before and it was not done yet; and in more than what a running unit can take.
   */
  #mustBeOrdered(machine: SimMachine, unit: UnitName, before: Seen, what: string): void {
    if (TRANSIENT.has(unit)) return;
    const causes = unit === "front.service" ? [unit, "back.service"] : [unit];
    // A start follows its order; an order given just before it may still be the one that is being carried out.
    const slackMs = 60_000;
    const ordered = causes.some((cause) => {
      const place = `${machine.id}/${cause}`;
      const owedMs = this.#owed.get(place) ?? -Infinity;
      return this.#orders.orderedMs(place) >= before.sinceMs - slackMs || owedMs >= before.sinceMs;
    });
    if (!ordered) this.#fail(`${unit} ${what} on ${machine.name} though no engine ordered what needs that`);
  }

  #conflict(machine: SimMachine, together: boolean, nowMs: number): void {
    if (!together) {
      this.#conflictSince.delete(machine.name);
      return;
    }
    const since = this.#conflictSince.get(machine.name) ?? nowMs;
    this.#conflictSince.set(machine.name, since);
    if (nowMs - since >= CONFLICT_MS) this.#fail(`red and blue, which conflict, run together on ${machine.name}`);
  }

  #overlaps(places: ReadonlyMap<UnitName, readonly SimMachine[]>, nowMs: number): void {
    this.#isTwice = false;
    for (const unit of this.#overlapSince.keys())
      if ((places.get(unit)?.length ?? 0) < 2 || !this.#hasEngine()) this.#overlapSince.delete(unit);
    for (const [unit, machines] of places) {
      if (machines.length < 2 || GLOBALS.has(unit)) continue;
      this.#isTwice = true;
      const since = this.#overlapSince.get(unit) ?? nowMs;
      this.#overlapSince.set(unit, since);
      if (nowMs - since === 0 || nowMs - since <= OVERLAP_MS) continue;
      this.#fail(
        `${unit} runs on ${machines.map(({ name }) => name).join(" and ")}, all connected, for ${nowMs - since} ms`,
      );
      this.#overlapSince.delete(unit);
    }
  }

  /** Whether any engine can do its work: without one nobody is told anything, and what runs is kept. */
  #hasEngine(): boolean {
    const isAdopting = this.#cluster.clock.monotonicMs() - this.#adoptedMs < ADOPTION_MS;
    if (this.isRegistryReplaced || isAdopting) return false;
    return this.#cluster.machines.some((machine) => machine.engineUp && !isCutOff(machine) && !machine.enginePaused);
  }

  #fail(sentence: string): void {
    const line = `VIOLATION ${sentence}`;
    this.#cluster.log(line);
    if (this.violations.length < 20)
      this.violations.push(`${(this.#cluster.clock.monotonicMs() / 1000).toFixed(1)} s: ${sentence}`);
  }
}

function isCutOff({ partitioned, registryAway }: SimMachine): boolean {
  return partitioned || registryAway;
}
