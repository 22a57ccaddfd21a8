import type { Machine } from "../cluster/machine.ts";
import type { Resource } from "../cluster/resources.ts";
import type { MachineId, UnitName } from "../names.ts";
import type { RejectReason } from "../placement/placement.ts";
import { compileGlob } from "../unit/glob.ts";
import { replicaSetOf } from "../unit/replica-set-of.ts";
import type { Demand } from "./unit-demands.ts";

/** A unit on a machine, as that version of it is. */
export interface Occupant {
  readonly unit: UnitName;
  readonly machine: MachineId;
  readonly demand: Demand;
  /** Those of one key live together and never mind each other. */
  readonly key: string;
}

const RESOURCES: readonly (readonly [Resource, "cpuMilli" | "memoryBytes"])[] = [
  ["cpu", "cpuMilli"],
  ["memory", "memoryBytes"],
];

/** Who is on which machine, of whatever versions; and who of them minds whom. Mutable, and private to whoever fills it. */
export class SharedMachines {
  readonly #machines: ReadonlyMap<MachineId, Machine>;
  readonly #there = new Map<MachineId, Map<UnitName, Occupant>>();
  readonly #sets = new Map<string, Set<Occupant>>();
  readonly #globs = new Map<string, ((name: string) => boolean) | null>();

  constructor(machines: readonly Machine[]) {
    this.#machines = new Map(machines.map((machine) => [machine.id, machine]));
  }

  add(occupant: Occupant): void {
    const { unit, machine } = occupant;
    const others = this.#there.get(machine);
    if (others === undefined) this.#there.set(machine, new Map([[unit, occupant]]));
    else others.set(unit, occupant);
    const set = this.#sets.get(replicaSetOf(unit));
    if (set === undefined) this.#sets.set(replicaSetOf(unit), new Set([occupant]));
    else set.add(occupant);
  }

  remove(occupant: Occupant): void {
    this.#there.get(occupant.machine)?.delete(occupant.unit);
    this.#sets.get(replicaSetOf(occupant.unit))?.delete(occupant);
  }

  /** Why one that has been added should not be there, by its own word or another's; null: nobody minds. What was there before needs no room. */
  rejects(one: Occupant, wasThere: boolean): RejectReason | null {
    return this.#conflict(one) ?? this.#crowd(one) ?? (wasThere ? null : this.#lack(one));
  }

  #conflict(one: Occupant): RejectReason | null {
    for (const other of this.#there.get(one.machine)?.values() ?? []) {
      if (other.key === one.key || (one.demand.shuns.length === 0 && other.demand.shuns.length === 0)) continue;
      if (this.#names(one.demand.shuns, other.unit) || this.#names(other.demand.shuns, one.unit))
        return { code: "conflict", unit: one.unit, with: other.unit };
    }
    return null;
  }

  #names(globs: readonly string[], unit: UnitName): boolean {
    return globs.some((glob) => {
      if (!this.#globs.has(glob)) this.#globs.set(glob, compileGlob(glob));
      return this.#globs.get(glob)?.(unit) ?? false;
    });
  }

  /** By `MaxPerMachine=` and hard `Spread=`: the word of one replica counts for those it meets. */
  #crowd(one: Occupant): RejectReason | null {
    const set = replicaSetOf(one.unit);
    const replicas = [...(this.#sets.get(set) ?? [])];
    const here = replicas.filter(({ machine }) => machine === one.machine);
    const limit = Math.min(...here.map(({ demand }) => demand.limit ?? Number.POSITIVE_INFINITY));
    if (here.length > limit) return { code: "max-per-machine", set, limit };
    for (const other of replicas) {
      if (other === one) continue;
      for (const key of [...one.demand.spreads, ...other.demand.spreads]) {
        const value = this.#valueOf(one.machine, key);
        if (value !== null && value === this.#valueOf(other.machine, key)) return { code: "spread", set, key, value };
      }
    }
    return null;
  }

  #valueOf(machine: MachineId, key: string): string | null {
    const metadata = this.#machines.get(machine)?.metadata ?? {};
    return Object.hasOwn(metadata, key) ? metadata[key]! : null;
  }

  #lack(one: Occupant): RejectReason | null {
    const room = this.#machines.get(one.machine)?.capacity;
    if (room === undefined) return null;
    const here = [...this.#there.get(one.machine)!.values()];
    for (const [resource, of] of RESOURCES) {
      const own = one.demand.requests[of];
      if (own === 0) continue;
      const sum = here.reduce((total, { demand }) => total + demand.requests[of], 0);
      if (sum <= room[of]) continue;
      const wanted = here
        .filter(({ key }) => key === one.key)
        .reduce((total, { demand }) => total + demand.requests[of], 0);
      return { code: "no-room", resource, wanted, free: room[of] - sum + wanted, capacity: room[of] };
    }
    return null;
  }
}
