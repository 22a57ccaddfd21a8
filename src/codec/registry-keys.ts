import type { MachineId, UnitName } from "../domain/names.ts";

/** Everything of one cluster stands under `/fleet/<cluster>/`; each prefix below has exactly one writer (docs: ARCHITECTURE). */
export const REGISTRY_ROOT = "/fleet/";

/** The keys of one cluster. The whole layout is in this file and nowhere else. */
export interface RegistryKeys {
  readonly root: string;
  /** Written by the first apply, create-only. */
  readonly cluster: string;
  /** Written by whoever drives releases. */
  readonly release: string;
  releaseAt(seq: number): string;
  specChunk(specHash: string, chunk: number): string;
  planChunk(planId: string, chunk: number): string;
  /** Written by engines. */
  readonly leader: string;
  readonly term: string;
  assign(unit: UnitName): string;
  set(machine: MachineId): string;
  placement(machine: MachineId, unit: UnitName): string;
  readonly report: string;
  /** What the next leader is to know of losses; there only while there is something. */
  readonly losses: string;
  /** What somebody was told of (`notify:`); see `encodeNotified`. */
  readonly notified: string;
  /** How far each release has come; a `RolloutRecord`. */
  rollout(seq: number): string;
  readonly rollouts: string;
  /** There only while an import is under way. */
  readonly importing: string;
  /** Written by that machine's agent. */
  member(machine: MachineId): string;
  presence(machine: MachineId): string;
  /** Written by an agent that found another boot present under its machine's id; leased. */
  claim(machine: MachineId, bootId: string): string;
  claims(machine: MachineId): string;
  status(machine: MachineId, unit: UnitName): string;
  statuses(machine: MachineId): string;
  /** Where units are found, as SkyDNS lays it down; leased, each by the agent of the machine it names. */
  readonly services: string;
  /** There only while that agent cannot go by what the registry shows. */
  kept(machine: MachineId): string;
  /** Written by people; see `holdKey`. */
  readonly holds: string;
  /** Written by people, taken away by the engine that lets a machine in with it; by the hash of its text, leased. */
  token(hash: string): string;
  readonly tokens: string;
  /** Written by engines: the key of a machine that a token let in. Goes with `machine remove`. */
  admitted(machine: MachineId): string;
  readonly admissions: string;
  /** Written by people: what a rollout is told; a `RolloutOrder`. */
  rolloutOrder(seq: number): string;
  /** Written by people, taken away by the engine that has looked: that the branch is to be looked at now. */
  readonly syncNow: string;
  /** Written by engines: what came of the last such look. */
  readonly syncAnswer: string;
  /** Written by whoever holds a slot of that lock. */
  lock(name: string, holder: string): string;
  /** Who waits for it; compared and rewritten by every change of a lock. */
  lockHeader(name: string): string;
  readonly locks: string;
  /** Written by engines: that a machine may restart now. */
  grant(machine: MachineId): string;
  readonly grants: string;
}

/** Pads numbers in keys so that byte order is number order; 8 digits outlive any release history. */
function padded(value: number): string {
  return String(value).padStart(8, "0");
}

export function registryKeys(cluster: string): RegistryKeys {
  const root = `${REGISTRY_ROOT}${cluster}/`;
  return {
    root,
    cluster: `${root}cluster`,
    release: `${root}release`,
    releaseAt: (seq) => `${root}releases/${padded(seq)}`,
    specChunk: (specHash, chunk) => `${root}specs/${specHash}/${padded(chunk)}`,
    planChunk: (planId, chunk) => `${root}plans/${planId}/${padded(chunk)}`,
    leader: `${root}engine/leader`,
    term: `${root}engine/term`,
    report: `${root}engine/report`,
    losses: `${root}engine/losses`,
    notified: `${root}engine/notified`,
    rollout: (seq) => `${root}rollout/${padded(seq)}`,
    rollouts: `${root}rollout/`,
    importing: `${root}importing`,
    assign: (unit) => `${root}assign/${unit}`,
    set: (machine) => `${root}placements/${machine}`,
    placement: (machine, unit) => `${root}placements/${machine}/${unit}`,
    member: (machine) => `${root}members/${machine}`,
    presence: (machine) => `${root}presence/${machine}`,
    claim: (machine, bootId) => `${root}claims/${machine}/${bootId}`,
    claims: (machine) => `${root}claims/${machine}/`,
    status: (machine, unit) => `${root}status/${machine}/${unit}`,
    statuses: (machine) => `${root}status/${machine}/`,
    services: `${root}services/`,
    kept: (machine) => `${root}kept/${machine}`,
    holds: `${root}holds/`,
    token: (hash) => `${root}tokens/${hash}`,
    tokens: `${root}tokens/`,
    admitted: (machine) => `${root}admitted/${machine}`,
    admissions: `${root}admitted/`,
    rolloutOrder: (seq) => `${root}rollout-orders/${padded(seq)}`,
    syncNow: `${root}sync/now`,
    syncAnswer: `${root}engine/sync`,
    lock: (name, holder) => `${root}locks/${name}/${holder}`,
    lockHeader: (name) => `${root}locks/${name}`,
    locks: `${root}locks/`,
    grant: (machine) => `${root}grants/${machine}`,
    grants: `${root}grants/`,
  };
}
