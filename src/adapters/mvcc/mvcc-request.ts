import type { Bytes } from "./byte-range.ts";
import type { KeyVersion } from "./key-history.ts";

/** etcd's requests and answers without their wire. A `rangeEnd` of "" means the key alone, "\0" everything from the key on. */
export interface RangeQuery {
  readonly kind: "range";
  readonly key: Bytes;
  readonly rangeEnd: Bytes;
  /** 0 or less: no limit. */
  readonly limit: number;
  /** 0 or less: the current one. */
  readonly revision: number;
  readonly order: "none" | "ascend" | "descend";
  readonly target: "key" | "version" | "create" | "mod" | "value";
  readonly keysOnly: boolean;
  readonly countOnly: boolean;
  /** Bounds, both inclusive; 0: none. */
  readonly minModRevision: number;
  readonly maxModRevision: number;
  readonly minCreateRevision: number;
  readonly maxCreateRevision: number;
}

export interface PutQuery {
  readonly kind: "put";
  readonly key: Bytes;
  readonly value: Bytes;
  readonly lease: string;
  readonly wantsPrevious: boolean;
  /** Keep the value the key has. */
  readonly ignoreValue: boolean;
  /** Keep the lease the key has. */
  readonly ignoreLease: boolean;
}

export interface DeleteQuery {
  readonly kind: "delete";
  readonly key: Bytes;
  readonly rangeEnd: Bytes;
  readonly wantsPrevious: boolean;
}

export interface TxnQuery {
  readonly kind: "txn";
  readonly compare: readonly CompareQuery[];
  readonly success: readonly OperationQuery[];
  readonly failure: readonly OperationQuery[];
}

/** `empty` is an operation whose sender set no member: refused, but only where etcd notices it. */
export type OperationQuery = RangeQuery | PutQuery | DeleteQuery | TxnQuery | { readonly kind: "empty" };

export interface CompareQuery {
  readonly key: Bytes;
  readonly rangeEnd: Bytes;
  readonly is: "=" | ">" | "<" | "!=";
  /** Compared with the member of the same name; etcd takes 0 or nothing where the sender set another one. */
  readonly target:
    | { readonly kind: "version" | "create" | "mod"; readonly value: number }
    | { readonly kind: "value"; readonly value: Bytes }
    | { readonly kind: "lease"; readonly value: string };
}

export interface RangeAnswer {
  readonly kind: "range";
  readonly revision: number;
  readonly versions: readonly KeyVersion[];
  readonly more: boolean;
  readonly count: number;
}

export interface PutAnswer {
  readonly kind: "put";
  readonly revision: number;
  readonly previous: KeyVersion | undefined;
}

export interface DeleteAnswer {
  readonly kind: "delete";
  readonly revision: number;
  readonly deleted: number;
  readonly previous: readonly KeyVersion[];
}

export interface TxnAnswer {
  readonly kind: "txn";
  readonly revision: number;
  readonly succeeded: boolean;
  readonly answers: readonly OperationAnswer[];
}

export type OperationAnswer = RangeAnswer | PutAnswer | DeleteAnswer | TxnAnswer;
