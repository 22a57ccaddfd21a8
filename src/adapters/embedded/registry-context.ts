import { type handleUnaryCall, type ServiceError, status } from "@grpc/grpc-js";
import type { Clock } from "../../ports/clock.ts";
import type { EtcdMessageName, EtcdMessages, Outgoing, ResponseHeader } from "../etcd-proto/etcd-messages.ts";
import { MvccError } from "../mvcc/mvcc-error.ts";
import type { MvccStore } from "../mvcc/mvcc-store.ts";
import type { DurableStore } from "./durable-store.ts";

/** What every service of one registry shares. */
export interface RegistryContext {
  readonly store: MvccStore;
  readonly durable: DurableStore;
  readonly clock: Clock;
}

/** A registry of one never elects: its term is its first. */
export const RAFT_TERM = "1";

export function headerAt(context: RegistryContext, revision: number): Outgoing<ResponseHeader> {
  const { clusterId, memberId } = context.durable.meta;
  return { cluster_id: clusterId, member_id: memberId, revision: String(revision), raft_term: RAFT_TERM };
}

export type UnaryHandler<Request extends EtcdMessageName, Response extends EtcdMessageName> = handleUnaryCall<
  Outgoing<EtcdMessages[Request]>,
  Outgoing<EtcdMessages[Response]>
>;

/**
 * A call that runs at once and answers, refusals too, when all that it can have seen is on the disk: a revision somebody
 * was told of is never used again after a crash.
 */
export function unary<Request extends EtcdMessageName, Response extends EtcdMessageName>(
  context: RegistryContext,
  run: (request: EtcdMessages[Request]) => Outgoing<EtcdMessages[Response]>,
): UnaryHandler<Request, Response> {
  return (call, callback) => {
    let answer: () => void;
    try {
      const response = run(call.request as EtcdMessages[Request]);
      answer = () => callback(null, response);
    } catch (error) {
      if (!(error instanceof MvccError)) throw error;
      answer = () => callback({ code: error.status, details: error.message });
    }
    context.durable.settled().then(answer, (cause: Error) => callback(diskFailure(cause)));
  };
}

/** The write may or may not survive: the client must not take it for refused. */
export function diskFailure(cause: Error): Partial<ServiceError> {
  return { code: status.UNAVAILABLE, details: `the registry cannot write to its disk: ${cause.message}` };
}
