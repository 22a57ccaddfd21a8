import type { MethodDefinition } from "@grpc/grpc-js";
import Long from "long";
import protobuf from "protobufjs/light.js";
import { decodeRangeResponse, decodeTxnResponse } from "./decode-listing.ts";
import { encodeRangeResponse, encodeTxnResponse } from "./encode-listing.ts";
import descriptor from "./etcd.descriptor.json" with { type: "json" };
import type { EtcdMessageName, EtcdMessages, Outgoing } from "./etcd-messages.ts";

// protobufjs looks for `long` by a require that a bundler cannot see; without it 64-bit numbers are rounded to doubles.
protobuf.util.Long = Long;
protobuf.configure();

const root = protobuf.Root.fromJSON(descriptor as protobuf.INamespace);
const types = new Map<EtcdMessageName, protobuf.Type>();

/** `etcd-messages.ts` describes the outcome: 64-bit numbers as text, enums as numbers, all fields present. */
const DECODED: protobuf.IConversionOptions = { longs: String, defaults: true, arrays: true, oneofs: true };

/** The message as bytes of the wire. Fields that are missing are not sent. */
export function encodeEtcd<Name extends EtcdMessageName>(name: Name, message: Outgoing<EtcdMessages[Name]>): Buffer {
  const type = typeNamed(name);
  return Buffer.from(type.encode(type.fromObject(message)).finish());
}

/** The message of these bytes; its Buffers share their memory. Throws where they are not such a message. */
export function decodeEtcd<Name extends EtcdMessageName>(name: Name, bytes: Buffer): EtcdMessages[Name] {
  const type = typeNamed(name);
  return type.toObject(type.decode(bytes), DECODED) as EtcdMessages[Name];
}

/** Read without protobufjs, because nothing else is that long; null where it has to. */
const LISTINGS: Partial<Record<EtcdMessageName, (bytes: Buffer) => object | null>> = {
  RangeResponse: decodeRangeResponse,
  TxnResponse: decodeTxnResponse,
};

const WRITTEN: Partial<Record<EtcdMessageName, (message: object) => Buffer | null>> = {
  RangeResponse: encodeRangeResponse,
  TxnResponse: encodeTxnResponse,
};

/** What grpc-js needs for one call, as client (`makeGenericClientConstructor`, `makeUnaryRequest`) and as server (`addService`). */
export type EtcdMethod<Request extends EtcdMessageName, Response extends EtcdMessageName> = MethodDefinition<
  Outgoing<EtcdMessages[Request]>,
  EtcdMessages[Response]
>;

function method<Request extends EtcdMessageName, Response extends EtcdMessageName>(
  path: string,
  request: Request,
  response: Response,
  stream = false,
): EtcdMethod<Request, Response> {
  return {
    path: `/etcdserverpb.${path}`,
    requestStream: stream,
    responseStream: stream,
    requestSerialize: (message) => encodeEtcd(request, message),
    requestDeserialize: (bytes) => decodeEtcd(request, bytes) as Outgoing<EtcdMessages[Request]>,
    responseSerialize: (message) =>
      WRITTEN[response]?.(message) ?? encodeEtcd(response, message as Outgoing<EtcdMessages[Response]>),
    responseDeserialize: (bytes) =>
      (LISTINGS[response]?.(bytes) as EtcdMessages[Response] | null | undefined) ?? decodeEtcd(response, bytes),
  };
}

export const KV_METHODS = {
  Range: method("KV/Range", "RangeRequest", "RangeResponse"),
  Put: method("KV/Put", "PutRequest", "PutResponse"),
  DeleteRange: method("KV/DeleteRange", "DeleteRangeRequest", "DeleteRangeResponse"),
  Txn: method("KV/Txn", "TxnRequest", "TxnResponse"),
  Compact: method("KV/Compact", "CompactionRequest", "CompactionResponse"),
};

export const WATCH_METHODS = {
  Watch: method("Watch/Watch", "WatchRequest", "WatchResponse", true),
};

export const LEASE_METHODS = {
  LeaseGrant: method("Lease/LeaseGrant", "LeaseGrantRequest", "LeaseGrantResponse"),
  LeaseRevoke: method("Lease/LeaseRevoke", "LeaseRevokeRequest", "LeaseRevokeResponse"),
  LeaseKeepAlive: method("Lease/LeaseKeepAlive", "LeaseKeepAliveRequest", "LeaseKeepAliveResponse", true),
  LeaseTimeToLive: method("Lease/LeaseTimeToLive", "LeaseTimeToLiveRequest", "LeaseTimeToLiveResponse"),
  LeaseLeases: method("Lease/LeaseLeases", "LeaseLeasesRequest", "LeaseLeasesResponse"),
};

export const MAINTENANCE_METHODS = {
  Status: method("Maintenance/Status", "StatusRequest", "StatusResponse"),
  Alarm: method("Maintenance/Alarm", "AlarmRequest", "AlarmResponse"),
};

export const CLUSTER_METHODS = {
  MemberList: method("Cluster/MemberList", "MemberListRequest", "MemberListResponse"),
};

export const AUTH_METHODS = {
  Authenticate: method("Auth/Authenticate", "AuthenticateRequest", "AuthenticateResponse"),
};

function typeNamed(name: EtcdMessageName): protobuf.Type {
  let type = types.get(name);
  if (type === undefined) {
    type = root.lookupType(`etcdserverpb.${name}`);
    types.set(name, type);
  }
  return type;
}
