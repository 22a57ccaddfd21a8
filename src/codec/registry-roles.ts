import { APPLY_LOCK, REBOOT_LOCK } from "../domain/locks/lock.ts";
import type { MachineId } from "../domain/names.ts";
import type { RegistryKeys } from "./registry-keys.ts";

/**
 * Who comes to a registry with credentials of its own. `agent`: of a machine that dials etcd itself; agents that go through engines need
 * none. `restorer`: `fleet registry adopt` and `import`, which write what otherwise engine and driver do.
 */
export const REGISTRY_ROLES = ["engine", "driver", "operator", "reader", "restorer", "agent"] as const;
export type RegistryRole = (typeof REGISTRY_ROLES)[number];

/** One key, or all that begin with it: what etcd's permissions can say. */
export interface KeySpan {
  readonly key: string;
  readonly reach: "key" | "prefix";
}

export interface RegistryGrant extends KeySpan {
  readonly access: "read" | "write";
  /** For people: what needs it. */
  readonly why: string;
}

const READ_ALL = "plans, placements, statuses: whoever decides or looks reads the whole cluster at one revision";

/**
 * What a role may do, and nothing else: the one table that `fleet registry roles` prints and tests hold the daemons to. Reading is needed as
 * well for what a transaction compares. Writing includes deleting: etcd does not tell them apart.
 */
export function roleGrants(keys: RegistryKeys, role: Exclude<RegistryRole, "agent">): RegistryGrant[] {
  return GRANTS[role](keys);
}

/** Of one machine's agent. Names of keys are its limits: etcd cannot see who else's record a shared key holds. */
export function agentGrants(keys: RegistryKeys, machine: MachineId): RegistryGrant[] {
  return [
    read(under(keys.cluster), "whose cluster it is"),
    read(under(keys.release), "the release in force; as a prefix, as it is watched, which shows earlier ones, too"),
    read(one(keys.term), "doctor: whether the registry went back"),
    read(under(keys.set(machine)), "what it is to run"),
    read(under(keys.rollouts), "how far releases have come"),
    read(under(keys.holds), "what is held"),
    read(one(keys.grant(machine)), "that it may restart"),
    read(one(keys.lockHeader(REBOOT_LOCK)), "who waits to restart"),
    read(under(`${keys.lockHeader(REBOOT_LOCK)}/`), "who restarts"),
    ...ownSpans(keys, machine).map((span) => read(span, "its own records")),
    ...ownSpans(keys, machine).map((span) => write(span, "its own records")),
    read(under(keys.services), "where units are found"),
    write(under(keys.services), "where its units are found: one tree of names for all of them"),
    write(one(keys.lockHeader(REBOOT_LOCK)), "the line of those who want to restart: one key for all of them"),
    write(one(keys.lock(REBOOT_LOCK, machine)), "its own slot to restart"),
  ];
}

/** Whether these grants allow that access to all of a span, as etcd judges it. */
export function isGranted(grants: readonly RegistryGrant[], access: "read" | "write", span: KeySpan): boolean {
  return grants.some((grant) => grant.access === access && covers(grant, span));
}

function covers(outer: KeySpan, inner: KeySpan): boolean {
  if (outer.reach === "key") return inner.reach === "key" && inner.key === outer.key;
  return inner.key.startsWith(outer.key);
}

/** What a machine says of itself. */
const OF_A_MACHINE = ["members/", "status/", "claims/", "kept/"] as const;
const REMOVED_WITH_A_MACHINE = [...OF_A_MACHINE, "placements/", "assign/", "admitted/"] as const;

const GRANTS: Readonly<Record<Exclude<RegistryRole, "agent">, (keys: RegistryKeys) => RegistryGrant[]>> = {
  engine: (keys) => [
    read(under(keys.root), READ_ALL),
    write(under(`${keys.root}engine/`), "who leads, its term, its report"),
    write(under(`${keys.root}assign/`), "which machine has a unit"),
    write(under(`${keys.root}placements/`), "each machine's set, in one transaction with the assignments"),
    write(under(keys.rollouts), "how far each release has come"),
    write(under(`${keys.root}rollout-orders/`), "orders of rollouts that are forgotten go with them"),
    write(under(keys.locks), "slots whose holders are gone end"),
    write(under(keys.grants), "which machine may restart now"),
    write(under(keys.tokens), "a token that lets a machine in is used up by it"),
    write(one(keys.syncNow), "a look at the branch that was asked for is done"),
    write(under(keys.admissions), "which machines tokens let in"),
    ...OF_A_MACHINE.map((prefix) => write(under(`${keys.root}${prefix}`), "fleet leave, for the machine that asks")),
  ],
  driver: (keys) => [
    read(under(keys.root), READ_ALL),
    write(one(keys.cluster), "the first apply makes the cluster"),
    write(one(keys.release), "the release in force"),
    write(under(`${keys.root}releases/`), "the history of releases"),
    write(under(`${keys.root}specs/`), "the index of a commit's units"),
    write(under(`${keys.root}plans/`), "the plan of each release"),
    write(one(keys.lockHeader(APPLY_LOCK)), "one apply at a time"),
    write(under(`${keys.lockHeader(APPLY_LOCK)}/`), "one apply at a time"),
  ],
  operator: (keys) => [
    read(under(keys.root), READ_ALL),
    write(under(keys.holds), "fleet hold, fleet unhold"),
    write(under(keys.locks), "fleet locks"),
    write(under(`${keys.root}rollout-orders/`), "fleet rollout pause, resume, abort"),
    write(under(keys.tokens), "fleet token"),
    write(one(keys.syncNow), "fleet sync now"),
    ...REMOVED_WITH_A_MACHINE.map((prefix) => write(under(`${keys.root}${prefix}`), "fleet machine remove")),
  ],
  reader: (keys) => [read(under(keys.root), "fleet plan, status, show, list-units, why, registry export")],
  restorer: (keys) => [
    read(under(keys.root), READ_ALL),
    write(under(keys.root), "fleet registry adopt and import put back all there is"),
  ],
};

/** What the agent alone writes. Prefixes where it watches them as such; a machine's id has one length, so no other's begins with it. */
function ownSpans(keys: RegistryKeys, machine: MachineId): KeySpan[] {
  return [
    under(keys.member(machine)),
    under(keys.presence(machine)),
    under(keys.kept(machine)),
    under(keys.claims(machine)),
    under(keys.statuses(machine)),
  ];
}

function one(key: string): KeySpan {
  return { key, reach: "key" };
}

function under(key: string): KeySpan {
  return { key, reach: "prefix" };
}

function read(span: KeySpan, why: string): RegistryGrant {
  return { ...span, access: "read", why };
}

function write(span: KeySpan, why: string): RegistryGrant {
  return { ...span, access: "write", why };
}
