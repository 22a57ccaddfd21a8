import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { thirdPartyBinary } from "../../scripts/third-party.ts";
import { startEmbeddedRegistry } from "../../src/adapters/embedded/embedded-registry-server.ts";
import type {
  KeyValue,
  Outgoing,
  RangeRequest,
  RequestOp,
  ResponseOp,
  WatchCreateRequest,
  WatchResponse,
} from "../../src/adapters/etcd-proto/etcd-messages.ts";
import { KV_METHODS, LEASE_METHODS } from "../../src/adapters/etcd-proto/etcd-proto.ts";
import { EtcdProcess } from "./etcd-process.ts";
import { LEASE_IDS, RandomRequests } from "./random-etcd-requests.ts";
import { type Answer, RawEtcdClient, type RawWatch, until } from "./raw-etcd-client.ts";

/** About 2 ms each: enough to meet every rule hundreds of times and stay well below 20 s. */
const STEPS = Number(process.env.FLEET_DIFFERENTIAL_STEPS ?? 3000);
const SEED = Number(process.env.FLEET_DIFFERENTIAL_SEED ?? Date.now() % 1_000_000);

test("the embedded registry answers as etcd 3.4 does, whatever it is asked", async (context) => {
  if (!(await isAvailable(context))) return;
  const etcd = await EtcdProcess.start("3.4");
  const dataDir = mkdtempSync(join(tmpdir(), "fleet-differential-"));
  const embedded = await startEmbeddedRegistry({ dataDir, listen: ["127.0.0.1:0"] });
  const clients = [new RawEtcdClient(`127.0.0.1:${etcd.port}`), new RawEtcdClient(embedded.addresses[0]!)] as const;
  try {
    await compareThem(clients);
  } finally {
    for (const client of clients) client.close();
    await embedded.close();
    await etcd.remove();
    rmSync(dataDir, { recursive: true });
  }
});

async function isAvailable(context: TestContext): Promise<boolean> {
  try {
    await thirdPartyBinary("etcd-3.4");
    return true;
  } catch (error) {
    context.skip((error as Error).message);
    return false;
  }
}

type Pair<Item> = readonly [etcd: Item, embedded: Item];

async function compareThem(clients: Pair<RawEtcdClient>): Promise<void> {
  const requests = new RandomRequests(SEED);
  const watches: { readonly pair: Pair<RawWatch>; readonly request: Outgoing<WatchCreateRequest> }[] = [];
  let compacted = 0;
  const both = async <Message>(
    ask: (client: RawEtcdClient) => Promise<Answer<Message>>,
  ): Promise<Pair<Answer<Message>>> => Promise.all([ask(clients[0]), ask(clients[1])]);
  // Both have said all there is to say: what a watch says of the past depends on when it looks at a compaction.
  const caughtUp = () => {
    const isEven = ({ pair: [etcd, embedded] }: (typeof watches)[number]) => {
      if (isOvertaken([etcd, embedded])) return true;
      const bothEnded = etcd.responses.some(isEnd) === embedded.responses.some(isEnd);
      return etcd.events.length === embedded.events.length && bothEnded;
    };
    const uneven = () =>
      watches.filter((watch) => !isEven(watch)).map(({ request }) => JSON.stringify(request, readable));
    return until(
      () => watches.every(isEven),
      () => `seed ${SEED}: one says more than the other to ${uneven().join(", ")}`,
    );
  };

  for (let step = 0; step < STEPS; step++) {
    const where = `seed ${SEED}, step ${step}`;
    const kind = requests.below(100);
    if (kind < 20) {
      const request = requests.put();
      same(await both((client) => client.call(KV_METHODS.Put, request)), request, where);
    } else if (kind < 28) {
      const request = requests.delete();
      same(await both((client) => client.call(KV_METHODS.DeleteRange, request)), request, where);
    } else if (kind < 50) {
      const request = requests.range();
      const answers = await both((client) => client.call(KV_METHODS.Range, request));
      for (const answer of answers) if ("response" in answer) forgetTies(request, answer.response.kvs);
      same(answers, request, where);
    } else if (kind < 88) {
      const request = requests.txn();
      const answers = await both((client) => client.call(KV_METHODS.Txn, request));
      for (const answer of answers) {
        if ("response" in answer) forgetTiesInside(request, answer.response.succeeded, answer.response.responses);
      }
      same(answers, request, where);
      const [{ response }] = answers as Pair<{ response?: { header: { revision: string } | null } }>;
      if (response?.header) requests.revision = Number(response.header.revision);
    } else if (kind < 92) {
      const request = { ID: requests.pick(LEASE_IDS), TTL: String(1000 + requests.below(5)) };
      same(await both((client) => client.call(LEASE_METHODS.LeaseGrant, request)), request, where);
    } else if (kind < 94) {
      const request = { ID: requests.pick(LEASE_IDS) };
      same(await both((client) => client.call(LEASE_METHODS.LeaseRevoke, request)), request, where);
    } else if (kind < 96) {
      const request = { ID: requests.pick(LEASE_IDS), keys: true };
      const answers = await both((client) => client.call(LEASE_METHODS.LeaseTimeToLive, request));
      for (const answer of answers) {
        if (!("response" in answer)) continue;
        answer.response.keys.sort(Buffer.compare);
        // The two were granted a moment apart.
        if (Number(answer.response.TTL) > 0) answer.response.TTL = "left";
      }
      same(answers, request, where);
    } else if (kind === 96) {
      await caughtUp();
      const request = { revision: String(Math.max(0, requests.revision + 2 - requests.below(60))), physical: true };
      const answers = await both((client) => client.call(KV_METHODS.Compact, request));
      same(answers, request, where);
      if ("response" in answers[0]) compacted = Number(request.revision);
    } else if (watches.length < 60) {
      // At exactly the compacted revision etcd forgets deletions and we do not.
      let start = Math.max(0, requests.revision + 3 - requests.below(40));
      if (start === compacted) start++;
      const request: Outgoing<WatchCreateRequest> = {
        ...requests.span(),
        start_revision: String(start),
        prev_kv: requests.chance(0.3),
        filters: requests.chance(0.2) ? [requests.below(2)] : [],
        fragment: requests.chance(0.5),
      };
      const pair = [
        clients[0].watch({ create_request: request }),
        clients[1].watch({ create_request: request }),
      ] as const;
      await until(
        () => pair.every(({ responses }) => responses.length > 0),
        () => `${where}: a watch is answered`,
      );
      same([pair[0].responses[0]!, pair[1].responses[0]!], request, where);
      watches.push({ pair, request });
    }
  }
  await caughtUp();
  for (const { pair, request } of watches) {
    for (const [at, event] of pair[0].events.entries()) {
      same([event, pair[1].events[at]], request, `seed ${SEED}, event ${at}`);
    }
    if (isOvertaken(pair)) continue;
    const ends = pair.map(({ responses }) => responses.filter(isEnd));
    same([ends[0], ends[1]], request, `seed ${SEED}: ends`);
  }
  assert.ok(watches.some(({ pair }) => pair[0].events.length > 0));
}

/** etcd looks after watches of the past every 100 ms: a compaction may come first, where ours had told everything by then. */
function isOvertaken([etcd, embedded]: Pair<RawWatch>): boolean {
  return etcd.responses.some(isEnd) && !embedded.responses.some(isEnd) && etcd.events.length <= embedded.events.length;
}

function isEnd(response: WatchResponse): boolean {
  return response.canceled;
}

/** Equal but for who answers. */
function same(pair: Pair<unknown>, request: unknown, where: string): void {
  const [etcd, embedded] = pair.map((answer) => JSON.stringify(answer, readable, 1));
  assert.equal(embedded, etcd, `${where}: ${JSON.stringify(request, readable)}`);
}

function readable(name: string, value: unknown): unknown {
  if (name === "cluster_id" || name === "member_id" || name === "raft_term") return value === "0" ? "none" : "some";
  const bytes = value as { type?: string; data?: number[] } | null;
  if (bytes?.type === "Buffer") return Buffer.from(bytes.data!).toString("latin1");
  return value;
}

/** Keys that sort alike come in any order from etcd (Go's sort is not stable): then only what was sorted by counts. */
function forgetTies(request: Outgoing<RangeRequest>, kvs: KeyValue[]): void {
  const target = (["key", "version", "create_revision", "mod_revision", "value"] as const)[request.sort_target ?? 0]!;
  if (target === "key") return;
  kvs.splice(0, kvs.length, ...kvs.map((kv) => ({ [target]: kv[target] }) as unknown as KeyValue));
}

function forgetTiesInside(
  request: { readonly success?: readonly Outgoing<RequestOp>[]; readonly failure?: readonly Outgoing<RequestOp>[] },
  succeeded: boolean,
  responses: readonly ResponseOp[],
): void {
  const operations = (succeeded ? request.success : request.failure) ?? [];
  for (const [at, operation] of operations.entries()) {
    const response = responses[at]!;
    if (operation.request_range) forgetTies(operation.request_range, response.response_range!.kvs);
    if (operation.request_txn) {
      const { succeeded: inner, responses: answers } = response.response_txn!;
      forgetTiesInside(operation.request_txn, inner, answers);
    }
  }
}
