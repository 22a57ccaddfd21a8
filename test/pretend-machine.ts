import { encodeRecord } from "../src/codec/record.ts";
import type { RegistryKeys } from "../src/codec/registry-keys.ts";
import type { MemberRecord, PresenceRecord } from "../src/codec/registry-records.ts";
import type { Resources } from "../src/domain/cluster/resources.ts";
import type { MachineId, UnitName } from "../src/domain/names.ts";
import type { Registry } from "../src/ports/registry.ts";

/** The id of a machine of that name, the same on every run: its name in hexadecimal digits, filled up with zeros. */
export function pretendId(name: string): MachineId {
  return Buffer.from(name).toString("hex").padEnd(32, "0") as MachineId;
}

/** What an agent writes when it joins, by nobody: there is a machine in the records, and no process. */
export async function joinMachine(
  registry: Registry,
  keys: RegistryKeys,
  name: string,
  metadata: Readonly<Record<string, string>>,
  {
    foreign = [],
    capacity = null,
    acceptedSeq = 0,
  }: {
    readonly foreign?: readonly string[];
    readonly capacity?: Resources | null;
    readonly acceptedSeq?: number;
  } = {},
): Promise<void> {
  const id = pretendId(name);
  const member: MemberRecord = {
    name,
    address: "192.0.2.1",
    metadata,
    bootId: "boot",
    version: "0.1.0",
    joined: "2026-01-01T00:00:00.000Z",
    acceptedSeq,
    ...(foreign.length === 0 ? {} : { foreign: foreign as UnitName[] }),
    ...(capacity === null ? {} : { capacity }),
  };
  const presence: PresenceRecord = { bootId: "boot", op: `presence of ${name}` };
  await registry.txn({
    when: [],
    then: [
      { kind: "put", key: keys.member(id), value: encodeRecord(member) },
      { kind: "put", key: keys.presence(id), value: encodeRecord(presence) },
    ],
  });
}

/** What the registry does once such a machine's lease has ended. */
export async function leaveMachine(registry: Registry, keys: RegistryKeys, name: string): Promise<void> {
  await registry.txn({ when: [], then: [{ kind: "delete", key: keys.presence(pretendId(name)) }] });
}
