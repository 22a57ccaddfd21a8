import type { RegistryKeys } from "../codec/registry-keys.ts";
import { snapshotFromEntries } from "../codec/snapshot-from-entries.ts";
import { decodeAdmission } from "../codec/token-record.ts";
import type { ClusterIdentity, Release } from "../domain/cluster/cluster-snapshot.ts";
import type { NodeKey } from "../domain/identity/node-key.ts";
import { listedMachines } from "../domain/join/listed-machines.ts";
import { machineKeys } from "../domain/join/machine-keys.ts";
import type { MachineId } from "../domain/names.ts";
import type { SpecMachine } from "../domain/spec/cluster-spec.ts";
import type { Clock } from "../ports/clock.ts";
import type { GitSource } from "../ports/git-source.ts";
import { type Log, warning } from "../ports/log.ts";
import type { Registry } from "../ports/registry.ts";
import { acceptRelease } from "../usecases/accept-release.ts";
import type { PartCompiler } from "../usecases/part-compiler.ts";
import type { TrustJudge } from "../usecases/trust-judge.ts";
import { RegistryMirror } from "./registry-mirror.ts";
import { Wakeup } from "./wakeup.ts";

/** How often a commit that could not be read is asked for again. */
const RETRY_MS = 2_000;
/** Nothing but the registry wakes it. */
const REST_MS = 60_000;

export interface RollPorts {
  readonly registry: Registry;
  readonly source: GitSource;
  readonly trust: Pick<TrustJudge, "judge">;
  readonly compilePart: PartCompiler;
  readonly clock: Clock;
  readonly log: Log;
}

/** What an engine knows of its cluster, whether it leads or not. */
export interface ClusterRoll {
  readonly identity: ClusterIdentity;
  /** Of the commit in force. */
  readonly machines: readonly SpecMachine[];
  /** Null: nothing is released yet. */
  readonly releaseSeq: number | null;
}

/**
 * Whose keys are whose: by the commit of the release in force, which this engine has found on its own branch and read, and by tokens for
 * machines of which git says nothing. What cannot be read changes nothing: the roll stays as it was.
 */
export class MachineRoll {
  readonly #keys: RegistryKeys;
  readonly #ports: RollPorts;
  readonly #changed: () => void;
  readonly #wakeup: Wakeup;
  readonly #mirror: RegistryMirror;
  #cluster: ClusterRoll | null = null;
  /** The commit that was read last, and what it lists. */
  #read: { readonly commit: Release["commit"]; readonly machines: readonly SpecMachine[] } | null = null;
  #nodeKeys: ReadonlyMap<NodeKey, MachineId> = new Map();
  readonly #known = Promise.withResolvers<void>();
  #said = "";

  /** `changed`: called after each change of the roll. */
  constructor(keys: RegistryKeys, ports: RollPorts, changed: () => void) {
    this.#keys = keys;
    this.#ports = ports;
    this.#changed = changed;
    this.#wakeup = new Wakeup(ports.clock);
    const prefixes = [keys.cluster, keys.release, keys.admissions];
    this.#mirror = new RegistryMirror(ports.registry, prefixes, ports.clock, this.#wakeup.wake);
  }

  /** Null until there is a cluster and it was read. */
  get cluster(): ClusterRoll | null {
    return this.#cluster;
  }

  /** Resolves once it is known who is listed, or that there is no cluster yet. */
  get known(): Promise<void> {
    return this.#known.promise;
  }

  /** Keys of agents, each with the machine it speaks for. */
  get nodeKeys(): ReadonlyMap<NodeKey, MachineId> {
    return this.#nodeKeys;
  }

  async run(signal: AbortSignal): Promise<void> {
    const following = this.#mirror.run(signal);
    let restMs = REST_MS;
    while (!signal.aborted) {
      await this.#wakeup.wait(restMs, signal);
      if (signal.aborted || !this.#mirror.complete) continue;
      const isKnown = await this.#look();
      if (isKnown) this.#known.resolve();
      restMs = isKnown ? REST_MS : RETRY_MS;
    }
    await following;
  }

  /** False: there is something to ask for again. */
  async #look(): Promise<boolean> {
    const entries = [...this.#mirror.entries()];
    const { snapshot } = snapshotFromEntries(this.#keys, entries, this.#mirror.revision);
    const { identity, release } = snapshot;
    // A registry without a cluster is a new one, or one that was wiped: neither takes a key from anybody.
    if (identity === null) return true;
    const machines = await this.#machinesOf(identity, release);
    const admitted = entries
      .filter(({ key }) => key.startsWith(this.#keys.admissions))
      .flatMap((entry) => decodeAdmission(this.#keys, entry) ?? []);
    this.#cluster = { identity, machines: machines ?? this.#cluster?.machines ?? [], releaseSeq: release?.seq ?? null };
    this.#nodeKeys = machineKeys(listedMachines(this.#cluster), admitted);
    this.#changed();
    return machines !== null;
  }

  /** Null where they cannot be read now. */
  async #machinesOf(identity: ClusterIdentity, release: Release | null): Promise<readonly SpecMachine[] | null> {
    // Nothing is released yet, or the release was lost and will be put back: that takes no key from anybody either.
    if (release === null) return this.#read?.machines ?? [];
    if (this.#read?.commit === release.commit) return this.#read.machines;
    const { compilePart, log } = this.#ports;
    const compile = (commit: Release["commit"]) => compilePart(commit, new Set());
    const verdict = await acceptRelease(release, identity, null, this.#ports, compile, this.#read?.commit ?? null);
    if (verdict.kind === "accept") {
      this.#read = { commit: release.commit, machines: verdict.spec.machines };
      this.#said = "";
      return this.#read.machines;
    }
    const { code, detail } = verdict.problem;
    const text = `keys of machines stay as they were: release ${release.seq}: ${code}: ${detail}`;
    if (this.#said !== text) log(warning(text));
    this.#said = text;
    return null;
  }
}
