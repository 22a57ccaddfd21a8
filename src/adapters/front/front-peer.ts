import type { handleBidiStreamingCall, handleUnaryCall, ServerErrorResponse } from "@grpc/grpc-js";
import type { RegistryScope } from "../../codec/machine-scope.ts";
import type { Log } from "../../ports/log.ts";
import type { EtcdMessageName, EtcdMessages, Outgoing, ResponseHeader } from "../etcd-proto/etcd-messages.ts";
import { registryAway, serviceErrorOf, tooMany } from "./front-error.ts";
import type { RootMirror } from "./root-mirror.ts";

/** Who is at the other end, and what it may do. */
export interface FrontPeer {
  /** Its machine's id, or whatever names it: connections of the same name share limits and leases. */
  readonly name: string;
  readonly scope: RegistryScope;
}

/** Of one peer, all its connections together: an agent has one of each under way as a rule, and 12 where its registry comes back. */
const CALLS_MAX = 64;

/** How much a peer has under way. */
export class PeerLoad {
  calls = 0;
  watches = 0;
}

export type UnaryHandler<Request extends EtcdMessageName, Response extends EtcdMessageName> = handleUnaryCall<
  Outgoing<EtcdMessages[Request]>,
  Outgoing<EtcdMessages[Response]>
>;

export type StreamHandler<Request extends EtcdMessageName, Response extends EtcdMessageName> = handleBidiStreamingCall<
  Outgoing<EtcdMessages[Request]>,
  Outgoing<EtcdMessages[Response]>
>;

/** A call that answers later; what it throws is what the peer is told. */
export function unary<Request extends EtcdMessageName, Response extends EtcdMessageName>(
  load: PeerLoad,
  log: Log,
  run: (request: EtcdMessages[Request]) => Promise<Outgoing<EtcdMessages[Response]>>,
): UnaryHandler<Request, Response> {
  return (call, callback) => {
    const refuse = (error: unknown) => callback(serviceErrorOf(error, log) satisfies Partial<ServerErrorResponse>);
    if (load.calls >= CALLS_MAX) return refuse(tooMany());
    load.calls += 1;
    run(call.request as EtcdMessages[Request])
      .then((response) => callback(null, response), refuse)
      .finally(() => {
        load.calls -= 1;
      });
  };
}

/** Throws FrontRefusal while the engine has not heard from the registry at all. */
export function headerOf({ store }: RootMirror, revision: number): Outgoing<ResponseHeader> {
  if (store === null) throw registryAway("this engine has not reached it yet");
  // A front has no member id and no term of its own; no client of ours looks at them.
  return { cluster_id: store.clusterId, member_id: "1", revision: String(revision), raft_term: "1" };
}
