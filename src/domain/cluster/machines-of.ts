import { compareText, type MachineId } from "../names.ts";
import type { ClusterSpec, SpecMachine } from "../spec/cluster-spec.ts";
import type { ClusterSnapshot, Member } from "./cluster-snapshot.ts";
import type { Machine } from "./machine.ts";
import { matchesSelector } from "./selector.ts";

/**
 * The members of the cluster as the commit sees them; sorted by name, then id. A machine the commit lists under its id
 * bears the commit's name. Where two members claim one name, the first by id keeps it and the others go by their full
 * id, so that a name never means two machines and a clone never takes the place of its original.
 *
 * Metadata: the machine's own, then what selectors of the commit add (by key), then its own stanza. Selectors look at a machine
 * before any selector added to it, so their order decides nothing but who has the last word on one key. A selector
 * adds, it does not admit: metadata is a claim of the machine, and a claim must not open the door.
 */
export function machinesOf(
  spec: Pick<ClusterSpec, "machines" | "admit">,
  snapshot: ClusterSnapshot,
  lost: ReadonlySet<MachineId>,
): Machine[] {
  const named = spec.machines.filter((machine) => machine.match === null);
  const selecting = spec.machines.filter((machine) => machine.match !== null);
  const names = uniqueNames(snapshot.members, named);
  return snapshot.members
    .map((member) => machineOf(member, names.get(member.id)!, { spec, named, selecting, lost }))
    .sort((a, b) => compareText(a.name, b.name) || compareText(a.id, b.id));
}

interface Context {
  readonly spec: Pick<ClusterSpec, "admit">;
  readonly named: readonly SpecMachine[];
  readonly selecting: readonly SpecMachine[];
  readonly lost: ReadonlySet<MachineId>;
}

function machineOf(member: Member, name: string, { spec, named, selecting, lost }: Context): Machine {
  const stanza = named.find((machine) => names(machine, member.id, name)) ?? null;
  const claimed = { ...member.metadata, ...stanza?.metadata };
  const matching = selecting.filter((machine) =>
    matchesSelector(machine.match!, { id: member.id, name, metadata: claimed }),
  );
  const stanzas = stanza === null ? matching : [...matching, stanza];
  return {
    id: member.id,
    name,
    address: member.address,
    metadata: Object.assign({}, member.metadata, ...stanzas.map((machine) => machine.metadata)),
    drain: stanzas.some((machine) => machine.drain),
    cordon: stanzas.some((machine) => machine.cordon),
    presence: member.present ? "present" : lost.has(member.id) ? "lost" : "absent",
    presenceRevision: member.presenceRevision,
    admitted: spec.admit === "any" || stanza !== null || member.unrecorded === true,
    ...(member.unrecorded === undefined ? {} : { unrecorded: member.unrecorded }),
    ...(member.capacity === undefined ? {} : { capacity: member.capacity }),
    ...(member.capabilities === undefined ? {} : { capabilities: member.capabilities }),
  };
}

/** Under an id the commit means that machine and no other of the same name. */
function names(machine: SpecMachine, id: MachineId, name: string): boolean {
  if (machine.id !== null) return machine.id === id;
  return machine.key === name || machine.key === id;
}

function uniqueNames(members: readonly Member[], named: readonly SpecMachine[]): Map<MachineId, string> {
  const result = new Map<MachineId, string>();
  const taken = new Set<string>();
  for (const { key, id } of named) {
    if (id === null) continue;
    taken.add(key);
    result.set(id, key);
  }
  for (const member of [...members].sort((a, b) => compareText(a.id, b.id))) {
    if (result.has(member.id)) continue;
    result.set(member.id, taken.has(member.name) ? member.id : member.name);
    taken.add(member.name);
  }
  return result;
}
