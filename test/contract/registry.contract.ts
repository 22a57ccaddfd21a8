import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { OperationError, UnknownResultError } from "../../src/ports/operation-error.ts";
import type { Compare, Entry, EntryChange, Operation, Registry, Txn, WatchMessage } from "../../src/ports/registry.ts";
import { TXN_OPERATIONS_MAX } from "../../src/ports/registry.ts";

/** One store and as many clients of it as a test asks for. */
export interface RegistryWorld {
  connect(): Promise<Registry>;
  /** Forgets history before that revision. */
  compact(revision: number): Promise<void>;
  close(): Promise<void>;
}

/** Longer than anything here takes on a busy machine; a hang fails by its own name instead of the runner's. */
const TEST_LIMIT_MS = 20_000;
/** Bigger than a page of any adapter, and no multiple of one. */
const MANY_KEYS = 2_345;

const put = (key: string, value = "v", lease?: string): Operation => ({
  kind: "put",
  key,
  value,
  ...(lease === undefined ? {} : { lease }),
});
const write = (...then: Operation[]): Txn => ({ when: [], then });
const keysOf = (entries: readonly Entry[]) => entries.map((entry) => entry.key);
const isRefusal = (error: unknown) => error instanceof OperationError && !(error instanceof UnknownResultError);
const hasCode = (code: string) => (error: unknown) => isRefusal(error) && (error as OperationError).code === code;

/** "put key=value@revision" or "delete key@revision": enough to compare orders by eye. */
const textOf = (change: EntryChange): string =>
  change.kind === "delete"
    ? `delete ${change.key}@${change.modRevision}`
    : `put ${change.entry.key}=${change.entry.value}@${change.entry.modRevision}`;

/** Watches until it has seen that many changes or "compacted"; progress is left out. */
async function watched(registry: Registry, prefix: string, after: number, changes: number): Promise<readonly string[]> {
  const stop = new AbortController();
  const seen: string[] = [];
  for await (const message of registry.watch(prefix, after, stop.signal)) {
    seen.push(...textsOf(message));
    if (seen.length >= changes) stop.abort();
  }
  return seen;
}

function textsOf(message: WatchMessage): readonly string[] {
  if (message.kind === "changes") return message.changes.map(textOf);
  return message.kind === "compacted" ? ["compacted"] : [];
}

/** Every promise of the port `Registry`, against whatever `makeWorld` starts. The tests of one world run one after another. */
export function registryContract(name: string, makeWorld: () => Promise<RegistryWorld>): void {
  let world: RegistryWorld;
  let registry: Registry;
  let other: Registry;
  let tests = 0;
  before(async () => {
    world = await makeWorld();
    registry = await world.connect();
    other = await world.connect();
  });
  after(async () => {
    await registry?.close();
    await other?.close();
    await world?.close();
  });
  const promises = (sentence: string, body: (prefix: string) => Promise<void>) => {
    tests += 1;
    const prefix = `/contract/${tests}/`;
    test(`${name}: ${sentence}`, { timeout: TEST_LIMIT_MS }, () => body(prefix));
  };

  promises("a key written is listed with its revisions and version, by every client", async (prefix) => {
    const created = await registry.txn(write(put(`${prefix}a`, "1")));
    const changed = await registry.txn(write(put(`${prefix}a`, "2")));
    assert.deepEqual([created.succeeded, created.listings], [true, []]);
    const listing = await other.list(prefix);
    assert.deepEqual(listing.entries, [
      {
        key: `${prefix}a`,
        value: "2",
        createRevision: created.revision,
        modRevision: changed.revision,
        version: 2,
        lease: null,
      },
    ]);
    assert.equal(listing.revision, changed.revision);
  });

  promises("a list holds every key under the prefix and none beside it, in order of bytes", async (prefix) => {
    // U+FF5E sorts after U+1F600 as UTF-16 and before it as UTF-8.
    const inside = ["", "0", "a", "a/b", "a0", "ä", "\uff5e", "\u{1f600}"].map((rest) => `${prefix}${rest}`);
    const beside = [prefix.slice(0, -1), `${prefix.slice(0, -1)}0`, `${prefix.slice(0, -1)}.`];
    await registry.txn(write(...[...inside].reverse().map((key) => put(key)), ...beside.map((key) => put(key))));
    assert.deepEqual(keysOf((await registry.list(prefix)).entries), inside);
    assert.deepEqual(keysOf((await registry.list(`${prefix}a`)).entries), inside.slice(2, 5));
    assert.deepEqual(keysOf((await registry.list(`${prefix}a`, { exact: true })).entries), [`${prefix}a`]);
    assert.deepEqual((await registry.list(`${prefix}none`)).entries, []);
    assert.deepEqual((await registry.list(`${prefix}none`, { exact: true })).entries, []);
    const all = keysOf((await registry.list("")).entries);
    assert.ok([...inside, ...beside].every((key) => all.includes(key)));
    const bytes = all.map((key) => Buffer.from(key));
    assert.deepEqual(bytes, [...bytes].sort(Buffer.compare));
  });

  promises("text of any kind comes back as it was, the empty one too", async (prefix) => {
    const values = ["", "größer ✓ \u{1f600}", 'a "quoted"\nline\0with a null', "YWJj", "x".repeat(1_000_000)];
    for (const [index, value] of values.entries()) await registry.txn(write(put(`${prefix}${index}`, value)));
    assert.deepEqual(
      (await other.list(prefix)).entries.map((entry) => entry.value),
      values,
    );
  });

  promises("a list longer than a page is one revision, however the store changes meanwhile", async (prefix) => {
    const key = (index: number) => `${prefix}${String(index).padStart(5, "0")}`;
    let last = 0;
    for (let at = 0; at < MANY_KEYS; at += TXN_OPERATIONS_MAX) {
      const count = Math.min(TXN_OPERATIONS_MAX, MANY_KEYS - at);
      const result = await registry.txn(write(...Array.from({ length: count }, (_, index) => put(key(at + index)))));
      last = result.revision;
    }
    const expected = Array.from({ length: MANY_KEYS }, (_, index) => key(index));
    const listing = registry.list(prefix);
    const meanwhile = other.txn(write({ kind: "delete", key: key(MANY_KEYS - 1) }, put(`${prefix}99999`)));
    const { revision, entries } = await listing;
    const { revision: changedAt } = await meanwhile;
    const now = [...expected.slice(0, -1), `${prefix}99999`];
    assert.deepEqual(keysOf(entries), revision >= changedAt ? now : expected);
    assert.deepEqual(keysOf((await registry.list(prefix, { revision: last })).entries), expected);
    assert.deepEqual(keysOf((await registry.list(prefix)).entries), now);
  });

  promises("a list at an older revision is the store as it was, and says that revision", async (prefix) => {
    const first = await registry.txn(write(put(`${prefix}a`, "old")));
    await registry.txn(write(put(`${prefix}a`, "new"), put(`${prefix}b`)));
    const listing = await registry.list(prefix, { revision: first.revision });
    assert.equal(listing.revision, first.revision);
    assert.deepEqual(
      listing.entries.map(({ key, value }) => [key, value]),
      [[`${prefix}a`, "old"]],
    );
    await assert.rejects(registry.list(prefix, { revision: first.revision + 1_000_000 }), isRefusal);
  });

  const comparisons: readonly [sentence: string, compare: (key: string, mod: number) => Compare, holds: boolean][] = [
    ["create = of a key", (key, mod) => ({ key, target: "create", is: "=", value: mod - 1 }), true],
    ["create > 0", (key) => ({ key, target: "create", is: ">", value: 0 }), true],
    ["create = 0 of an existing key", (key) => ({ key, target: "create", is: "=", value: 0 }), false],
    ["create = 0 of a missing key", (key) => ({ key: `${key}x`, target: "create", is: "=", value: 0 }), true],
    ["mod = as read", (key, mod) => ({ key, target: "mod", is: "=", value: mod }), true],
    ["mod = as read earlier", (key, mod) => ({ key, target: "mod", is: "=", value: mod - 1 }), false],
    ["mod < the next", (key, mod) => ({ key, target: "mod", is: "<", value: mod + 1 }), true],
    ["mod != another", (key, mod) => ({ key, target: "mod", is: "!=", value: mod + 1 }), true],
    ["mod = 0 of a missing key", (key) => ({ key: `${key}x`, target: "mod", is: "=", value: 0 }), true],
    ["version = 2 after two writes", (key) => ({ key, target: "version", is: "=", value: 2 }), true],
    ["version > 2 after two writes", (key) => ({ key, target: "version", is: ">", value: 2 }), false],
    ["version = 0 of a missing key", (key) => ({ key: `${key}x`, target: "version", is: "=", value: 0 }), true],
    ["value = the value", (key) => ({ key, target: "value", is: "=", value: "2" }), true],
    ["value = another", (key) => ({ key, target: "value", is: "=", value: "1" }), false],
    ["value != another", (key) => ({ key, target: "value", is: "!=", value: "1" }), true],
    [
      "value = the empty one, of a missing key",
      (key) => ({ key: `${key}x`, target: "value", is: "=", value: "" }),
      false,
    ],
    ["value != any, of a missing key", (key) => ({ key: `${key}x`, target: "value", is: "!=", value: "a" }), false],
  ];
  promises("each comparison holds exactly when it says so", async (prefix) => {
    const key = `${prefix}a`;
    await registry.txn(write(put(key, "1")));
    const { revision } = await registry.txn(write(put(key, "2")));
    for (const [sentence, compare, holds] of comparisons) {
      const { succeeded } = await registry.txn({ when: [compare(key, revision)], then: [] });
      assert.equal(succeeded, holds, sentence);
    }
    const both = [comparisons[0]!, comparisons[2]!].map(([, compare]) => compare(key, revision));
    assert.equal((await registry.txn({ when: both, then: [] })).succeeded, false, "all must hold");
  });

  promises("a transaction is one revision, and the branch taken is the only one with effects", async (prefix) => {
    const { revision } = await registry.txn(write(put(`${prefix}a`), put(`${prefix}b`)));
    const when: Compare[] = [{ key: `${prefix}a`, target: "mod", is: "=", value: revision }];
    const taken = await registry.txn({ when, then: [put(`${prefix}then`)], otherwise: [put(`${prefix}else`)] });
    assert.deepEqual([taken.succeeded, taken.revision], [true, revision + 1]);
    const missed = await registry.txn({
      when: [{ key: `${prefix}a`, target: "mod", is: "!=", value: revision }],
      then: [put(`${prefix}never`)],
      otherwise: [put(`${prefix}else`), { kind: "list", prefix: `${prefix}t` }],
    });
    assert.deepEqual([missed.succeeded, missed.revision], [false, revision + 2]);
    assert.deepEqual(missed.listings.map(keysOf), [[`${prefix}then`]]);
    const { entries } = await registry.list(prefix);
    assert.deepEqual(
      entries.map(({ key, modRevision }) => [key.slice(prefix.length), modRevision - revision]),
      [
        ["a", 0],
        ["b", 0],
        ["else", 2],
        ["then", 1],
      ],
    );
  });

  promises("lists inside a transaction see the writes before them, in order", async (prefix) => {
    const result = await registry.txn(
      write(
        { kind: "list", prefix },
        put(`${prefix}a`, "1"),
        { kind: "list", prefix: `${prefix}a`, exact: true },
        put(`${prefix}ab`),
        { kind: "list", prefix: `${prefix}a` },
      ),
    );
    assert.deepEqual(result.listings.map(keysOf), [[], [`${prefix}a`], [`${prefix}a`, `${prefix}ab`]]);
    assert.equal(result.listings[1]![0]!.modRevision, result.revision);
  });

  promises("what changes nothing takes no revision", async (prefix) => {
    const { revision } = await registry.txn(write(put(`${prefix}a`)));
    const nothing = await registry.txn(write({ kind: "delete", key: `${prefix}none` }, { kind: "list", prefix }));
    assert.equal(nothing.revision, revision);
    const lease = await registry.grantLease(60_000);
    await registry.revokeLease(lease);
    assert.equal((await registry.list(prefix)).revision, revision);
  });

  promises("deletes remove a key or all under a prefix; a key made again starts anew", async (prefix) => {
    await registry.txn(write(...["a", "a/1", "a/2", "b"].map((rest) => put(`${prefix}${rest}`))));
    await registry.txn(write({ kind: "delete-prefix", prefix: `${prefix}a/` }));
    assert.deepEqual(keysOf((await registry.list(prefix)).entries), [`${prefix}a`, `${prefix}b`]);
    await registry.txn(write({ kind: "delete", key: `${prefix}a` }));
    const { revision } = await registry.txn(write(put(`${prefix}a`)));
    const [entry] = (await registry.list(`${prefix}a`)).entries;
    assert.deepEqual([entry!.createRevision, entry!.modRevision, entry!.version], [revision, revision, 1]);
  });

  promises("128 operations fit each part of a transaction, 129 do not", async (prefix) => {
    const puts = (count: number) => Array.from({ length: count }, (_, index) => put(`${prefix}${index}`));
    const compares = (count: number): Compare[] =>
      puts(count).map((_, index) => ({ key: `${prefix}${index}`, target: "version", is: "=", value: 0 }));
    const full = { when: compares(TXN_OPERATIONS_MAX), then: puts(TXN_OPERATIONS_MAX) };
    const result = await registry.txn({ ...full, otherwise: puts(TXN_OPERATIONS_MAX) });
    assert.equal(result.succeeded, true);
    const before = await registry.list(prefix);
    assert.equal(before.entries.length, TXN_OPERATIONS_MAX);
    const tooMany: Txn[] = [
      { when: compares(TXN_OPERATIONS_MAX + 1), then: [] },
      write(...puts(TXN_OPERATIONS_MAX + 1)),
      { when: [], then: [], otherwise: puts(TXN_OPERATIONS_MAX + 1) },
    ];
    for (const txn of tooMany) await assert.rejects(registry.txn(txn), isRefusal);
    assert.deepEqual(await registry.list(prefix), before);
  });

  promises("one key written twice, or written and deleted, is refused whole", async (prefix) => {
    const twice: Txn[] = [
      write(put(`${prefix}a`, "1"), put(`${prefix}a`, "2")),
      write(put(`${prefix}a`), { kind: "delete", key: `${prefix}a` }),
      write(put(`${prefix}a`), { kind: "delete-prefix", prefix }),
    ];
    for (const txn of twice) await assert.rejects(registry.txn(txn), isRefusal);
    assert.deepEqual((await registry.list(prefix)).entries, []);
    assert.equal((await registry.txn({ ...write(put(`${prefix}a`)), otherwise: [put(`${prefix}a`)] })).succeeded, true);
  });

  promises("an empty key is refused", async () => {
    await assert.rejects(registry.txn(write(put(""))), isRefusal);
    await assert.rejects(registry.list("", { exact: true }), isRefusal);
  });

  promises("of two clients racing for one key exactly one wins each round, and the other reads who", async (prefix) => {
    const key = `${prefix}leader`;
    for (let round = 0; round < 20; round++) {
      const [current] = (await registry.list(key, { exact: true })).entries;
      const claim = (who: string): Txn => ({
        when: [{ key, target: "mod", is: "=", value: current?.modRevision ?? 0 }],
        then: [put(key, who)],
        otherwise: [{ kind: "list", prefix: key, exact: true }],
      });
      const results = await Promise.all([registry.txn(claim(`one ${round}`)), other.txn(claim(`two ${round}`))]);
      const winner = results.findIndex((result) => result.succeeded);
      const loser = results[1 - winner]!;
      assert.equal(loser.succeeded, false);
      assert.equal(loser.listings[0]![0]!.value, `${winner === 0 ? "one" : "two"} ${round}`);
    }
  });

  promises("a lease revoked takes its keys along in one revision, in order", async (prefix) => {
    const lease = await registry.grantLease(60_000);
    await registry.txn(write(put(`${prefix}b`, "v", lease), put(`${prefix}a`, "v", lease), put(`${prefix}c`)));
    const listing = await registry.list(prefix);
    assert.deepEqual(
      listing.entries.map((entry) => entry.lease),
      [lease, lease, null],
    );
    await other.revokeLease(lease);
    const revision = listing.revision + 1;
    assert.deepEqual(await watched(registry, prefix, listing.revision, 2), [
      `delete ${prefix}a@${revision}`,
      `delete ${prefix}b@${revision}`,
    ]);
    assert.equal(await registry.keepAlive(lease), false);
    await registry.revokeLease(lease);
    await assert.rejects(registry.txn(write(put(`${prefix}a`, "v", lease))), hasCode("lease-not-found"));
  });

  promises("a key written again without its lease outlives it", async (prefix) => {
    const lease = await registry.grantLease(60_000);
    await registry.txn(write(put(`${prefix}a`, "v", lease)));
    await registry.txn(write(put(`${prefix}a`, "kept")));
    await registry.revokeLease(lease);
    assert.equal((await registry.list(prefix)).entries[0]?.value, "kept");
  });

  promises("a lease nobody keeps alive ends and deletes its keys; one that is kept stays", async (prefix) => {
    const [dying, living] = [await registry.grantLease(1), await registry.grantLease(2_000)];
    const { revision } = await registry.txn(
      write(put(`${prefix}dying`, "v", dying), put(`${prefix}living`, "v", living)),
    );
    const stop = new AbortController();
    const keeping = (async () => {
      while (!stop.signal.aborted) {
        assert.equal(await registry.keepAlive(living), true);
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    })();
    const [first] = await watched(other, prefix, revision, 1);
    stop.abort();
    await keeping;
    assert.match(first!, new RegExp(`^delete ${prefix}dying@`));
    assert.deepEqual(keysOf((await registry.list(prefix)).entries), [`${prefix}living`]);
    assert.equal(await registry.keepAlive(dying), false);
    assert.equal(await registry.keepAlive(living), true);
    // Or it ends in the middle of whatever test comes two seconds later.
    await registry.revokeLease(living);
  });

  promises("a watch delivers every later change under its prefix once, in order", async (prefix) => {
    const start = await registry.txn(write(put(`${prefix}known`)));
    const [one, two, three] = [start.revision + 1, start.revision + 2, start.revision + 4];
    const live = watched(other, prefix, start.revision, 5);
    await registry.txn(
      write(put(`${prefix}b`, "1"), put(`${prefix}a`, "1"), { kind: "delete", key: `${prefix}known` }),
    );
    await registry.txn(write(put(`${prefix}a`, "2")));
    await registry.txn(write(put(`${prefix.slice(0, -1)}0`)));
    await registry.txn(write({ kind: "delete-prefix", prefix: `${prefix}b` }));
    const expected = [
      `put ${prefix}b=1@${one}`,
      `put ${prefix}a=1@${one}`,
      `delete ${prefix}known@${one}`,
      `put ${prefix}a=2@${two}`,
      `delete ${prefix}b@${three}`,
    ];
    assert.deepEqual(await live, expected);
    assert.deepEqual(await watched(registry, prefix, start.revision, 5), expected, "the same from history");
    assert.deepEqual(await watched(registry, prefix, one, 2), expected.slice(3), "and from the middle");
  });

  promises("a change as watched is the entry as listed", async (prefix) => {
    const { revision } = await registry.list(prefix);
    const lease = await registry.grantLease(60_000);
    await registry.txn(write(put(`${prefix}a`, "ü")));
    await registry.txn(write(put(`${prefix}a`, "ß", lease)));
    const listing = await registry.list(prefix);
    const stop = new AbortController();
    const changes: EntryChange[] = [];
    for await (const message of registry.watch(prefix, revision, stop.signal)) {
      if (message.kind === "changes") changes.push(...message.changes);
      if (changes.length >= 2) stop.abort();
    }
    assert.deepEqual(changes[1], { kind: "put", entry: listing.entries[0] });
    await registry.revokeLease(lease);
  });

  promises("messages of a watch hold whole revisions, and say which", async (prefix) => {
    const { revision } = await registry.list(prefix);
    for (let index = 0; index < 50; index++) {
      await registry.txn(write(...Array.from({ length: 20 }, (_, key) => put(`${prefix}${key}`, String(index)))));
    }
    const stop = new AbortController();
    let known = revision;
    let count = 0;
    for await (const message of registry.watch(prefix, revision, stop.signal)) {
      assert.equal(message.kind, "changes");
      if (message.kind !== "changes") continue;
      const revisions = message.changes.map((change) => (change.kind === "put" ? change.entry.modRevision : NaN));
      assert.equal(message.changes.length % 20, 0, "a revision was split");
      assert.ok(revisions.every((one) => one > known));
      assert.equal(message.revision, revisions.at(-1));
      known = message.revision;
      count += message.changes.length;
      if (count >= 1_000) stop.abort();
    }
    assert.equal(count, 1_000);
  });

  promises(
    "a watch ends soon after its signal, idle or not, and one aborted before it began is empty",
    async (prefix) => {
      const { revision } = await registry.txn(write(put(`${prefix}a`)));
      const stop = new AbortController();
      const idle = watchToEnd(registry, prefix, revision, stop.signal);
      const begun = performance.now();
      // Something has arrived on another watch of this client, so the idle one has had its time to begin.
      await watched(registry, prefix, revision - 1, 1);
      stop.abort();
      assert.deepEqual(await idle, []);
      assert.deepEqual(await watchToEnd(registry, prefix, revision, AbortSignal.abort()), []);
      assert.ok(performance.now() - begun < 2_000);
    },
  );

  promises("the whole store can be watched", async (prefix) => {
    const { revision } = await registry.list("");
    await registry.txn(write(put(`${prefix}a`), put(`zzz${prefix}`)));
    assert.deepEqual(await watched(registry, "", revision, 2), [
      `put ${prefix}a=v@${revision + 1}`,
      `put zzz${prefix}=v@${revision + 1}`,
    ]);
  });

  promises("history that was compacted is said to be gone, by lists and by watches", async (prefix) => {
    const { revision } = await registry.txn(write(put(`${prefix}a`, "1")));
    await registry.txn(write(put(`${prefix}a`, "2")));
    const { revision: last } = await registry.txn(write({ kind: "delete", key: `${prefix}a` }));
    await world.compact(last);
    await assert.rejects(registry.list(prefix, { revision }), hasCode("revision-compacted"));
    assert.deepEqual(await watched(registry, prefix, revision, 1), ["compacted"]);
    // The delete at `last` itself is what etcd would lose from `last` on: whoever knows only `last - 1` must list again.
    assert.deepEqual(await watched(registry, prefix, last - 1, 1), ["compacted"]);
    await registry.txn(write(put(`${prefix}b`)));
    assert.deepEqual(await watched(registry, prefix, last, 1), [`put ${prefix}b=v@${last + 1}`]);
    assert.deepEqual((await registry.list(prefix, { revision: last })).entries, []);
  });

  promises("a description names the store: same id for every client, its revision, one member", async () => {
    const [one, two] = [await registry.describe(), await other.describe()];
    assert.deepEqual(one, two);
    assert.equal(one.revision, (await registry.list("/")).revision);
    assert.equal(one.members, 1);
    assert.notEqual(one.version, "");
    assert.match(one.clusterId, /^\d+$/);
  });

  promises("closing a client ends its watches and refuses its calls; others go on", async (prefix) => {
    const third = await world.connect();
    const { revision } = await third.list(prefix);
    const watching = watchToEnd(third, prefix, revision, new AbortController().signal);
    await third.close();
    assert.deepEqual(await watching, []);
    await assert.rejects(third.list(prefix), hasCode("registry-closed"));
    assert.equal((await other.list(prefix)).revision, revision);
  });
}

async function watchToEnd(
  registry: Registry,
  prefix: string,
  after: number,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const seen: string[] = [];
  for await (const message of registry.watch(prefix, after, signal)) seen.push(...textsOf(message));
  return seen;
}
