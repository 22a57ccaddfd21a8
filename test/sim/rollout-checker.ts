import { sha256 } from "../../src/adapters/sha256.ts";
import { decodeRollout } from "../../src/codec/rollout-record.ts";
import type { CommitId, MachineId } from "../../src/domain/names.ts";
import { ringOf } from "../../src/domain/rollout/rings.ts";
import type { RolloutRecord } from "../../src/domain/rollout/rollout-record.ts";
import type { ClusterSpec } from "../../src/domain/spec/cluster-spec.ts";
import { unitOnMachine } from "../../src/domain/spec/unit-on-machine.ts";
import type { SimCluster } from "../../src/sim/sim-cluster.ts";
import { startedText } from "./sample-repository.ts";

/** A write that was on its way when a rollout was held may still arrive until then. Milliseconds. */
const LATE_MS = 30_000;
/** A machine that came back is taken for present by its engine within this. Milliseconds. */
const KNOWN_MS = 10_000;
/** What is there once on each machine, and has canaries where a commit says so. */
const EVERYWHERE = "everywhere.service";
const STANDS_STILL: ReadonlySet<string> = new Set(["held", "paused", "aborted"]);

interface Version {
  readonly hash: string;
  /** When it came, at the earliest with this release. */
  readonly sinceMs: number;
  /** This release changed it there: a unit that moves proves nothing new. */
  readonly isChanged: boolean;
}

/**
 * Which versions engines gave to machines, held against what the commits say of rings and canaries and the rollout's record says of
 * itself: read from the registry's history, never asked of an engine.
 */
export class RolloutChecker {
  readonly #cluster: SimCluster;
  readonly #fail: (sentence: string) => void;
  readonly #specs = new Map<CommitId, ClusterSpec>();
  readonly #records = new Map<number, RolloutRecord>();
  /** By `machine/unit`. */
  readonly #versions = new Map<string, Version>();
  /** What the test itself took out of the registry, by `machine/unit`: machines keep what they run then (protocol rule 2). */
  readonly #wiped = new Map<string, Version>();
  /** By commit, machine and unit. */
  readonly #hashes = new Map<string, string | null>();
  /** By machine, since when it is known to be there. */
  readonly #presentSinceMs = new Map<string, number>();
  #release = 0;
  #phaseSinceMs = 0;
  /** How often it had something to judge, by rule. */
  readonly judged = { rings: 0, soaks: 0, canaries: 0 };

  constructor(cluster: SimCluster, fail: (sentence: string) => void) {
    this.#cluster = cluster;
    this.#fail = fail;
  }

  learn(commit: CommitId, spec: ClusterSpec): void {
    this.#specs.set(commit, spec);
  }

  /** The registry is another. */
  forget(): void {
    this.#records.clear();
    this.#versions.clear();
    this.#wiped.clear();
    this.#presentSinceMs.clear();
  }

  presence(machine: string, isPresent: boolean): void {
    if (isPresent && !this.#presentSinceMs.has(machine)) this.#presentSinceMs.set(machine, this.#nowMs);
    if (!isPresent) this.#presentSinceMs.delete(machine);
  }

  released(seq: number): void {
    if (seq === this.#release) return;
    this.#release = seq;
    // What was there when it began is as old as the release at most.
    for (const versions of [this.#versions, this.#wiped])
      for (const [place, { hash }] of versions) versions.set(place, { hash, sinceMs: this.#nowMs, isChanged: false });
  }

  recorded(seq: number, value: string | null): void {
    const decoded = value === null ? null : decodeRollout(value);
    const before = this.#records.get(seq);
    if (decoded?.kind !== "record") this.#records.delete(seq);
    else this.#records.set(seq, decoded.record);
    const record = this.#records.get(seq);
    if (seq !== this.#release || record === undefined) return;
    if (before?.phase !== record.phase) this.#phaseSinceMs = this.#nowMs;
    if (before !== undefined && record.phase === "rolling" && record.openRings > before.openRings)
      this.#soaked(record, before.openRings - 1);
  }

  /** `hash` null: it is there no more. `isInjected`: by the test itself. */
  placed(machine: string, unit: string, hash: string | null, isInjected: boolean): void {
    const place = `${machine}/${unit}`;
    const before = this.#versions.get(place);
    this.#note(place, hash, isInjected);
    if (isInjected || hash === null || before === undefined || before.hash === hash) return;
    const record = this.#records.get(this.#release);
    if (record === undefined) return;
    const { phase, release, openRings } = record;
    const what = `${unit} became another on ${this.#nameOf(machine)}`;
    if (STANDS_STILL.has(phase) && this.#nowMs - this.#phaseSinceMs > LATE_MS) {
      this.#fail(`${what} though the rollout of release ${release.seq} was ${phase}`);
    }
    if (phase !== "rolling" || this.#hashBy(record, machine, unit) !== hash) return;
    const ring = this.#ringOf(record, machine);
    if (ring >= openRings) this.#fail(`${what} though only ${openRings} rings were open`);
    else if (this.#specs.get(release.commit)?.rings !== undefined) this.judged.rings += 1;
    if (unit === EVERYWHERE) this.#canaries(record, machine, hash);
  }

  /** What is written again as it was before it was wiped has been there all the time. */
  #note(place: string, hash: string | null, isInjected: boolean): void {
    const before = this.#versions.get(place);
    const wiped = this.#wiped.get(place);
    if (hash === null) this.#versions.delete(place);
    else if (before?.hash !== hash) {
      const isBack = before === undefined && wiped?.hash === hash;
      this.#versions.set(place, isBack ? wiped : { hash, sinceMs: this.#nowMs, isChanged: before !== undefined });
    }
    if (hash === null && isInjected && before !== undefined) this.#wiped.set(place, before);
    else this.#wiped.delete(place);
  }

  /** The next ring opened once what was changed in this one had been there for as long as it soaks. */
  #soaked(record: RolloutRecord, ring: number): void {
    const soakMs = this.#specs.get(record.release.commit)?.rings?.[ring]?.soakMs ?? 0;
    for (const [place, { hash, sinceMs, isChanged }] of this.#versions) {
      const [machine, unit] = place.split("/") as [string, string];
      if (this.#ringOf(record, machine) !== ring || this.#hashBy(record, machine, unit) !== hash) continue;
      // A change that no process notices has nothing to prove, and nobody waits for machines that are away.
      const isNoticed = this.#startedBy(record.release.commit, unit) !== this.#startedBy(record.base?.commit, unit);
      if (!isChanged || !isNoticed || !this.#wasPresent(machine, sinceMs)) continue;
      this.judged.soaks += 1;
      if (this.#nowMs - sinceMs < soakMs)
        this.#fail(`a ring opened ${this.#nowMs - sinceMs} ms after ${unit} came to ${this.#nameOf(machine)}`);
    }
  }

  /** Nobody but the first has it before that was there for as long as canaries bake. */
  #canaries(record: RolloutRecord, machine: string, hash: string): void {
    const { release, base } = record;
    const rollout = this.#specs.get(release.commit)?.units.find(({ name }) => name === EVERYWHERE)?.rollout;
    if (rollout?.canary === undefined || base === null) return;
    if (this.#hashIn(base.commit, machine, EVERYWHERE) === hash) return;
    const others = [...this.#versions].filter(
      ([place, version]) =>
        place.endsWith(`/${EVERYWHERE}`) && !place.startsWith(machine) && this.#isNew(record, place, version),
    );
    // A machine that its engine takes for away waits for no canary, and is none.
    if (![machine, ...others.map(([place]) => place.split("/")[0]!)].every((one) => this.#wasPresent(one, this.#nowMs)))
      return;
    if (others.length === 0) return;
    this.judged.canaries += 1;
    const sinceMs = Math.min(...others.map(([, version]) => version.sinceMs));
    const bakedMs = this.#nowMs - sinceMs;
    if (bakedMs < (rollout.bakeMs ?? 0))
      this.#fail(`${EVERYWHERE} became another on ${this.#nameOf(machine)} ${bakedMs} ms after its canary`);
  }

  /** And for so long that every engine knew. */
  #wasPresent(machine: string, atMs: number): boolean {
    return (this.#presentSinceMs.get(machine) ?? Number.POSITIVE_INFINITY) + KNOWN_MS <= atMs;
  }

  #isNew(record: RolloutRecord, place: string, { hash }: Version): boolean {
    const [machine, unit] = place.split("/") as [string, string];
    return this.#hashBy(record, machine, unit) === hash;
  }

  #ringOf({ release }: RolloutRecord, id: string): number {
    const machine = this.#cluster.machines.find((one) => one.id === id);
    const rings = this.#specs.get(release.commit)?.rings ?? [];
    if (machine === undefined) return rings.length;
    // As `SimMachine` has its agent say.
    const zone = Number(machine.name.slice(1)) % 2 === 0 ? "b" : "a";
    return ringOf(rings, { id: machine.id, name: machine.name, metadata: { zone } });
  }

  #hashBy({ release }: RolloutRecord, machine: string, unit: string): string | null {
    return this.#hashIn(release.commit, machine, unit);
  }

  #hashIn(commit: CommitId, machine: string, unit: string): string | null {
    const key = `${commit}/${machine}/${unit}`;
    const known = this.#hashes.get(key);
    if (known !== undefined) return known;
    const spec = this.#specs.get(commit);
    const found = spec?.units.find(({ name }) => name === unit);
    if (spec === undefined) return null;
    const hash = found === undefined ? null : unitOnMachine(found, this.#nameOf(machine), spec, sha256).hash;
    this.#hashes.set(key, hash);
    return hash;
  }

  #startedBy(commit: CommitId | undefined, unit: string): string | null {
    const spec = commit === undefined ? undefined : this.#specs.get(commit);
    const text = spec?.units.find(({ name }) => name === unit)?.fragment.text;
    return text === undefined ? null : startedText(text);
  }

  #nameOf(machine: string): string {
    return this.#cluster.machines.find(({ id }) => id === (machine as MachineId))?.name ?? machine;
  }

  get #nowMs(): number {
    return this.#cluster.clock.monotonicMs();
  }
}
