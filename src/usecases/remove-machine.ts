import { decodeRecord } from "../codec/record.ts";
import type { RegistryKeys } from "../codec/registry-keys.ts";
import { ASSIGN_SHAPE, type AssignRecord } from "../codec/registry-records.ts";
import type { MachineId } from "../domain/names.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { Compare, Entry, Operation, Registry } from "../ports/registry.ts";

/** etcd takes 128 operations in a transaction; a few stay free. */
const KEYS_PER_TXN = 120;
/** An engine may write a header in between, once for every time we look: whoever meets more than that has another problem. */
const ATTEMPTS_MAX = 3;

/**
 * Takes a machine out of the cluster: its set, its statuses, the assignments that name it, at last its member record; from then on engines
 * place elsewhere what was there. Every transaction compares that nobody is present under its id: who is there is not removed under its hands.
 * An assignment that still names a machine without a record says that the record was lost, and not that somebody removed it.
 *
 * It may end anywhere. Until the member record is gone the machine is one that is away, and without the header of its set nobody reads
 * what is left of that as an order; the same again does the rest. A lost reply is harmless for the same reason.
 */
export async function removeMachine(registry: Registry, keys: RegistryKeys, machine: MachineId): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    if (await tryToRemove(registry, keys, machine)) return;
    const { entries } = await registry.list(keys.presence(machine), { exact: true });
    if (entries.length > 0) throw isPresent(machine);
  }
  throw new OperationError("machine-busy", "an engine keeps writing this machine's set", { next: "try again" });
}

/** False where somebody wrote meanwhile. */
async function tryToRemove(registry: Registry, keys: RegistryKeys, machine: MachineId): Promise<boolean> {
  const absent: Compare = { key: keys.presence(machine), target: "create", is: "=", value: 0 };
  const header = keys.set(machine);
  const { own, assigned } = await readWritten(registry, keys, machine);
  // The header first: a part of a set that still had one could be repaired to be the whole.
  const inOrder = [header, ...own.filter((key) => key !== header)];
  for (let start = 0; start < inOrder.length; start += KEYS_PER_TXN) {
    const then = inOrder.slice(start, start + KEYS_PER_TXN).map((key): Operation => ({ kind: "delete", key }));
    if (!(await registry.txn({ when: [absent], then })).succeeded) return false;
  }
  for (let start = 0; start < assigned.length; start += KEYS_PER_TXN) {
    const some = assigned.slice(start, start + KEYS_PER_TXN);
    // An engine may give one away at this very moment.
    const asRead = some.map(({ key, modRevision }): Compare => ({ key, target: "mod", is: "=", value: modRevision }));
    const then = some.map(({ key }): Operation => ({ kind: "delete", key }));
    if (!(await registry.txn({ when: [absent, ...asRead], then })).succeeded) return false;
  }
  const noHeader: Compare = { key: header, target: "create", is: "=", value: 0 };
  // With its membership goes what a token let it in by: from then on only git's word counts.
  const last = [keys.member(machine), keys.admitted(machine)].map((key): Operation => ({ kind: "delete", key }));
  return (await registry.txn({ when: [absent, noHeader], then: last })).succeeded;
}

/** Said before anything is written and also where it came back meanwhile. */
export function isPresent(machine: string): OperationError {
  return new OperationError("machine-present", `${machine} is present: its agent would only join again`, {
    next: "drain it in the commit (drain: true) and apply; once its units have moved: fleet leave, on that machine",
  });
}

interface Written {
  readonly own: readonly string[];
  readonly assigned: readonly Entry[];
}

/** Everything that agents and engines have written of it, its member record aside. */
async function readWritten(registry: Registry, keys: RegistryKeys, machine: MachineId): Promise<Written> {
  const prefixes = [
    ...[`${keys.set(machine)}/`, keys.statuses(machine), keys.claims(machine), keys.kept(machine)],
    `${keys.root}assign/`,
  ];
  const { listings } = await registry.txn({
    when: [],
    then: prefixes.map((prefix): Operation => ({ kind: "list", prefix })),
  });
  const isAssignedToIt = ({ value }: Entry) => {
    const decoded = decodeRecord<AssignRecord>(value, ASSIGN_SHAPE);
    return decoded.kind === "record" && decoded.record.machine === machine;
  };
  return {
    own: listings.slice(0, -1).flatMap((entries) => entries.map(({ key }) => key)),
    assigned: listings.at(-1)?.filter(isAssignedToIt) ?? [],
  };
}
