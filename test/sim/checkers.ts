import { sha256 } from "../../src/adapters/sha256.ts";
import type { CommitId, MachineId, UnitName } from "../../src/domain/names.ts";
import { unitOnMachine } from "../../src/domain/spec/unit-on-machine.ts";
import type { EntryChange } from "../../src/ports/registry.ts";
import type { SimCluster } from "../../src/sim/sim-cluster.ts";
import type { SimMachine } from "../../src/sim/sim-machine.ts";
import { startedText } from "./sample-repository.ts";

/**
 * Protocol rule 33: how long a `keep` unit may run on two connected machines, from when an engine can see to it: the lease of a leader that
 * is gone (6 s) and a campaign, the commit and a pass with a lost answer or two (1 s each), and on the machine a reload and a slow stop
 * (3 s and 4 s), with the faults between.
 */
const OVERLAP_MS = 20_000;
/** A conflict between two running units may last this long: the one that leaves is still stopping when the other's start is queued. */
const CONFLICT_MS = 0;

/** Globals run everywhere, and units that come and go by themselves are not watched for staying. */
const GLOBALS: ReadonlySet<string> = new Set(["everywhere.service"]);
const TRANSIENT: ReadonlySet<string> = new Set(["once.service", "tick.service", "broken.service"]);

interface Seen {
  readonly invocation: string;
  readonly sinceMs: number;
}

/**
 * Looks at what runs, from outside: at systemd's processes and at the registry's history, never at what the daemons think. Every
 * violation is a sentence; none is the only good answer.
 */
export class Checkers {
  readonly violations: string[] = [];
  readonly #cluster: SimCluster;
  readonly #verified = new Set<string>();
  readonly #running = new Map<string, Seen>();
  readonly #overlapSince = new Map<UnitName, number>();
  /** When a process that is not what the registry last ordered was last seen: `machine/unit` → time. */
  readonly #owed = new Map<string, number>();
  readonly #conflictSince = new Map<string, number>();
  /** When an engine last gave or took this machine this unit, or changed what only a restart applies: `machine/unit` → time. */
  readonly #ordered = new Map<string, number>();
  /** By hash, what a unit's process is started with. */
  readonly #started = new Map<string, string>();
  /** What was last ordered, by placement key: what a unit's process is to be started with, "" where it is not to run. */
  readonly #shown = new Map<string, string>();
  readonly #assigned = new Map<string, string>();
  /** Revisions in which the test itself damaged the registry: no engine's orders. */
  readonly #injected = new Set<number>();
  readonly #end = new AbortController();
  #leader: string | null = null;

  constructor(cluster: SimCluster) {
    this.#cluster = cluster;
    void this.#followPlacements();
  }

  /** From now on this commit's texts may run. */
  async allow(commit: CommitId): Promise<void> {
    const spec = await this.#cluster.specAt(commit);
    for (const unit of spec.units) {
      this.#verified.add(`${unit.name}\n${unit.fragment.text}`);
      for (const { name } of this.#cluster.machines) {
        this.#started.set(unitOnMachine(unit, name, spec, sha256).hash, startedText(unit.fragment.text));
      }
    }
  }

  injected(revision: number): void {
    this.#injected.add(revision);
  }

  /** A person or a fault ended these on purpose: they owe nobody an explanation. */
  forget(machine: SimMachine): void {
    for (const key of this.#running.keys()) if (key.startsWith(`${machine.id}/`)) this.#running.delete(key);
  }

  look(): void {
    const nowMs = this.#cluster.clock.monotonicMs();
    const places = new Map<UnitName, SimMachine[]>();
    for (const machine of this.#cluster.machines.filter((machine) => machine.powered)) {
      const running = machine.manager.running();
      for (const [unit, { text, invocation }] of running) {
        if (!this.#verified.has(`${unit}\n${text}`))
          this.#fail(`${unit} runs on ${machine.name} with a text no release holds`);
        this.#sameInvocation(machine, unit, invocation, nowMs);
        if (machine.agentUp && !machine.partitioned && !machine.paused && !machine.systemdAway)
          places.set(unit, [...(places.get(unit) ?? []), machine]);
      }
      this.#gone(machine, running);
      this.#noteOwed(machine, running, nowMs);
      this.#conflict(machine, running.has("red.service" as UnitName) && running.has("blue.service" as UnitName), nowMs);
    }
    this.#overlaps(places, nowMs);
  }

  end(): void {
    this.#end.abort();
  }

  #sameInvocation(machine: SimMachine, unit: UnitName, invocation: string, nowMs: number): void {
    const key = `${machine.id}/${unit}`;
    const before = this.#running.get(key);
    if (before !== undefined && before.invocation !== invocation)
      this.#mustBeOrdered(machine, unit, before, "was restarted");
    if (before?.invocation !== invocation) this.#running.set(key, { invocation, sinceMs: nowMs });
  }

  #gone(machine: SimMachine, running: ReadonlyMap<UnitName, unknown>): void {
    for (const [key, before] of this.#running) {
      if (!key.startsWith(`${machine.id}/`)) continue;
      const unit = key.slice(machine.id.length + 1) as UnitName;
      if (running.has(unit)) continue;
      this.#running.delete(key);
      this.#mustBeOrdered(machine, unit, before, "was stopped");
    }
  }

  /** An order stays one until it is carried out, however long the machine could not hear of it or act. */
  #noteOwed(machine: SimMachine, running: ReadonlyMap<UnitName, { readonly text: string }>, nowMs: number): void {
    for (const [unit, { text }] of running) {
      const ordered = this.#shown.get(this.#cluster.keys.placement(machine.id, unit));
      if (ordered !== undefined && ordered !== startedText(text)) this.#owed.set(`${machine.id}/${unit}`, nowMs);
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
      const key = `${machine.id}/${cause}`;
      const [orderedMs, owedMs] = [this.#ordered.get(key) ?? -Infinity, this.#owed.get(key) ?? -Infinity];
      return orderedMs >= before.sinceMs - slackMs || owedMs >= before.sinceMs;
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
    for (const unit of this.#overlapSince.keys())
      if ((places.get(unit)?.length ?? 0) < 2 || !this.#hasEngine()) this.#overlapSince.delete(unit);
    for (const [unit, machines] of places) {
      if (machines.length < 2 || GLOBALS.has(unit)) continue;
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
    return this.#cluster.machines.some(({ engineUp, partitioned, paused }) => engineUp && !partitioned && !paused);
  }

  async #followPlacements(): Promise<void> {
    const { root, leader } = this.#cluster.keys;
    const prefix = `${root}placements/`;
    for await (const message of this.#cluster.registry.watch(root, 0, this.#end.signal)) {
      if (message.kind !== "changes") continue;
      for (const change of message.changes) {
        const key = change.kind === "put" ? change.entry.key : change.key;
        if (key === leader) this.#leader = change.kind === "put" ? fieldOf(change.entry.value, "machine") : null;
        else if (key.startsWith(prefix)) this.#placementChanged(prefix, change);
        else if (key.startsWith(`${root}assign/`)) this.#assignmentChanged(key.slice(`${root}assign/`.length), change);
      }
    }
  }

  /** Protocol rule: at most one engine's writes take effect, and that is the one whose leader key is there. */
  #writtenByLeader(value: string): void {
    const writer = this.#cluster.engineOperations.get(fieldOf(value, "op") ?? "") ?? null;
    if (writer !== null && writer === this.#leader) return;
    this.#fail(`the engine of ${writer ?? "nobody"} wrote a set while ${this.#leader ?? "nobody"} led`);
  }

  /** Taken from one machine and given to another: an order to the first, also where its projection had been wiped. */
  #assignmentChanged(unit: string, change: EntryChange): void {
    const before = this.#assigned.get(unit);
    const now = change.kind === "put" ? fieldOf(change.entry.value, "machine") : null;
    if (now === null) this.#assigned.delete(unit);
    else this.#assigned.set(unit, now);
    if (before === undefined || before === now) return;
    this.#ordered.set(`${before}/${unit}`, this.#cluster.clock.monotonicMs());
    this.#shown.set(this.#cluster.keys.placement(before as MachineId, unit as UnitName), "");
  }

  #placementChanged(prefix: string, change: EntryChange): void {
    const key = change.kind === "put" ? change.entry.key : change.key;
    const revision = change.kind === "put" ? change.entry.modRevision : change.modRevision;
    const path = key.slice(prefix.length).split("/");
    if (this.#injected.has(revision)) return;
    if (path.length === 1 && change.kind === "put") this.#writtenByLeader(change.entry.value);
    if (path.length !== 2) return;
    const hash = change.kind === "put" ? fieldOf(change.entry.value, "hash") : null;
    const value = hash === null ? "" : (this.#started.get(hash) ?? hash);
    if (this.#shown.get(key) === value) return;
    this.#shown.set(key, value);
    this.#ordered.set(`${path[0] as MachineId}/${path[1]}`, this.#cluster.clock.monotonicMs());
  }

  #fail(sentence: string): void {
    const line = `VIOLATION ${sentence}`;
    this.#cluster.log(line);
    if (this.violations.length < 20)
      this.violations.push(`${(this.#cluster.clock.monotonicMs() / 1000).toFixed(1)} s: ${sentence}`);
  }
}

function fieldOf(record: string, field: string): string | null {
  const value = (JSON.parse(record) as Record<string, unknown>)[field];
  return typeof value === "string" ? value : null;
}
