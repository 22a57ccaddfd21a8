import type { NodeKey } from "../identity/node-key.ts";
import { compareText, type MachineId } from "../names.ts";
import type { SpecMachine } from "../spec/cluster-spec.ts";

/** The engines a commit lists, each with the machine it runs on; sorted by key. */
export function listedEngineKeys(
  machines: readonly Pick<SpecMachine, "id" | "engineKey">[],
): ReadonlyMap<NodeKey, MachineId> {
  const listed = machines.flatMap(({ id, engineKey }) =>
    id === null || engineKey === undefined ? [] : [[engineKey, id] as const],
  );
  return new Map(listed.sort(([a], [b]) => compareText(a, b)));
}
