import type { MachineId, Sha256 } from "../domain/names.ts";
import type { Change, Plan, Side } from "../domain/plan/plan.ts";
import type { ClusterSpec } from "../domain/spec/cluster-spec.ts";
import { unitOnMachine } from "../domain/spec/unit-on-machine.ts";

/** What one change does to one file of a unit; null where the file is not there on that side. */
export interface FileChange {
  readonly unit: string;
  readonly path: string;
  readonly before: string | null;
  readonly after: string | null;
}

/**
 * The files behind a plan's changes, as they are on the machine: after templates, drop-ins and the machine's own. `released` is the
 * release's commit compiled, or null where this repository does not have it: then nothing is known of before.
 */
export function diffPlan(plan: Plan, spec: ClusterSpec, released: ClusterSpec | null, sha256: Sha256): FileChange[] {
  const names = new Map(plan.machines.map((machine) => [machine.id, machine.name]));
  const seen = new Set<string>();
  return plan.changes
    .flatMap((change) => fileChanges(change, names, spec, released, sha256))
    .filter((file) => {
      const key = JSON.stringify(file);
      return file.before !== file.after && !seen.has(key) && seen.add(key);
    });
}

function fileChanges(
  change: Change,
  names: ReadonlyMap<MachineId, string>,
  spec: ClusterSpec,
  released: ClusterSpec | null,
  sha256: Sha256,
): FileChange[] {
  const before = filesOf(change, change.from, names, released, sha256);
  const after = filesOf(change, change.to, names, spec, sha256);
  const paths = [...new Set([...before.keys(), ...after.keys()])].sort();
  return paths.map((path) => ({
    unit: change.unit,
    path,
    before: before.get(path) ?? null,
    after: after.get(path) ?? null,
  }));
}

function filesOf(
  { unit }: Change,
  side: Side | null,
  names: ReadonlyMap<MachineId, string>,
  spec: ClusterSpec | null,
  sha256: Sha256,
): ReadonlyMap<string, string> {
  const found = side === null ? undefined : spec?.units.find((other) => other.name === unit);
  if (side === null || spec === null || found === undefined) return new Map();
  const { files } = unitOnMachine(found, names.get(side.machine) ?? null, spec, sha256);
  return new Map(files.map((file) => [file.path, file.text]));
}
