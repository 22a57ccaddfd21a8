import type { MachineId } from "../../src/domain/names.ts";
import type { EntryChange } from "../../src/ports/registry.ts";
import type { SimCluster } from "../../src/sim/sim-cluster.ts";
import { MoveChecker } from "./move-checker.ts";
import { RolloutChecker } from "./rollout-checker.ts";

/**
 * What engines ordered, read from the registry's history, revision by revision: who was given which unit, by whom, and whether that engine
 * led at that very moment.
 */
export class OrderBook {
  readonly #cluster: SimCluster;
  readonly #fail: (sentence: string) => void;
  /** When an engine last gave or took this machine this unit, or changed what only a restart applies: `machine/unit` → time. */
  readonly #ordered = new Map<string, number>();
  /** By hash, what a unit's process is started with. */
  readonly #started = new Map<string, string>();
  /** What was last ordered, by `machine/unit`: what a unit's process is to be started with, "" where it is not to run. */
  readonly #shown = new Map<string, string>();
  /** What sets hold now. */
  readonly #placed = new Set<string>();
  #wasPutBack = false;
  readonly #assigned = new Map<string, string>();
  /** Revisions in which the test itself damaged the registry: no engine's orders. */
  readonly #injected = new Set<number>();
  readonly #end = new AbortController();
  readonly moves: MoveChecker;
  readonly rollouts: RolloutChecker;
  #leader: Leader | null = null;
  #epoch = 0;
  #release = 0;
  /** By engine, the last release it wrote a set by: it is on that engine's disk. */
  readonly #placedBy = new Map<string, { readonly epoch: number; readonly release: number }>();

  constructor(cluster: SimCluster, fail: (sentence: string) => void) {
    this.#cluster = cluster;
    this.#fail = fail;
    this.moves = new MoveChecker(cluster, fail);
    this.rollouts = new RolloutChecker(cluster, fail);
    void this.#follow();
  }

  /** From now on this hash stands for a process started so. */
  learn(hash: string, startedWith: string): void {
    this.#started.set(hash, startedWith);
  }

  get leader(): string | null {
    return this.#leader?.machine ?? null;
  }

  /** `isAll`: there is nothing left, as after a registry was put back. */
  injected(revision: number, isAll = false): void {
    this.#injected.add(revision);
    if (isAll) this.#wasPutBack = true;
  }

  end(): void {
    this.#end.abort();
  }

  /** What was last ordered of `machine/unit`; undefined where nothing ever was. */
  shown(place: string): string | undefined {
    return this.#shown.get(place);
  }

  /** When that was; the beginning of time where it never was. */
  orderedMs(place: string): number {
    return this.#ordered.get(place) ?? -Infinity;
  }

  /** From the beginning; where the registry is put back to a backup, on from there: what that shows is nobody's order. */
  async #follow(): Promise<void> {
    const { signal } = this.#end;
    const { root } = this.#cluster.keys;
    for (let after = 0; !signal.aborted; ) {
      for await (const message of this.#cluster.registry.watch(root, after, signal)) {
        if (message.kind !== "changes") continue;
        for (const change of message.changes) this.#changed(change);
      }
      if (signal.aborted) return;
      const { entries, revision } = await this.#cluster.registry.list(root);
      after = revision;
      this.#leader = null;
      this.#release = 0;
      this.#assigned.clear();
      this.#placed.clear();
      this.#wasPutBack = true;
      this.moves.forget();
      this.rollouts.forget();
      for (const entry of entries) {
        if (entry.key === this.#cluster.keys.leader) this.#leader = leaderOf(entry.value);
        this.#noteNumbers(entry.key, entry.value);
        if (entry.key.startsWith(`${root}presence/`)) this.#presence(entry.key, true);
        if (entry.key.startsWith(this.#cluster.keys.rollouts)) this.#recorded(entry.key, entry.value);
        if (entry.key.startsWith(`${root}placements/`)) this.#placed.add(entry.key.slice(`${root}placements/`.length));
        const unit = entry.key.startsWith(`${root}assign/`) ? entry.key.slice(`${root}assign/`.length) : null;
        if (unit !== null) this.#assigned.set(unit, fieldOf(entry.value, "machine") ?? "");
      }
    }
  }

  #changed(change: EntryChange): void {
    const { root, leader, release } = this.#cluster.keys;
    const prefix = `${root}placements/`;
    const key = change.kind === "put" ? change.entry.key : change.key;
    this.#noteNumbers(key, change.kind === "put" ? change.entry.value : "{}");
    if (key === leader) this.#led(change.kind === "put" ? leaderOf(change.entry.value) : null);
    else if (key === release) this.moves.released();
    else if (key.startsWith(`${root}presence/`)) this.#presence(key, change.kind === "put");
    // Whoever is no member is nobody's to wait for.
    else if (key.startsWith(`${root}members/`) && change.kind === "delete")
      this.rollouts.presence(key.slice(-32), false);
    else if (key.startsWith(this.#cluster.keys.rollouts))
      this.#recorded(key, change.kind === "put" ? change.entry.value : null);
    else if (key.startsWith(prefix)) this.#placementChanged(key.slice(prefix.length), change);
    else if (key.startsWith(`${root}assign/`)) this.#assignmentChanged(key.slice(`${root}assign/`.length), change);
  }

  #presence(key: string, isPresent: boolean): void {
    this.moves.presence(key.slice(-32), isPresent);
    this.rollouts.presence(key.slice(-32), isPresent);
  }

  #recorded(key: string, value: string | null): void {
    this.rollouts.recorded(Number(key.slice(this.#cluster.keys.rollouts.length)), value);
  }

  #noteNumbers(key: string, value: string): void {
    const { cluster, release } = this.#cluster.keys;
    if (key === cluster) this.#epoch = numberOf(value, "epoch");
    if (key !== release) return;
    this.#release = numberOf(value, "seq");
    this.rollouts.released(this.#release);
  }

  /** Protocol rule 13: an engine that remembers a later release does not place by an earlier one, until somebody has raised the epoch. */
  #notPutBack(writer: string): void {
    const before = this.#placedBy.get(writer);
    if (before !== undefined && before.epoch === this.#epoch && this.#release < before.release)
      this.#fail(`the engine of ${writer} placed by release ${this.#release} after ${before.release}`);
    else this.#placedBy.set(writer, { epoch: this.#epoch, release: this.#release });
  }

  /** That engine's disk was lost, with what it remembers. */
  forgot(machine: string): void {
    this.#placedBy.delete(machine);
  }

  #led(leader: Leader | null): void {
    this.#leader = leader;
    if (leader !== null) this.moves.led(leader.machine);
  }

  /**
   * Protocol rule: at most one engine's writes take effect, and that is the one whose leader key is there. Ids are given in order: one
   * older than the leader's campaign is of an earlier term, were it the same engine's.
   */
  #writtenByLeader(value: string): void {
    const operation = fieldOf(value, "op") ?? "";
    const writer = this.#cluster.engineOperations.get(operation) ?? null;
    if (writer !== null && writer === this.#leader?.machine && operation > this.#leader.campaign) return;
    const term = writer === this.#leader?.machine ? "of an earlier term " : "";
    this.#fail(`the engine of ${writer ?? "nobody"} ${term}wrote a set while ${this.#leader?.machine ?? "nobody"} led`);
  }

  /** In a registry that was put back, what a set no longer holds is left out and not taken away: by the header, that is an order. */
  #headerWritten(machine: string, header: string): void {
    this.#writtenByLeader(header);
    this.#notPutBack(this.#leader?.machine ?? "nobody");
    if (!this.#wasPutBack) return;
    for (const [place, process] of this.#shown) {
      if (process === "" || !place.startsWith(`${machine}/`) || this.#placed.has(place)) continue;
      this.#shown.set(place, "");
      this.#ordered.set(place, this.#cluster.clock.monotonicMs());
    }
  }

  /** Taken from one machine and given to another: an order to the first, also where its projection had been wiped. */
  #assignmentChanged(unit: string, change: EntryChange): void {
    const before = this.#assigned.get(unit);
    const now = change.kind === "put" ? fieldOf(change.entry.value, "machine") : null;
    // The engine found it there: after a registry was put back, machines say what they have.
    const isAdopted = change.kind === "put" && fieldOf(change.entry.value, "reason") === "stayed";
    if (before !== undefined && now !== null && before !== now && !isAdopted)
      this.moves.moved(unit, before, now, this.#assigned);
    if (now === null) this.#assigned.delete(unit);
    else this.#assigned.set(unit, now);
    if (before === undefined || before === now) return;
    this.#ordered.set(`${before}/${unit}`, this.#cluster.clock.monotonicMs());
    this.#shown.set(`${before}/${unit}`, "");
  }

  #placementChanged(place: string, change: EntryChange): void {
    const revision = change.kind === "put" ? change.entry.modRevision : change.modRevision;
    if (change.kind === "put") this.#placed.add(place);
    else this.#placed.delete(place);
    const isInjected = this.#injected.has(revision);
    const path = place.split("/") as [string, string?];
    const placed = change.kind === "put" ? fieldOf(change.entry.value, "hash") : null;
    if (path[1] !== undefined) this.rollouts.placed(path[0], path[1], placed, isInjected);
    if (isInjected) return;
    if (path.length === 1 && change.kind === "put") this.#headerWritten(place, change.entry.value);
    if (path.length !== 2) return;
    const value = change.kind === "put" ? this.#processOf(change.entry.value) : "";
    if (this.#shown.get(place) === value) return;
    this.#shown.set(place, value);
    this.#ordered.set(place, this.#cluster.clock.monotonicMs());
  }

  /** A placement that is not launched is an order to stop: of a unit that is handed over, say. */
  #processOf(placement: string): string {
    const hash = fieldOf(placement, "hash") ?? "";
    return fieldOf(placement, "goal") === "launched" ? (this.#started.get(hash) ?? hash) : "";
  }
}

interface Leader {
  readonly machine: string;
  /** The id of the operation by which it became leader. */
  readonly campaign: string;
}

function leaderOf(record: string): Leader {
  return { machine: fieldOf(record, "machine") as MachineId, campaign: fieldOf(record, "op") ?? "" };
}

/** 0 where there is none. */
function numberOf(record: string, field: string): number {
  const value = (JSON.parse(record) as Record<string, unknown>)[field];
  return typeof value === "number" ? value : 0;
}

function fieldOf(record: string, field: string): string | null {
  const value = (JSON.parse(record) as Record<string, unknown>)[field];
  return typeof value === "string" ? value : null;
}
