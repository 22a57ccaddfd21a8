import type { Log } from "../../ports/log.ts";
import type { Operation, Registry, Txn } from "../../ports/registry.ts";
import { rangeResponse } from "../etcd-wire/wire-answers.ts";
import { rangeQuery } from "../etcd-wire/wire-requests.ts";
import { byteRange } from "../mvcc/byte-range.ts";
import { NO_LEASE } from "../mvcc/key-history.ts";
import { MvccError } from "../mvcc/mvcc-error.ts";
import type { RangeAnswer, RangeQuery } from "../mvcc/mvcc-request.ts";
import { rangeOnce } from "../mvcc/run-txn.ts";
import { forbidden, notServed } from "./front-error.ts";
import { type FrontPeer, headerOf, type PeerLoad, type UnaryHandler, unary } from "./front-peer.ts";
import type { LeaseBook } from "./lease-book.ts";
import type { RootMirror } from "./root-mirror.ts";
import { spanOf, type TextSpan } from "./wire-span.ts";
import { txnOf, txnResponse } from "./wire-txn.ts";

/**
 * How long a list waits for the mirror to show what the registry had when it was asked. A watch is a millisecond behind; it is longer where
 * the last write was outside of what is mirrored, and then the registry is asked for the list itself.
 */
const MIRROR_PATIENCE_MS = 50;

export interface KvParts {
  readonly registry: Registry;
  readonly mirror: RootMirror;
  readonly leases: LeaseBook;
  readonly log: Log;
}

export interface FrontKv {
  readonly Range: UnaryHandler<"RangeRequest", "RangeResponse">;
  readonly Txn: UnaryHandler<"TxnRequest", "TxnResponse">;
}

/** etcd's KV service for one peer: lists are linearizable and come from the mirror, transactions go to the registry. */
export function frontKv(parts: KvParts, peer: FrontPeer, load: PeerLoad): FrontKv {
  const { registry, mirror, leases, log } = parts;
  return {
    Range: unary(load, log, async (request) => {
      const query = rangeQuery(request);
      if (isRevisionQuestion(query)) return { header: headerOf(mirror, await mirror.revision.ask()) };
      requirePlain(query);
      const span = spanOf(byteRange(query.key, query.rangeEnd));
      if (!peer.scope.mayRead(span.prefix, span.exact)) throw forbidden(peer.name, `read ${span.prefix}`);
      const answer = (await fromMirror(mirror, query, span)) ?? (await fromRegistry(registry, query, span));
      return rangeResponse(headerOf(mirror, answer.revision), answer);
    }),
    Txn: unary(load, log, async (request) => {
      const txn = txnOf(request);
      const what = peer.scope.forbiddenIn(txn);
      if (what !== null) throw forbidden(peer.name, what);
      for (const lease of leasesIn(txn)) await leases.requireOwn(lease, peer);
      const result = await registry.txn(txn);
      return txnResponse(headerOf(mirror, result.revision), txn, result);
    }),
  };
}

/** How many keys are there of a name nobody uses: what a client asks that wants to know the revision and nothing else. */
function isRevisionQuestion({ key, rangeEnd, countOnly }: RangeQuery): boolean {
  return key === "\0" && rangeEnd === "" && countOnly;
}

function requirePlain(query: RangeQuery): void {
  if (query.key === "") throw new MvccError("key-empty");
  const { order, target, countOnly, keysOnly, revision } = query;
  const bounds = [query.minModRevision, query.maxModRevision, query.minCreateRevision, query.maxCreateRevision];
  const isPlain = order === "none" && target === "key" && !countOnly && !keysOnly && bounds.every((one) => one === 0);
  if (!isPlain || revision < 0) throw notServed("such lists");
}

async function fromMirror(mirror: RootMirror, query: RangeQuery, { prefix }: TextSpan): Promise<RangeAnswer | null> {
  if (!mirror.has(prefix)) return null;
  const wanted = query.revision > 0 ? query.revision : await mirror.revision.ask();
  if (!(await mirror.reaches(wanted, MIRROR_PATIENCE_MS))) return null;
  const { store } = mirror;
  if (store === null || (query.revision > 0 && query.revision < store.compactedRevision)) return null;
  return rangeOnce(store, query);
}

/** The whole span at that revision, and of it what was asked for. */
async function fromRegistry(registry: Registry, query: RangeQuery, { prefix, exact }: TextSpan): Promise<RangeAnswer> {
  const at = query.revision > 0 ? { revision: query.revision } : {};
  const { entries, revision } = await registry.list(prefix, { exact, ...at });
  const versions = entries
    .map(({ key, value, lease, ...revisions }) => ({
      ...revisions,
      key: Buffer.from(key).toString("latin1"),
      value: Buffer.from(value).toString("latin1"),
      lease: lease ?? NO_LEASE,
    }))
    .filter(({ key }) => key >= query.key);
  const more = query.limit > 0 && versions.length > query.limit;
  const page = more ? versions.slice(0, query.limit) : versions;
  return { kind: "range", revision, versions: page, more, count: versions.length };
}

function leasesIn({ then, otherwise = [] }: Txn): ReadonlySet<string> {
  const of = (operation: Operation) =>
    operation.kind === "put" && operation.lease !== undefined ? [operation.lease] : [];
  return new Set([...then, ...otherwise].flatMap(of));
}
