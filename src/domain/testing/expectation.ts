import type { Resources } from "../cluster/resources.ts";
import type { Selector } from "../cluster/selector.ts";
import type { SourceLocation } from "../diagnostic.ts";

/** One file of `tests/`: machines that are given, and what is expected of the placement on them. */
export interface TestFile {
  readonly path: string;
  /** Null: the machines the manifest names. */
  readonly machines: readonly GivenMachine[] | null;
  readonly expectations: readonly Expectation[];
}

export interface GivenMachine {
  readonly name: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly absent: boolean;
  readonly drain: boolean;
  readonly cordon: boolean;
  /** Absent: it takes everything. */
  readonly capacity?: Resources;
}

/** Units are named by globs of unit names; every glob must match a unit. */
export type Expectation = { readonly at: SourceLocation } & (
  | {
      readonly kind: "placed";
      readonly units: readonly string[];
      /** Every place of theirs is such a machine. */
      readonly on: Selector | null;
      readonly notOn: Selector | null;
    }
  /** No two of them on one machine. */
  | { readonly kind: "apart"; readonly units: readonly string[] }
  /** All of them on one machine. */
  | { readonly kind: "together"; readonly units: readonly string[] }
  /** Once what may move has moved, nothing stays down but `except`; of each set in `atLeast`, that many are up all the time. */
  | {
      readonly kind: "survives";
      /** Null: any one machine. */
      readonly lost: Selector | null;
      readonly except: readonly string[];
      /** Template or unit → how many. */
      readonly atLeast: readonly (readonly [set: string, count: number])[];
    }
  /** No given machine takes them. */
  | { readonly kind: "unplaceable"; readonly units: readonly string[] }
  /** Nothing else is on those machines. */
  | { readonly kind: "only"; readonly units: readonly string[]; readonly on: Selector }
);
