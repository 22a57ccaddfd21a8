import type { Member } from "../cluster/cluster-snapshot.ts";
import { emptySnapshot } from "../cluster/empty-snapshot.ts";
import type { Machine } from "../cluster/machine.ts";
import { machinesOf } from "../cluster/machines-of.ts";
import type { NodeKey } from "../identity/node-key.ts";
import { compareText, type MachineId, type UnitName } from "../names.ts";
import { replicaRules, replicasOf, spreadsOf } from "../placement/replica-rules.ts";
import { staticReject } from "../placement/static-fit.ts";
import type { ClusterSpec, SpecSecret, SpecUnit } from "../spec/cluster-spec.ts";
import type { RecipientTag } from "./recipient-tag.ts";
import { readSecretHeader } from "./secret-header.ts";

/** Which machines one secret must reach, and which it does. */
export interface SecretReach {
  readonly name: string;
  /** Its file in the repository, or where it would be. */
  readonly path: string;
  /** Why nobody can read it: it is not there, or damaged. Null: it is an age file. */
  readonly problem: string | null;
  /** Who uses it; sorted. */
  readonly units: readonly UnitName[];
  /** Every machine that one of its units may come to, whoever else is lost; by name. */
  readonly machines: readonly SecretReader[];
  /** Machines' keys that the file is for and that none of those has: by tag, as nobody may know whose they are. Sorted. */
  readonly strangers: readonly string[];
  /** Recipients of people. */
  readonly others: number;
  readonly version: string | null;
}

export interface SecretReader {
  readonly machine: string;
  /** `reads`: the file says that it is for it. `left-out`: it does not. `no-key`: git lists no key of it, so that nothing can be for it. */
  readonly state: "reads" | "left-out" | "no-key";
  /** Of its users, those that may come here; sorted. */
  readonly units: readonly UnitName[];
  readonly key: NodeKey | null;
}

/** Machines, and how much is known of them. */
export interface MachineSight {
  readonly machines: readonly Machine[];
  /**
   * Keys of metadata that git states of some machine, and which another one is taken not to have; of all others (`arch`, what agents claim)
   * nobody knows what a machine will say. Null: the machines have said it.
   */
  readonly stated: ReadonlySet<string> | null;
}

/**
 * Holds every secret that is used against the machines its units may run on, by what never changes with load or loss: a machine that is
 * drained, full or away today may be the one they move to tomorrow. By name.
 */
export function secretReach(
  spec: Pick<ClusterSpec, "units" | "groups" | "machines">,
  sight: MachineSight,
  tagOf: RecipientTag,
): readonly SecretReach[] {
  const users = usersOf(spec.units);
  if (users.size === 0) return [];
  const { machines } = sight;
  const eligible = machinesByUnit(spec, sight);
  const keys = new Map(spec.machines.map(({ key, machineKey }) => [key, machineKey ?? null]));
  return [...users.values()].map(({ secret, units }) => {
    const header = readSecretHeader(secret.text);
    const { tags, others, version } = "header" in header ? header.header : { tags: [], others: 0, version: null };
    const problem = secret.text === "" ? "there is no such file" : "problem" in header ? header.problem : null;
    const readers = machines.flatMap((machine): SecretReader[] => {
      const here = units.filter((unit) => eligible.get(unit)?.has(machine) === true);
      if (here.length === 0) return [];
      const key = keys.get(machine.name) ?? null;
      const state = key === null ? "no-key" : tags.includes(tagOf(key)) ? "reads" : "left-out";
      return [{ machine: machine.name, state, units: here, key }];
    });
    const known = new Set(readers.flatMap(({ key }) => (key === null ? [] : [tagOf(key)])));
    const strangers = tags.filter((tag) => !known.has(tag));
    return { name: secret.name, path: secret.path, problem, units, machines: readers, strangers, others, version };
  });
}

/** The listed machines as git alone knows them, without a cluster to ask. */
export function sightOfGit(spec: Pick<ClusterSpec, "machines" | "admit">): MachineSight {
  const members = spec.machines
    .filter(({ match }) => match === null)
    // One whose id is not known yet is still told from the others.
    .map(({ key, id }): Member => ({ id: id ?? (key as MachineId), ...NOTHING_SAID, name: key }));
  const stated = new Set(spec.machines.flatMap(({ metadata }) => Object.keys(metadata)));
  return { machines: machinesOf(spec, { ...emptySnapshot, members }, new Set()), stated };
}

const NOTHING_SAID: Omit<Member, "id" | "name"> = {
  ...{ address: "", metadata: {}, bootId: "", version: "", joined: "", acceptedSeq: 0 },
  ...{ present: true, presenceRevision: 0 },
};

function usersOf(units: readonly SpecUnit[]) {
  const users = new Map<string, { readonly secret: SpecSecret; readonly units: UnitName[] }>();
  for (const unit of units) {
    for (const secret of unit.secrets ?? []) {
      const known = users.get(secret.name);
      if (known === undefined) users.set(secret.name, { secret, units: [unit.name] });
      else known.units.push(unit.name);
    }
  }
  return new Map([...users].sort(([a], [b]) => compareText(a, b)));
}

/** Of groups with a secret among their units only. */
function machinesByUnit(spec: Pick<ClusterSpec, "units" | "groups">, { machines, stated }: MachineSight) {
  const units = new Map(spec.units.map((unit) => [unit.name, unit]));
  const rules = replicaRules(spec.units);
  const result = new Map<UnitName, ReadonlySet<Machine>>();
  for (const group of spec.groups) {
    const members = group.units.map((name) => units.get(name)!);
    if (members.every(({ secrets }) => secrets === undefined)) continue;
    const spreads = spreadsOf(replicasOf(members, rules));
    const isKnown = (key: string) => stated === null || stated.has(key);
    const wants = {
      units: members.map(({ options, ...unit }): SpecUnit => {
        const known = options.machineMetadata.filter((one) => one.kind === "machine" || isKnown(one.key));
        return { ...unit, options: { ...options, machineMetadata: known } };
      }),
      spreads: spreads.filter(({ key }) => isKnown(key)),
    };
    const fitting = new Set(machines.filter((machine) => staticReject(wants, machine) === null));
    for (const { name, goal } of members) if (goal !== "inactive") result.set(name, fitting);
  }
  return result;
}
