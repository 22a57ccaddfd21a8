import { type ServiceError, status } from "@grpc/grpc-js";
import { err, type Log } from "../../ports/log.ts";
import { OperationError, UnknownResultError } from "../../ports/operation-error.ts";
import { FRONT_REFUSALS } from "../etcd-proto/front-refusals.ts";
import { MvccError } from "../mvcc/mvcc-error.ts";

/** What a call is refused with, before anything was done. */
export class FrontRefusal extends Error {
  override readonly name = "FrontRefusal";
  readonly status: number;

  constructor(code: number, details: string) {
    super(details);
    this.status = code;
  }
}

/** `what`: as in "machine 3f… may not WRITE /fleet/prod/release". */
export function forbidden(peer: string, what: string): FrontRefusal {
  return new FrontRefusal(status.PERMISSION_DENIED, `${FRONT_REFUSALS.forbidden}: machine ${peer} may not ${what}`);
}

/** No client of ours asks for it. */
export function notServed(what: string): FrontRefusal {
  return new FrontRefusal(status.INVALID_ARGUMENT, `an engine serves no ${what}`);
}

/** etcd's words, by which its clients know what to do next. */
export function tooMany(): FrontRefusal {
  return new FrontRefusal(status.RESOURCE_EXHAUSTED, "etcdserver: too many requests");
}

export function registryAway(why: string): FrontRefusal {
  return new FrontRefusal(status.UNAVAILABLE, `${FRONT_REFUSALS.registryAway}: ${why}`);
}

/** In etcd's words, so that who asks through a front hears what it would have heard without. */
const IN_ETCDS_WORDS: Readonly<Record<string, readonly [code: number, details: string]>> = {
  "revision-compacted": [status.OUT_OF_RANGE, "etcdserver: mvcc: required revision has been compacted"],
  "lease-not-found": [status.NOT_FOUND, "etcdserver: requested lease not found"],
  "registry-full": [status.RESOURCE_EXHAUSTED, "etcdserver: mvcc: database space exceeded"],
  "registry-no-leader": [status.UNAVAILABLE, "etcdserver: no leader"],
  "registry-busy": [status.RESOURCE_EXHAUSTED, "etcdserver: too many requests"],
};

/** What the caller is told of an error; what is a mistake of ours is logged as well, and ends nothing but this call. */
export function serviceErrorOf(error: unknown, log: Log): Pick<ServiceError, "code" | "details"> {
  if (error instanceof FrontRefusal || error instanceof MvccError)
    return { code: error.status, details: error.message };
  if (!(error instanceof OperationError)) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    log(err(`a call of a machine failed by a mistake of fleet: ${text}`));
    return { code: status.INTERNAL, details: "the engine made a mistake; its log says which" };
  }
  // Not to be taken for refused: it may have happened.
  if (error instanceof UnknownResultError) return { code: status.UNAVAILABLE, details: error.message };
  const known = IN_ETCDS_WORDS[error.code];
  if (known !== undefined) return { code: known[0], details: known[1] };
  // The engine's own trouble with its registry is none of the machine's rights.
  if (error.code === "registry-refused" || error.code === "registry-denied") {
    return { code: status.FAILED_PRECONDITION, details: error.message };
  }
  return { code: status.UNAVAILABLE, details: `${FRONT_REFUSALS.registryAway}: ${error.message}` };
}
