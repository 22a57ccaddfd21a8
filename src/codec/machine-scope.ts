import { REBOOT_LOCK } from "../domain/locks/lock.ts";
import type { MachineId } from "../domain/names.ts";
import { parseUnitName } from "../domain/unit/unit-name.ts";
import type { LeaseId, Operation, Txn } from "../ports/registry.ts";
import { agentPrefixes } from "./agent-prefixes.ts";
import type { RegistryKeys } from "./registry-keys.ts";
import { isServiceOf } from "./service-record.ts";

/** What somebody who comes through an engine may do in the registry. Denied is whatever is not said here. */
export interface RegistryScope {
  /** All that begins with it, or with `exact` that key alone: by lists and watches, and by comparisons, which tell what they compare. */
  mayRead(prefix: string, exact: boolean): boolean;
  /** The first thing of it that is not allowed, for people, as in "write /fleet/prod/release"; null: all of it is. */
  forbiddenIn(txn: Txn): string | null;
  /** Of a key that hangs on a lease: whether that is this one's lease, as far as this key says. */
  isOwnLeased(key: string): boolean;
}

/**
 * Of one machine: its agent, its reboot guard, and `fleet doctor` there. It reads what the agent follows (`agentPrefixes`), of placements, statuses and members its
 * own alone, and writes what it alone has to say. Its word that it is there hangs on a lease, or it would be there for ever; everything
 * else it says outlives its leases.
 */
export function machineScope(keys: RegistryKeys, machine: MachineId): RegistryScope {
  const spans = readable(keys, machine);
  const reads = (prefix: string, exact: boolean) => spans.some((span) => covers(span, prefix, exact));
  const writes = writable(keys, machine);
  const lock = new LockRules(keys, machine);
  return {
    mayRead: reads,
    isOwnLeased: (key) => leased(keys, machine, key),
    forbiddenIn: (txn) => {
      const compared = txn.when.find(({ key }) => !reads(key, true));
      if (compared !== undefined) return `compare ${compared.key}`;
      const mayChange = lock.allowedBy(txn);
      for (const operation of txn.then) {
        if (!mayDo(operation, reads, writes) && !mayChange(operation)) return textOf(operation);
      }
      const other = txn.otherwise?.find((operation) => !mayDo(operation, reads, writes));
      return other === undefined ? null : textOf(other);
    },
  };
}

interface Span {
  readonly key: string;
  readonly reach: "key" | "prefix";
}

/** Watched as prefixes, as the agent does; no machine's id begins with another's. */
function readable(keys: RegistryKeys, machine: MachineId): readonly Span[] {
  const under = [
    ...agentPrefixes(keys, machine),
    keys.statuses(machine),
    keys.services,
    `${keys.lockHeader(REBOOT_LOCK)}/`,
  ];
  // The term tells a doctor whether the registry went back.
  const alone = [keys.lockHeader(REBOOT_LOCK), keys.grant(machine), keys.term];
  return [
    ...under.map((key): Span => ({ key, reach: "prefix" })),
    ...alone.map((key): Span => ({ key, reach: "key" })),
  ];
}

function covers({ key, reach }: Span, prefix: string, exact: boolean): boolean {
  return reach === "prefix" ? prefix.startsWith(key) : exact && prefix === key;
}

/** What may be put under a key, and whether it may be deleted. */
interface Writes {
  readonly put: "leased" | "lasting" | null;
  readonly delete: boolean;
}

const NOTHING: Writes = { put: null, delete: false };

function writable(keys: RegistryKeys, machine: MachineId): (key: string) => Writes {
  const statuses = keys.statuses(machine);
  return (key) => {
    if (key === keys.member(machine)) return { put: "lasting", delete: false };
    if (key === keys.kept(machine)) return { put: "lasting", delete: true };
    if (leased(keys, machine, key)) return { put: "leased", delete: isServiceOf(keys, machine, key) };
    const unit = key.startsWith(statuses) ? key.slice(statuses.length) : null;
    return unit !== null && parseUnitName(unit) !== null ? { put: "lasting", delete: true } : NOTHING;
  };
}

/** Its presence, and the claim it makes to an id that another has as well. */
function leased(keys: RegistryKeys, machine: MachineId, key: string): boolean {
  const claims = keys.claims(machine);
  return (
    key === keys.presence(machine) ||
    isServiceOf(keys, machine, key) ||
    (key.startsWith(claims) && BOOT_ID.test(key.slice(claims.length)))
  );
}

const BOOT_ID = /^[A-Za-z0-9-]{1,64}$/;

function mayDo(
  operation: Operation,
  reads: (prefix: string, exact: boolean) => boolean,
  writes: (key: string) => Writes,
): boolean {
  switch (operation.kind) {
    case "list":
      return reads(operation.prefix, operation.exact === true);
    case "put":
      return writes(operation.key).put === (isLeased(operation.lease) ? "leased" : "lasting");
    case "delete":
      return writes(operation.key).delete;
    case "delete-prefix":
      return false;
  }
}

function isLeased(lease: LeaseId | undefined): boolean {
  return lease !== undefined;
}

/**
 * The line of those who want to restart is one key for all of them. So it is changed only by who compares it as read and writes it in the
 * same transaction, as `writeLock` does; whoever takes a slot may end others' there, because it has seen them lapse. A machine that lies
 * gains nothing by it: it restarts only with an engine's grant for its own slot, and grants are no key of its.
 */
class LockRules {
  readonly #header: string;
  readonly #own: string;

  constructor(keys: RegistryKeys, machine: MachineId) {
    this.#header = keys.lockHeader(REBOOT_LOCK);
    this.#own = keys.lock(REBOOT_LOCK, machine);
  }

  allowedBy({ when, then }: Txn): (operation: Operation) => boolean {
    const isPut = (key: string) => then.some((one) => one.kind === "put" && one.key === key && !isLeased(one.lease));
    const isCompared = when.some(({ key, target, is }) => key === this.#header && target === "mod" && is === "=");
    if (!isCompared || !isPut(this.#header)) return () => false;
    const takes = isPut(this.#own);
    return (operation) => {
      if (operation.kind === "put") {
        return !isLeased(operation.lease) && (operation.key === this.#header || operation.key === this.#own);
      }
      if (operation.kind !== "delete") return false;
      return operation.key === this.#own || (takes && this.#isSlot(operation.key));
    };
  }

  #isSlot(key: string): boolean {
    return key.startsWith(`${this.#header}/`) && !key.slice(this.#header.length + 1).includes("/");
  }
}

function textOf(operation: Operation): string {
  switch (operation.kind) {
    case "list":
      return `read ${operation.prefix}`;
    case "put":
      return `write ${operation.key}${isLeased(operation.lease) ? " under a lease" : ""}`;
    case "delete":
      return `delete ${operation.key}`;
    case "delete-prefix":
      return `delete everything under ${operation.prefix}`;
  }
}
