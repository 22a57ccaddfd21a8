import { encodeRecord } from "../codec/record.ts";
import type { RegistryKeys } from "../codec/registry-keys.ts";
import type { MachineId } from "../domain/names.ts";
import type { SetWrite, TouchedMachine, UnitWrite } from "../domain/placement/plan-set-writes.ts";
import type { RandomId } from "../ports/clock.ts";
import type { Compare, Operation, Registry } from "../ports/registry.ts";

/** What every write of an engine compares: it still leads, and the release it decided for is still the one in force. */
export interface EngineFence {
  /** Holds exactly as long as this engine leads: `isLedBy`. */
  readonly leader: Compare;
  readonly releaseModRevision: number;
}

/**
 * Writes them one after another. Returns the revision of the last one that was applied, and whether all were: false means
 * somebody newer was there first, and the engine must look again. A lost reply rejects; the next look at the registry tells.
 * `at`: RFC 3339, by the writer's clock, for people who ask since when a unit is where it is.
 */
export async function writeSets(
  registry: Registry,
  keys: RegistryKeys,
  fence: EngineFence,
  writes: readonly SetWrite[],
  newOperation: RandomId,
  at: string,
): Promise<{ readonly revision: number; readonly complete: boolean }> {
  const headerRevisions = new Map<MachineId, number>();
  let revision = 0;
  for (const write of writes) {
    const operation = newOperation();
    const result = await registry.txn({
      when: [
        fence.leader,
        { key: keys.release, target: "mod", is: "=", value: fence.releaseModRevision },
        ...write.machines.flatMap((touched) => machineCompares(keys, touched, headerRevisions)),
        ...write.changes.flatMap((change) => assignmentCompares(keys, change)),
      ],
      then: [
        ...write.changes.flatMap((change) => unitOperations(keys, change, at)),
        ...write.machines.flatMap(({ machine, header }): Operation[] =>
          header === null
            ? []
            : [{ kind: "put", key: keys.set(machine), value: encodeRecord({ ...header, op: operation, at }) }],
        ),
      ],
    });
    if (!result.succeeded) return { revision, complete: false };
    revision = result.revision;
    for (const { machine, header } of write.machines) if (header !== null) headerRevisions.set(machine, revision);
  }
  return { revision, complete: true };
}

function machineCompares(
  keys: RegistryKeys,
  touched: TouchedMachine,
  written: ReadonlyMap<MachineId, number>,
): Compare[] {
  const headerModRevision = written.get(touched.machine) ?? touched.headerModRevision;
  return [
    { key: keys.set(touched.machine), target: "mod", is: "=", value: headerModRevision },
    { key: keys.presence(touched.machine), target: "create", is: "=", value: touched.presenceRevision },
  ];
}

function assignmentCompares(keys: RegistryKeys, change: UnitWrite): Compare[] {
  if (change.assignModRevision === null) return [];
  return [{ key: keys.assign(change.unit), target: "mod", is: "=", value: change.assignModRevision }];
}

function unitOperations(keys: RegistryKeys, change: UnitWrite, at: string): Operation[] {
  const operations: Operation[] = [];
  if (change.from !== null) operations.push({ kind: "delete", key: keys.placement(change.from, change.unit) });
  if (change.to !== null) {
    const { machine, hash, goal, reason, since } = change.to;
    operations.push({ kind: "put", key: keys.placement(machine, change.unit), value: encodeRecord({ hash, goal }) });
    if (change.assignModRevision !== null) {
      operations.push({
        kind: "put",
        key: keys.assign(change.unit),
        value: encodeRecord({ machine, hash, goal, reason, at: since ?? at }),
      });
    }
  } else if (change.assignModRevision !== null && change.assignModRevision > 0) {
    operations.push({ kind: "delete", key: keys.assign(change.unit) });
  }
  return operations;
}
