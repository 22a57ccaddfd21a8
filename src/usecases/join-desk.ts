import { decodeRecord } from "../codec/record.ts";
import type { RegistryKeys } from "../codec/registry-keys.ts";
import { MEMBER_SHAPE, type MemberRecord } from "../codec/registry-records.ts";
import type { ClusterIdentity } from "../domain/cluster/cluster-snapshot.ts";
import { listedEngineKeys } from "../domain/hub/listed-engine-keys.ts";
import type { NodeKey } from "../domain/identity/node-key.ts";
import { AttemptLimit } from "../domain/join/attempt-limit.ts";
import type { EnrolAnswer, EnrolRequest, HelloAnswer, HelloRequest, LeaveAnswer } from "../domain/join/join-talk.ts";
import { listedMachines } from "../domain/join/listed-machines.ts";
import type { MachineId, Sha256 } from "../domain/names.ts";
import type { SpecMachine } from "../domain/spec/cluster-spec.ts";
import type { Clock, RandomId } from "../ports/clock.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { Registry } from "../ports/registry.ts";
import { admitByToken, standingOf } from "./admit-by-token.ts";
import { removeMachine } from "./remove-machine.ts";

/** Who asks: id and key as its connection proved them. */
export interface DeskCaller {
  readonly machine: MachineId;
  readonly key: NodeKey;
  /** What refused attempts are counted by. */
  readonly address: string;
}

/** What an engine knows of its cluster at this moment. */
export interface DeskCluster {
  readonly identity: ClusterIdentity;
  /** Of the commit in force. */
  readonly machines: readonly SpecMachine[];
  /** Null: nothing is released yet. */
  readonly releaseSeq: number | null;
}

export interface DeskPorts {
  readonly registry: Registry;
  readonly keys: RegistryKeys;
  readonly clock: Clock;
  readonly newId: RandomId;
  readonly sha256: Sha256;
  /** fleet's own. */
  readonly version: string;
  /** Null while this engine has not read its cluster. */
  readonly cluster: () => DeskCluster | null;
}

/** What an engine answers machines that join and leave. One for as long as the engine runs: it counts refused attempts. */
export class JoinDesk {
  readonly #ports: DeskPorts;
  readonly #attempts = new AttemptLimit();

  constructor(ports: DeskPorts) {
    this.#ports = ports;
  }

  /** Also to whom nobody knows. What it says of a machine it says to whoever holds a key, and names machines only where the caller stands in their place. */
  async hello(caller: DeskCaller, request: HelloRequest): Promise<HelloAnswer> {
    const { registry, keys, version } = this.#ports;
    const { identity, machines, releaseSeq } = this.#cluster();
    const standing = await standingOf(
      { ...caller, ...request },
      { registry, keys, listed: listedMachines({ machines }) },
    );
    const isIn = standing.code === "listed" || standing.code === "admitted";
    return {
      clusterId: identity.id,
      cluster: identity.name,
      source: identity.source,
      branch: identity.branch,
      manifest: identity.manifest,
      version,
      engineKeys: [...listedEngineKeys(machines).keys()],
      standing,
      acceptedSeq: isIn ? await this.#acceptedSeq(caller.machine) : null,
      releaseSeq,
    };
  }

  async enrol(caller: DeskCaller, { token, ...request }: EnrolRequest): Promise<EnrolAnswer> {
    const { identity, machines } = this.#cluster();
    const world = {
      ...this.#ports,
      clusterId: identity.id,
      listed: listedMachines({ machines }),
      attempts: this.#attempts,
    };
    return admitByToken(token, { ...caller, ...request }, caller.address, world);
  }

  /** Of a machine that was accepted, and of no other: it may take itself out once its agent has stopped. */
  async leave(machine: MachineId): Promise<LeaveAnswer> {
    await removeMachine(this.#ports.registry, this.#ports.keys, machine);
    return { result: "removed" };
  }

  #cluster(): DeskCluster {
    const cluster = this.#ports.cluster();
    if (cluster !== null) return cluster;
    throw new OperationError("engine-not-ready", "this engine has not read its cluster yet", {
      next: "apply a commit first (fleet apply), or try again",
    });
  }

  async #acceptedSeq(machine: MachineId): Promise<number | null> {
    const { registry, keys } = this.#ports;
    const [entry] = (await registry.list(keys.member(machine), { exact: true })).entries;
    const decoded = entry === undefined ? null : decodeRecord<MemberRecord>(entry.value, MEMBER_SHAPE);
    // An agent that has taken none says 0.
    return decoded?.kind === "record" && decoded.record.acceptedSeq > 0 ? decoded.record.acceptedSeq : null;
  }
}
