import type { Machine } from "../cluster/machine.ts";
import type { Atom } from "./atoms.ts";
import type { ReplicaRules, ReplicaSpread } from "./replica-rules.ts";

/** The values machines have for one key: for each machine the number of its value; 0 is for those without the key. */
export interface KeyValues {
  readonly of: Int32Array;
  /** By number of the value. */
  readonly names: readonly (string | null)[];
}

/** How many of each set of replicas are on each machine, and on machines of each value. Sets that ask for nothing are not counted. */
export class ReplicaCounts {
  readonly #machines: readonly Machine[];
  readonly #values = new Map<string, KeyValues>();
  readonly #onMachine = new Map<ReplicaRules, Map<number, number>>();
  readonly #inValue = new Map<ReplicaRules, Map<string, Int32Array>>();

  constructor(machines: readonly Machine[]) {
    this.#machines = machines;
  }

  add(atom: Atom, machine: number, step: 1 | -1): void {
    for (const { rules, units } of atom.replicas) {
      if (rules.limit === null) continue;
      const counts = this.#onMachine.get(rules) ?? new Map<number, number>();
      this.#onMachine.set(rules, counts);
      counts.set(machine, (counts.get(machine) ?? 0) + step * units);
    }
    for (const spread of atom.spreads) {
      this.inValues(spread)[this.values(spread.key).of[machine]!]! += step * spread.units;
    }
  }

  /** The set of which too many would be on the machine with this group; null: none. */
  overLimit(atom: Atom, machine: number): ReplicaRules | null {
    for (const { rules, units } of atom.replicas) {
      if (rules.limit === null) continue;
      const there = this.#onMachine.get(rules)?.get(machine) ?? 0;
      if (there + units > rules.limit) return rules;
    }
    return null;
  }

  /** Of what the group must be spread by: where another of its set is on a machine of this one's value; null: nowhere. */
  clash(atom: Atom, machine: number): ReplicaSpread | null {
    for (const spread of atom.spreads) {
      if (!spread.hard) continue;
      const there = this.inValues(spread)[this.values(spread.key).of[machine]!]!;
      if (there + spread.units > 1) return spread;
    }
    return null;
  }

  /** How many of its sets are on machines of this one's values. */
  beside(atom: Atom, machine: number): number {
    let sum = 0;
    for (const spread of atom.spreads) sum += this.inValues(spread)[this.values(spread.key).of[machine]!]!;
    return sum;
  }

  /** By number of the value. */
  inValues({ rules, key }: Pick<ReplicaSpread, "rules" | "key">): Int32Array {
    const ofSet = this.#inValue.get(rules) ?? new Map<string, Int32Array>();
    this.#inValue.set(rules, ofSet);
    const known = ofSet.get(key);
    if (known !== undefined) return known;
    const counts = new Int32Array(this.values(key).names.length);
    ofSet.set(key, counts);
    return counts;
  }

  values(key: string): KeyValues {
    const known = this.#values.get(key);
    if (known !== undefined) return known;
    const numbers = new Map<string, number>();
    const of = Int32Array.from(this.#machines, ({ metadata }) => {
      if (!Object.hasOwn(metadata, key)) return 0;
      const value = metadata[key]!;
      if (!numbers.has(value)) numbers.set(value, numbers.size + 1);
      return numbers.get(value)!;
    });
    const values = { of, names: [null, ...numbers.keys()] };
    this.#values.set(key, values);
    return values;
  }
}
