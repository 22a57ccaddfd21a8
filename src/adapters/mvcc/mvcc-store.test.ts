import assert from "node:assert/strict";
import { test } from "node:test";
import { MvccError } from "./mvcc-error.ts";
import type { CompareQuery, DeleteQuery, OperationQuery, PutQuery, RangeQuery, TxnQuery } from "./mvcc-request.ts";
import { MvccStore } from "./mvcc-store.ts";
import { deleteOnce, putOnce, rangeOnce, runTxn } from "./run-txn.ts";
import { previousOf, WatchCursor } from "./watch-cursor.ts";

const ALL = { from: "", to: null, single: false } as const;

function range(key: string, rest: Partial<RangeQuery> = {}): RangeQuery {
  const bounds = { minModRevision: 0, maxModRevision: 0, minCreateRevision: 0, maxCreateRevision: 0 };
  const shape = { limit: 0, revision: 0, order: "none", target: "key", keysOnly: false, countOnly: false } as const;
  return { kind: "range", key, rangeEnd: "", ...shape, ...bounds, ...rest };
}

function put(key: string, value = "", rest: Partial<PutQuery> = {}): PutQuery {
  return { kind: "put", key, value, lease: "0", wantsPrevious: false, ignoreValue: false, ignoreLease: false, ...rest };
}

function remove(key: string, rangeEnd = ""): DeleteQuery {
  return { kind: "delete", key, rangeEnd, wantsPrevious: false };
}

function txn(success: OperationQuery[], compare: CompareQuery[] = [], failure: OperationQuery[] = []): TxnQuery {
  return { kind: "txn", compare, success, failure };
}

function keysAt(store: MvccStore, revision = 0): string[] {
  return rangeOnce(store, range("a", { rangeEnd: "\0", revision })).versions.map(({ key, value }) => `${key}=${value}`);
}

function refuses(reason: string, run: () => unknown): void {
  assert.throws(run, (error) => error instanceof MvccError && error.reason === reason);
}

test("an empty store is at revision 1, and only what changes something moves it", () => {
  const store = new MvccStore();
  assert.equal(store.revision, 1);
  assert.equal(putOnce(store, put("a")).revision, 2);
  assert.equal(deleteOnce(store, remove("nothing")).revision, 2);
  assert.equal(runTxn(store, txn([range("a")])).revision, 2);
  store.grantLease("7", 5, 0);
  store.compact(2);
  store.revokeLease("7");
  assert.equal(store.revision, 2);
});

test("a transaction takes one revision, and its reads see its earlier writes", () => {
  const store = new MvccStore();
  const answer = runTxn(
    store,
    txn([put("a", "1"), range("a"), remove("a"), range("a")].slice(0, 2).concat(put("b", "2"))),
  );
  assert.equal(answer.revision, 2);
  assert.deepEqual(store.events.at(1), {
    key: "b",
    value: "2",
    createRevision: 2,
    modRevision: 2,
    version: 1,
    lease: "0",
  });
  const seen = answer.answers[1]!;
  assert.equal(seen.kind === "range" && seen.versions[0]?.value, "1");
});

test("a key made again after its deletion begins anew", () => {
  const store = new MvccStore();
  putOnce(store, put("a"));
  putOnce(store, put("a"));
  deleteOnce(store, remove("a"));
  putOnce(store, put("a"));
  const [version] = rangeOnce(store, range("a")).versions;
  assert.deepEqual([version?.createRevision, version?.modRevision, version?.version], [5, 5, 1]);
});

test("the past stays readable until it is compacted", () => {
  const store = new MvccStore();
  putOnce(store, put("a", "1"));
  putOnce(store, put("b", "1"));
  putOnce(store, put("a", "2"));
  deleteOnce(store, remove("b"));
  assert.deepEqual(keysAt(store, 3), ["a=1", "b=1"]);
  assert.deepEqual(keysAt(store, 4), ["a=2", "b=1"]);
  store.compact(4);
  assert.deepEqual(keysAt(store, 4), ["a=2", "b=1"]);
  assert.deepEqual(keysAt(store), ["a=2"]);
  refuses("revision-compacted", () => keysAt(store, 3));
  refuses("revision-future", () => keysAt(store, 6));
  refuses("revision-compacted", () => store.compact(4));
  refuses("revision-future", () => store.compact(6));
});

test("compaction leaves nothing behind of keys long deleted", () => {
  const store = new MvccStore();
  for (let round = 0; round < 50; round++) {
    putOnce(store, put(`k${round}`));
    deleteOnce(store, remove(`k${round}`));
  }
  putOnce(store, put("last"));
  store.compact(store.revision);
  assert.equal([...store.index.all()].length, 1);
  assert.equal(store.events.length, 1);
});

const MISSING: [string, CompareQuery["target"], CompareQuery["is"], boolean][] = [
  ["its mod revision is 0", { kind: "mod", value: 0 }, "=", true],
  ["its version is below 1", { kind: "version", value: 1 }, "<", true],
  ["it equals no value, not even an empty one", { kind: "value", value: "" }, "=", false],
  ["it differs from no value either", { kind: "value", value: "x" }, "!=", false],
  ["its lease is 0", { kind: "lease", value: "0" }, "=", true],
];
for (const [sentence, target, is, expected] of MISSING) {
  test(`of a key that does not exist: ${sentence}`, () => {
    const answer = runTxn(new MvccStore(), txn([], [{ key: "no", rangeEnd: "", target, is }]));
    assert.equal(answer.succeeded, expected);
  });
}

test("comparisons, nested ones too, see the state before the transaction", () => {
  const store = new MvccStore();
  const absent: CompareQuery = { key: "a", rangeEnd: "", target: { kind: "create", value: 0 }, is: "=" };
  const answer = runTxn(store, txn([put("a"), txn([put("b")], [absent])], [absent]));
  assert.equal(answer.answers[1]!.kind === "txn" && answer.answers[1]!.succeeded, true);
  assert.deepEqual(keysAt(store), ["a=", "b="]);
});

test("128 operations are allowed, 129 are not, and one inside another counts against what is left", () => {
  const store = new MvccStore();
  const puts = (count: number) => Array.from({ length: count }, (_, at) => put(`k${at}`));
  runTxn(store, txn(puts(128)));
  refuses("too-many-operations", () => runTxn(store, txn(puts(129))));
  runTxn(store, txn([txn(puts(127))]));
  refuses("too-many-operations", () => runTxn(store, txn([txn(puts(128))])));
});

test("a key is written once in a transaction, both branches looked at, but for a deletion without an end", () => {
  const store = new MvccStore();
  putOnce(store, put("a"));
  refuses("duplicate-key", () => runTxn(store, txn([], [], [put("a"), put("a")])));
  refuses("duplicate-key", () => runTxn(store, txn([remove("a", "b"), put("aa")])));
  runTxn(store, txn([txn([put("a")], [], [put("a")])]));
  const answer = runTxn(store, txn([remove("a", "\0"), put("a", "again")]));
  assert.deepEqual(keysAt(store), ["a=again"]);
  const at = store.events.length;
  const last = [store.events.at(at - 2), store.events.at(at - 1)];
  assert.deepEqual(
    last.map(({ modRevision, version }) => [modRevision, version]),
    [
      [answer.revision, 0],
      [answer.revision, 1],
    ],
  );
});

test("a refused transaction changed nothing", () => {
  const store = new MvccStore();
  refuses("lease-not-found", () => runTxn(store, txn([put("a"), put("b", "", { lease: "9" })])));
  refuses("revision-future", () => runTxn(store, txn([put("a"), range("b", { revision: 9 })])));
  refuses("key-not-found", () => runTxn(store, txn([put("a"), put("b", "", { ignoreValue: true })])));
  assert.equal(store.revision, 1);
  assert.deepEqual(keysAt(store), []);
});

test("the end of a lease deletes its keys in byte order, in one revision; a key put without it stays", () => {
  const store = new MvccStore();
  assert.equal(store.grantLease("8", 1, 0), 2);
  for (const key of ["c", "a", "b"]) putOnce(store, put(key, "", { lease: "8" }));
  putOnce(store, put("b"));
  store.expireLeases(1999);
  assert.equal(store.revision, 5);
  assert.notEqual(store.renewLease("8", 1000), undefined);
  store.expireLeases(2999);
  assert.equal(store.revision, 5);
  assert.equal(store.renewLease("8", 3000), undefined);
  store.expireLeases(3000);
  assert.equal(store.revision, 6);
  assert.deepEqual(keysAt(store), ["b="]);
  assert.deepEqual([store.events.at(4).key, store.events.at(5).key], ["a", "c"]);
});

test("leases are refused for a taken id, no id, and more than 9e9 seconds", () => {
  const store = new MvccStore();
  store.grantLease("8", 5, 0);
  refuses("lease-exists", () => store.grantLease("8", 5, 0));
  refuses("lease-not-found", () => store.grantLease("0", 5, 0));
  refuses("lease-ttl-too-large", () => store.grantLease("9", 9_000_000_001, 0));
  refuses("lease-not-found", () => store.revokeLease("9"));
});

test("limit and bounds: `count` knows neither, `more` both", () => {
  const store = new MvccStore();
  for (const key of ["a", "b", "c", "d"]) putOnce(store, put(key));
  const limited = rangeOnce(store, range("a", { rangeEnd: "\0", limit: 2 }));
  assert.deepEqual([limited.versions.length, limited.more, limited.count], [2, true, 4]);
  const bounded = rangeOnce(store, range("a", { rangeEnd: "\0", limit: 2, minModRevision: 4 }));
  assert.deepEqual([bounded.versions.map(({ key }) => key), bounded.more, bounded.count], [["c", "d"], false, 4]);
  const counted = rangeOnce(store, range("a", { rangeEnd: "\0", limit: 1, countOnly: true }));
  assert.deepEqual([counted.versions, counted.more, counted.count], [[], false, 4]);
});

test("unordered but not by key: cut to one more than the limit first, sorted then, as etcd does", () => {
  const store = new MvccStore();
  for (const [key, value] of [
    ["a", "3"],
    ["b", "2"],
    ["c", "1"],
    ["d", "0"],
  ] as const)
    putOnce(store, put(key, value));
  const answer = rangeOnce(store, range("a", { rangeEnd: "\0", limit: 2, target: "value" }));
  assert.deepEqual(
    answer.versions.map(({ value }) => value),
    ["1", "2"],
  );
});

test("a watcher from the compacted revision on misses nothing, a deletion there neither", () => {
  const store = new MvccStore();
  putOnce(store, put("a"));
  deleteOnce(store, remove("a"));
  store.compact(3);
  const step = new WatchCursor(store, ALL, 3).next(store.revision);
  assert.deepEqual(step.kind === "events" && step.events.map(({ key, version }) => [key, version]), [["a", 0]]);
  assert.deepEqual(new WatchCursor(store, ALL, 2).next(store.revision), { kind: "compacted", revision: 3 });
});

test("a batch ends with a whole revision", () => {
  const store = new MvccStore();
  const many = (base: number) => txn(Array.from({ length: 120 }, (_, at) => put(`k${base}-${at}`)));
  for (let round = 0; round < 20; round++) runTxn(store, many(round));
  const cursor = new WatchCursor(store, ALL, 1);
  const sizes: number[] = [];
  for (let step = cursor.next(store.revision); step.kind === "events"; step = cursor.next(store.revision)) {
    sizes.push(step.events.length);
  }
  assert.deepEqual(sizes, [1080, 1080, 240]);
});

test("nothing beyond what is asked for is shown to a watcher, and what is to come waits", () => {
  const store = new MvccStore();
  for (const key of ["a", "b", "c"]) putOnce(store, put(key));
  const cursor = new WatchCursor(store, ALL, 3);
  assert.deepEqual(cursor.next(2), { kind: "idle" });
  const step = cursor.next(3);
  assert.deepEqual(step.kind === "events" && step.events.map(({ key }) => key), ["b"]);
  assert.equal(cursor.next(4).kind, "events");
});

test("the key before an event is known unless its revision is gone", () => {
  const store = new MvccStore();
  putOnce(store, put("a", "1"));
  putOnce(store, put("a", "2"));
  assert.equal(previousOf(store, store.events.at(1))?.value, "1");
  assert.equal(previousOf(store, store.events.at(0)), undefined);
  store.compact(3);
  assert.equal(previousOf(store, store.events.at(0)), undefined);
});

test("its snapshot makes the same store again, past and leases included", () => {
  const store = new MvccStore();
  store.grantLease("8", 5, 0);
  putOnce(store, put("a", "1", { lease: "8" }));
  putOnce(store, put("b", "1"));
  runTxn(store, txn([remove("a", "\0"), put("z"), put("c", "1", { lease: "8" })]));
  putOnce(store, put("b", "2"));
  store.compact(4);
  const again = new MvccStore();
  for (const effect of store.snapshot()) again.replay(effect, 100);
  assert.equal(again.revision, store.revision);
  assert.equal(again.compactedRevision, 4);
  assert.deepEqual(keysAt(again, 4), keysAt(store, 4));
  assert.deepEqual(keysAt(again), keysAt(store));
  assert.deepEqual([...again.leases.all()], [{ id: "8", ttlSeconds: 5, deadlineMs: 5100, keys: new Set(["c"]) }]);
  const events = (of: MvccStore) => Array.from({ length: of.events.length }, (_, at) => of.events.at(at));
  assert.deepEqual(events(again), events(store));
});

test("what its effects say is all there is to know", () => {
  const store = new MvccStore();
  const again = new MvccStore();
  store.subscribe((effect) => again.replay(effect, 0));
  store.grantLease("8", 5, 0);
  putOnce(store, put("a", "1", { lease: "8" }));
  runTxn(store, txn([put("b"), put("c")]));
  store.compact(2);
  store.revokeLease("8");
  assert.deepEqual(again.snapshot(), store.snapshot());
});
