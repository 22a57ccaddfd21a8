/**
 * etcd's v3 messages as they look decoded: every field present, 64-bit numbers as decimal text, absent messages null, a
 * oneof's virtual field naming the member that is set (whose siblings are missing). Names are etcd's own, so that its
 * documentation reads on.
 */
export interface ResponseHeader {
  cluster_id: string;
  member_id: string;
  revision: string;
  raft_term: string;
}

export interface KeyValue {
  key: Buffer;
  create_revision: string;
  mod_revision: string;
  version: string;
  value: Buffer;
  lease: string;
}

export const EVENT_PUT = 0;
export const EVENT_DELETE = 1;

export interface Event {
  type: number;
  kv: KeyValue | null;
  prev_kv: KeyValue | null;
}

export const SORT_ORDER = { none: 0, ascend: 1, descend: 2 } as const;
export const SORT_TARGET = { key: 0, version: 1, create: 2, mod: 3, value: 4 } as const;

export interface RangeRequest {
  key: Buffer;
  range_end: Buffer;
  limit: string;
  revision: string;
  sort_order: number;
  sort_target: number;
  serializable: boolean;
  keys_only: boolean;
  count_only: boolean;
  min_mod_revision: string;
  max_mod_revision: string;
  min_create_revision: string;
  max_create_revision: string;
}

export interface RangeResponse {
  header: ResponseHeader | null;
  kvs: KeyValue[];
  more: boolean;
  count: string;
}

export interface PutRequest {
  key: Buffer;
  value: Buffer;
  lease: string;
  prev_kv: boolean;
  ignore_value: boolean;
  ignore_lease: boolean;
}

export interface PutResponse {
  header: ResponseHeader | null;
  prev_kv: KeyValue | null;
}

export interface DeleteRangeRequest {
  key: Buffer;
  range_end: Buffer;
  prev_kv: boolean;
}

export interface DeleteRangeResponse {
  header: ResponseHeader | null;
  deleted: string;
  prev_kvs: KeyValue[];
}

export const COMPARE_RESULT = { equal: 0, greater: 1, less: 2, notEqual: 3 } as const;
export const COMPARE_TARGET = { version: 0, create: 1, mod: 2, value: 3, lease: 4 } as const;

export interface Compare {
  result: number;
  target: number;
  key: Buffer;
  range_end: Buffer;
  target_union?: "version" | "create_revision" | "mod_revision" | "value" | "lease";
  version?: string;
  create_revision?: string;
  mod_revision?: string;
  value?: Buffer;
  lease?: string;
}

export interface RequestOp {
  request?: "request_range" | "request_put" | "request_delete_range" | "request_txn";
  request_range?: RangeRequest;
  request_put?: PutRequest;
  request_delete_range?: DeleteRangeRequest;
  request_txn?: TxnRequest;
}

export interface ResponseOp {
  response?: "response_range" | "response_put" | "response_delete_range" | "response_txn";
  response_range?: RangeResponse;
  response_put?: PutResponse;
  response_delete_range?: DeleteRangeResponse;
  response_txn?: TxnResponse;
}

export interface TxnRequest {
  compare: Compare[];
  success: RequestOp[];
  failure: RequestOp[];
}

export interface TxnResponse {
  header: ResponseHeader | null;
  succeeded: boolean;
  responses: ResponseOp[];
}

export interface CompactionRequest {
  revision: string;
  physical: boolean;
}

export interface HeaderOnlyResponse {
  header: ResponseHeader | null;
}

export const WATCH_FILTER = { noPut: 0, noDelete: 1 } as const;

export interface WatchCreateRequest {
  key: Buffer;
  range_end: Buffer;
  start_revision: string;
  progress_notify: boolean;
  filters: number[];
  prev_kv: boolean;
  watch_id: string;
  fragment: boolean;
}

export interface WatchRequest {
  request_union?: "create_request" | "cancel_request" | "progress_request";
  create_request?: WatchCreateRequest;
  cancel_request?: { watch_id: string };
  progress_request?: Record<string, never>;
}

export interface WatchResponse {
  header: ResponseHeader | null;
  watch_id: string;
  created: boolean;
  canceled: boolean;
  compact_revision: string;
  cancel_reason: string;
  fragment: boolean;
  events: Event[];
}

export interface LeaseGrantRequest {
  TTL: string;
  ID: string;
}

export interface LeaseGrantResponse {
  header: ResponseHeader | null;
  ID: string;
  TTL: string;
  error: string;
}

export interface LeaseRevokeRequest {
  ID: string;
}

export interface LeaseKeepAliveRequest {
  ID: string;
}

export interface LeaseKeepAliveResponse {
  header: ResponseHeader | null;
  ID: string;
  TTL: string;
}

export interface LeaseTimeToLiveRequest {
  ID: string;
  keys: boolean;
}

export interface LeaseTimeToLiveResponse {
  header: ResponseHeader | null;
  ID: string;
  TTL: string;
  grantedTTL: string;
  keys: Buffer[];
}

export interface LeaseLeasesResponse {
  header: ResponseHeader | null;
  leases: { ID: string }[];
}

export interface StatusResponse {
  header: ResponseHeader | null;
  version: string;
  dbSize: string;
  leader: string;
  raftIndex: string;
  raftTerm: string;
  raftAppliedIndex: string;
  errors: string[];
  dbSizeInUse: string;
  isLearner: boolean;
}

export interface AlarmRequest {
  action: number;
  memberID: string;
  alarm: number;
}

export interface AlarmResponse {
  header: ResponseHeader | null;
  alarms: { memberID: string; alarm: number }[];
}

export interface Member {
  ID: string;
  name: string;
  peerURLs: string[];
  clientURLs: string[];
  isLearner: boolean;
}

export interface MemberListResponse {
  header: ResponseHeader | null;
  members: Member[];
}

export interface AuthenticateRequest {
  name: string;
  password: string;
}

export interface AuthenticateResponse {
  header: ResponseHeader | null;
  token: string;
}

/** Message name → decoded form. */
export interface EtcdMessages {
  RangeRequest: RangeRequest;
  RangeResponse: RangeResponse;
  PutRequest: PutRequest;
  PutResponse: PutResponse;
  DeleteRangeRequest: DeleteRangeRequest;
  DeleteRangeResponse: DeleteRangeResponse;
  TxnRequest: TxnRequest;
  TxnResponse: TxnResponse;
  CompactionRequest: CompactionRequest;
  CompactionResponse: HeaderOnlyResponse;
  WatchRequest: WatchRequest;
  WatchResponse: WatchResponse;
  LeaseGrantRequest: LeaseGrantRequest;
  LeaseGrantResponse: LeaseGrantResponse;
  LeaseRevokeRequest: LeaseRevokeRequest;
  LeaseRevokeResponse: HeaderOnlyResponse;
  LeaseKeepAliveRequest: LeaseKeepAliveRequest;
  LeaseKeepAliveResponse: LeaseKeepAliveResponse;
  LeaseTimeToLiveRequest: LeaseTimeToLiveRequest;
  LeaseTimeToLiveResponse: LeaseTimeToLiveResponse;
  LeaseLeasesRequest: Record<string, never>;
  LeaseLeasesResponse: LeaseLeasesResponse;
  StatusRequest: Record<string, never>;
  StatusResponse: StatusResponse;
  AlarmRequest: AlarmRequest;
  AlarmResponse: AlarmResponse;
  MemberListRequest: { linearizable: boolean };
  MemberListResponse: MemberListResponse;
  AuthenticateRequest: AuthenticateRequest;
  AuthenticateResponse: AuthenticateResponse;
}

export type EtcdMessageName = keyof EtcdMessages;

/**
 * A message to encode: any field may be missing. Leave `range_end` out where there is none: a set but empty one means "to
 * the end" to etcd in some calls and "this key" in others. Bytes are Buffers, never strings (those are read as base64).
 */
export type Outgoing<T> = T extends Buffer
  ? T
  : T extends (infer Item)[]
    ? readonly Outgoing<Item>[]
    : T extends object
      ? { readonly [Key in keyof T]?: Outgoing<T[Key]> }
      : T;
