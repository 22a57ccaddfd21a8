import { type ServiceError, status } from "@grpc/grpc-js";
import { OperationError, UnknownResultError } from "../../ports/operation-error.ts";
import { FRONT_REFUSALS } from "../etcd-proto/front-refusals.ts";

/** etcd and fronts tell their refusals apart by text only; our codes for those somebody acts on. */
const REFUSALS: readonly (readonly [text: string, code: string, next?: string])[] = [
  // Before etcd's own, because what follows may name keys.
  [
    FRONT_REFUSALS.forbidden,
    "forbidden-key",
    "through an engine a machine does only what its agent must; ask where the registry itself is reached",
  ],
  [
    FRONT_REFUSALS.notListed,
    "not-listed",
    "commit this machine's key to the manifest's machines: fleet join prints the stanza",
  ],
  [
    FRONT_REFUSALS.registryAway,
    "registry-unreachable",
    "the engine is there, its registry is not: look at fleet-engine's journal",
  ],
  ["required revision has been compacted", "revision-compacted"],
  ["requested lease not found", "lease-not-found"],
  [
    "database space exceeded",
    "registry-full",
    "compact and defragment etcd, then disarm its alarm: etcdctl alarm disarm",
  ],
  [
    "no leader",
    "registry-no-leader",
    "a majority of etcd's members must run and reach each other: etcdctl endpoint status",
  ],
  ["too many requests", "registry-busy"],
];

/** gRPC's codes that only a server gives, and only before it did anything. */
const REFUSING_CODES: ReadonlySet<number> = new Set([
  status.INVALID_ARGUMENT,
  status.NOT_FOUND,
  status.ALREADY_EXISTS,
  status.PERMISSION_DENIED,
  status.FAILED_PRECONDITION,
  status.OUT_OF_RANGE,
  status.UNIMPLEMENTED,
  status.UNAUTHENTICATED,
]);

/** grpc-js's words for a call that never left: nothing was connected, or the channel was closed while it waited. */
const NEVER_SENT = /^No connection established|^Channel closed before call started/;

/** grpc-js ends its refusals with a note on name resolution, also where it has none to give. */
const EMPTY_NOTE = /\. Resolution note: $/;

export function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && "code" in error && typeof error.code === "number" && "details" in error;
}

/**
 * What a failed call means to whoever made it. `doing` begins the message ("list /fleet/ on etcd://…"). With `writes`, an
 * error that leaves open whether the server did it becomes an UnknownResultError.
 */
export function operationErrorOf(error: unknown, doing: string, writes: boolean): OperationError {
  if (error instanceof OperationError) return error;
  if (!isServiceError(error)) throw error;
  const said = `${doing}: ${error.details.replace(EMPTY_NOTE, "") || status[error.code]}`;
  const refusal = REFUSALS.find(([text]) => error.details.includes(text));
  if (refusal !== undefined) {
    const [, code, next] = refusal;
    return new OperationError(code, said, { cause: error, ...(next === undefined ? {} : { next }) });
  }
  if (error.code === status.UNAUTHENTICATED || error.code === status.PERMISSION_DENIED) {
    const next = "check the certificate this machine shows etcd, and the role of its common name";
    return new OperationError("registry-denied", said, { cause: error, next });
  }
  if (REFUSING_CODES.has(error.code)) return new OperationError("registry-refused", said, { cause: error });
  const next = "check that the registry runs and is reachable from here";
  if (error.code === status.UNAVAILABLE && NEVER_SENT.test(error.details)) {
    return new OperationError("registry-unreachable", said, { cause: error, next });
  }
  const code = error.code === status.DEADLINE_EXCEEDED ? "registry-timeout" : "registry-unreachable";
  if (writes) return new UnknownResultError(code, `${said}; it may or may not have happened`, { cause: error, next });
  return new OperationError(code, said, { cause: error, next });
}
