import type { Member } from "../cluster/cluster-snapshot.ts";
import { emptySnapshot } from "../cluster/empty-snapshot.ts";
import type { Machine } from "../cluster/machine.ts";
import { machinesOf } from "../cluster/machines-of.ts";
import { type MachineId, parseMachineId, type Sha256 } from "../names.ts";
import { diffPlacements } from "../plan/diff-placements.ts";
import { knownFiles } from "../plan/known-files.ts";
import type { Change } from "../plan/plan.ts";
import type { ClusterSpec } from "../spec/cluster-spec.ts";
import { type MassStop, massStop } from "./mass-stop.ts";
import { type StandaloneSet, standaloneSet } from "./standalone-set.ts";

/** A machine as somebody describes it who does not stand on it. */
export interface DescribedMachine {
  /** A name, or a full machine id. */
  readonly nameOrId: string;
  /** Its own; what git says of it comes on top. */
  readonly metadata: Readonly<Record<string, string>>;
}

export interface MachinePreview {
  readonly machine: Machine;
  readonly set: StandaloneSet;
  /** From what the other commit gives it to what this one does; worst effect first. */
  readonly changes: readonly Change[];
  /** What would not be carried out unless the commit's message allows it. */
  readonly massStop: MassStop | null;
}

/** Nobody's: it matches no `MachineID=` but by name. */
const UNKNOWN_ID = "0".repeat(32) as MachineId;

/**
 * What a standalone machine runs of a commit, and what changes there from another one (null: it runs nothing yet), by git and the
 * description alone. The machine itself decides from what it really has.
 */
export function previewMachine(
  spec: ClusterSpec,
  base: ClusterSpec | null,
  described: DescribedMachine,
  sha256: Sha256,
): MachinePreview {
  const machine = machineIn(spec, described);
  const before = base === null ? [] : standaloneSet(base, machineIn(base, described), [], sha256).placements;
  const set = standaloneSet(spec, machine, before, sha256);
  const sides = new Map(before.map(({ unit, hash, goal }) => [unit, [{ machine: machine.id, hash, goal }]] as const));
  const specs = base === null ? [spec] : [spec, base];
  const files = knownFiles(specs, new Map([[machine.id, machine.name]]), sha256);
  const after = set.placements.map((placement) => ({ ...placement, machine: machine.id }));
  return {
    machine,
    set,
    changes: diffPlacements(sides, after, spec, files, new Map()),
    massStop: massStop(before, set.placements),
  };
}

function machineIn(spec: ClusterSpec, { nameOrId, metadata }: DescribedMachine): Machine {
  const id = parseMachineId(nameOrId);
  const stanza = spec.machines.find(
    ({ match, key, id: listed }) => match === null && (key === nameOrId || (id !== null && listed === id)),
  );
  const member: Member = {
    id: id ?? stanza?.id ?? UNKNOWN_ID,
    name: stanza?.key ?? nameOrId,
    address: "",
    metadata,
    bootId: "",
    version: "",
    joined: "",
    acceptedSeq: 0,
    present: true,
    presenceRevision: 1,
  };
  return machinesOf(spec, { ...emptySnapshot, members: [member] }, new Set())[0]!;
}
