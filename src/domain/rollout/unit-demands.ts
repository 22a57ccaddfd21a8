import type { Machine } from "../cluster/machine.ts";
import type { Resources } from "../cluster/resources.ts";
import type { MachineId, Sha256, UnitHash, UnitName } from "../names.ts";
import type { ClusterSpec, SpecUnit } from "../spec/cluster-spec.ts";
import { baseVersions } from "./base-versions.ts";

/** What one version of a unit asks of the machine it is on and of who else is there: the hard rules, whoever came first. */
export interface Demand {
  /** Globs of `Conflicts=` and `Replaces=`: units it may not share a machine with. */
  readonly shuns: readonly string[];
  /** `MaxPerMachine=`; null: any number. */
  readonly limit: number | null;
  /** Keys of a hard `Spread=`. */
  readonly spreads: readonly string[];
  readonly requests: Resources;
}

/** Of a unit as it is placed somewhere. Of a version that is none of the specs', everything that any of them says. */
export type UnitDemands = (unit: UnitName, machine: MachineId, hash: UnitHash) => Demand;

/** Null: no unit of these specs asks for anything. */
export function unitDemands(
  specs: readonly ClusterSpec[],
  machines: readonly Machine[],
  sha256: Sha256,
): UnitDemands | null {
  const known = specs.map((spec) => ({
    versions: baseVersions(spec, machines, sha256),
    demands: new Map(spec.units.map((unit) => [unit.name, demandOf(unit)])),
  }));
  const asks = ({ shuns, limit, spreads, requests }: Demand) =>
    shuns.length + spreads.length > 0 || limit !== null || requests.cpuMilli > 0 || requests.memoryBytes > 0;
  if (!known.some(({ demands }) => [...demands.values()].some(asks))) return null;
  return (unit, machine, hash) => {
    const all = known.flatMap(({ demands, versions }) => {
      const demand = demands.get(unit);
      return demand === undefined ? [] : [{ demand, versions }];
    });
    if (all.every(({ demand }) => isSame(demand, all[0]!.demand))) return all[0]?.demand ?? NOTHING;
    const its = all.find(({ versions }) => versions.on(unit, machine)?.hash === hash);
    return its?.demand ?? all.map(({ demand }) => demand).reduce(both);
  };
}

const NOTHING: Demand = { shuns: [], limit: null, spreads: [], requests: { cpuMilli: 0, memoryBytes: 0 } };

export function isSame(a: Demand, b: Demand): boolean {
  return a === b || textOf(a) === textOf(b);
}

/** Asked of every unit at every pass of a rollout that has gates: a spec's units are the same values for as long as it is in force. */
const demandsKnown = new WeakMap<SpecUnit, Demand>();
const textsKnown = new WeakMap<Demand, string>();

function textOf(demand: Demand): string {
  const known = textsKnown.get(demand);
  if (known !== undefined) return known;
  const text = JSON.stringify(demand);
  textsKnown.set(demand, text);
  return text;
}

function demandOf(unit: SpecUnit): Demand {
  const known = demandsKnown.get(unit);
  if (known !== undefined) return known;
  const demand = readDemand(unit);
  demandsKnown.set(unit, demand);
  return demand;
}

function readDemand({ options, requests }: SpecUnit): Demand {
  const { conflicts, replaces, maxPerMachine, spread } = options;
  return {
    shuns: [...new Set([...conflicts, ...replaces])].sort(),
    limit: maxPerMachine ?? null,
    spreads: spread?.hard === true ? [spread.key] : [],
    requests: requests === undefined ? NOTHING.requests : { ...requests },
  };
}

function both(a: Demand, b: Demand): Demand {
  const least = Math.min(a.limit ?? Number.POSITIVE_INFINITY, b.limit ?? Number.POSITIVE_INFINITY);
  return {
    shuns: [...new Set([...a.shuns, ...b.shuns])].sort(),
    limit: Number.isFinite(least) ? least : null,
    spreads: [...new Set([...a.spreads, ...b.spreads])],
    requests: {
      cpuMilli: Math.max(a.requests.cpuMilli, b.requests.cpuMilli),
      memoryBytes: Math.max(a.requests.memoryBytes, b.requests.memoryBytes),
    },
  };
}
