import { compareText } from "../names.ts";
import type { SpecUnit } from "../spec/cluster-spec.ts";
import type { Spread } from "../unit/fleet-options.ts";
import { replicaSetOf } from "../unit/replica-set-of.ts";

/** How the replicas of one set are kept apart. One replica's word counts for all of them, so that who comes first decides nothing. */
export interface ReplicaRules {
  /** `replicaSetOf` its units. */
  readonly set: string;
  /** The smallest `MaxPerMachine=` of them; null: any number. */
  readonly limit: number | null;
  /** By key; a wish of one is a rule where it is a rule of another. */
  readonly spreads: readonly Spread[];
}

/** A set that asks for something, with how many of its units are in one group. */
export interface Replicas {
  readonly rules: ReplicaRules;
  readonly units: number;
}

/** One key that a group is spread by, because one of its sets is. */
export interface ReplicaSpread extends Replicas, Spread {}

/** The sets that ask for something, by name. */
export function replicaRules(units: readonly SpecUnit[]): Map<string, ReplicaRules> {
  const rules = new Map<string, ReplicaRules>();
  units.forEach(({ name, options }) => {
    if (options.spread === undefined && options.maxPerMachine === undefined) return;
    const set = replicaSetOf(name);
    rules.set(set, withWord(rules.get(set) ?? { set, limit: null, spreads: [] }, options));
  });
  return rules;
}

function withWord({ set, limit, spreads }: ReplicaRules, { spread, maxPerMachine }: SpecUnit["options"]): ReplicaRules {
  const least = Math.min(limit ?? Number.POSITIVE_INFINITY, maxPerMachine ?? Number.POSITIVE_INFINITY);
  return { set, limit: Number.isFinite(least) ? least : null, spreads: withSpread(spreads, spread) };
}

function withSpread(spreads: readonly Spread[], spread: Spread | undefined): readonly Spread[] {
  if (spread === undefined) return spreads;
  const known = spreads.find(({ key }) => key === spread.key);
  if (known !== undefined && (known.hard || !spread.hard)) return spreads;
  return [...spreads.filter((one) => one !== known), spread].sort((a, b) => compareText(a.key, b.key));
}

export function isSameRules(a: ReplicaRules | undefined, b: ReplicaRules | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  const isSame = (one: Spread, index: number) => {
    const other = b.spreads[index]!;
    return one.key === other.key && one.hard === other.hard;
  };
  return a.limit === b.limit && a.spreads.length === b.spreads.length && a.spreads.every(isSame);
}

/** What a group's units count for in sets that ask for something. */
export function replicasOf(units: readonly SpecUnit[], rules: ReadonlyMap<string, ReplicaRules>): readonly Replicas[] {
  if (rules.size === 0) return NONE;
  if (units.length === 1) {
    const only = rules.get(replicaSetOf(units[0]!.name));
    return only === undefined ? NONE : [{ rules: only, units: 1 }];
  }
  const counts = new Map<ReplicaRules, number>();
  for (const { name } of units) {
    const known = rules.get(replicaSetOf(name));
    if (known !== undefined) counts.set(known, (counts.get(known) ?? 0) + 1);
  }
  return counts.size === 0 ? NONE : [...counts].map(([known, units]) => ({ rules: known, units }));
}

export function spreadsOf(replicas: readonly Replicas[]): readonly ReplicaSpread[] {
  return replicas.flatMap(({ rules, units }) => rules.spreads.map(({ key, hard }) => ({ rules, units, key, hard })));
}

const NONE: readonly Replicas[] = [];
