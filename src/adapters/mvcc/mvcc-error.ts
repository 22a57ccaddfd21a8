/** Why the store says no, with etcd's gRPC status code and text: clients of etcd tell errors apart by the text. */
const REFUSALS = {
  "key-empty": [3, "etcdserver: key is not provided"],
  "key-not-found": [3, "etcdserver: key not found"],
  "value-provided": [3, "etcdserver: value is provided"],
  "lease-provided": [3, "etcdserver: lease is provided"],
  "too-many-operations": [3, "etcdserver: too many operations in txn request"],
  "duplicate-key": [3, "etcdserver: duplicate key given in txn request"],
  "request-too-large": [3, "etcdserver: request is too large"],
  "sort-option-invalid": [3, "etcdserver: invalid sort option"],
  "revision-compacted": [11, "etcdserver: mvcc: required revision has been compacted"],
  "revision-future": [11, "etcdserver: mvcc: required revision is a future revision"],
  "lease-not-found": [5, "etcdserver: requested lease not found"],
  "lease-exists": [9, "etcdserver: lease already exists"],
  "lease-ttl-too-large": [11, "etcdserver: too large lease TTL"],
} as const satisfies Record<string, readonly [code: number, text: string]>;

export type MvccRefusal = keyof typeof REFUSALS;

/** The request was refused and changed nothing. */
export class MvccError extends Error {
  override readonly name = "MvccError";
  readonly reason: MvccRefusal;
  /** The gRPC status code etcd answers with. */
  readonly status: number;

  constructor(reason: MvccRefusal) {
    super(REFUSALS[reason][1]);
    this.reason = reason;
    this.status = REFUSALS[reason][0];
  }
}
