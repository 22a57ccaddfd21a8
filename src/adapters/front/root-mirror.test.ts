import assert from "node:assert/strict";
import { test } from "node:test";
import { OperationError } from "../../ports/operation-error.ts";
import type { Registry, WatchMessage } from "../../ports/registry.ts";
import { VirtualClock } from "../memory/virtual-clock.ts";
import { MvccRegistry } from "../mvcc/mvcc-registry.ts";
import { MvccStore } from "../mvcc/mvcc-store.ts";
import { Coalesced } from "./coalesced.ts";
import { type MirrorNews, RootMirror } from "./root-mirror.ts";

const ROOT = "/fleet/prod/";

/** A mirror that follows a registry, which may lose what its watch should tell, or not answer. */
function world() {
  const clock = new VirtualClock();
  const direct = new MvccRegistry(new MvccStore(), clock);
  const faults = { isDeaf: false, isAway: false };
  const need = () => {
    if (faults.isAway) throw new OperationError("registry-timeout", "no answer");
  };
  const registry: Registry = {
    list: async (...call) => {
      need();
      return direct.list(...call);
    },
    async *watch(...call): AsyncGenerator<WatchMessage> {
      for await (const message of direct.watch(...call)) if (!faults.isDeaf) yield message;
    },
    txn: (txn) => direct.txn(txn),
    grantLease: (ttlMs) => direct.grantLease(ttlMs),
    keepAlive: (lease) => direct.keepAlive(lease),
    revokeLease: (lease) => direct.revokeLease(lease),
    describe: () => direct.describe(),
    close: () => direct.close(),
  };
  const said: string[] = [];
  const log = ({ message }: { message: string }) => void said.push(message);
  const mirror = new RootMirror({ registry, root: ROOT, leaveOut: [`${ROOT}specs/`], clock, log });
  const news: MirrorNews["kind"][] = [];
  mirror.onNews(({ kind }) => news.push(kind));
  const stop = new AbortController();
  void mirror.run(stop.signal);
  const put = (key: string, lease?: string) =>
    direct.txn({ when: [], then: [{ kind: "put", key, value: "v", ...(lease === undefined ? {} : { lease }) }] });
  const shown = () => [...mirror.store!.index.all()].flatMap(({ key, latest }) => (latest === undefined ? [] : key));
  return { clock, direct, faults, mirror, news, said, put, shown, stop };
}

test("it shows what is under its root, but for what it leaves out", async () => {
  const { clock, mirror, put, shown } = world();
  await put(`${ROOT}before`);
  await clock.advance(1_000);
  for (const key of [`${ROOT}a`, `${ROOT}specs/1`, "/fleet/other/a"]) await put(key);
  await clock.advance(1_000);
  assert.deepEqual(shown(), [`${ROOT}before`, `${ROOT}a`]);
  const has = [ROOT, `${ROOT}a`, `${ROOT}specs/`, `${ROOT}specs/1`, "/fleet/other/", ""].map((key) => mirror.has(key));
  assert.deepEqual(has, [false, true, false, false, false, false]);
});

test("a lease is known for as long as a key hangs on it", async () => {
  const { clock, direct, mirror, put } = world();
  await clock.advance(1_000);
  const lease = await direct.grantLease(60_000);
  await put(`${ROOT}a`, lease);
  await put(`${ROOT}b`, lease);
  await clock.advance(1_000);
  assert.deepEqual(mirror.leaseKeys(lease), [`${ROOT}a`, `${ROOT}b`]);
  await put(`${ROOT}a`);
  await direct.revokeLease(lease);
  await clock.advance(1_000);
  assert.deepEqual([mirror.leaseKeys(lease), [...mirror.store!.leases.all()]], [[], []]);
});

test("it is cut off once the registry has not answered for twelve seconds, and back with the first answer", async () => {
  const { clock, mirror, faults } = world();
  await clock.advance(60_000);
  assert.equal(mirror.isCutOff, false);
  faults.isAway = true;
  await clock.advance(6_000);
  assert.equal(mirror.isCutOff, false);
  await clock.advance(10_000);
  assert.equal(mirror.isCutOff, true);
  faults.isAway = false;
  await clock.advance(5_000);
  assert.equal(mirror.isCutOff, false);
});

test("what a watch did not tell of is found within five minutes, and whoever watches lists again", async () => {
  const { clock, mirror, faults, news, said, put, shown } = world();
  await clock.advance(1_000);
  const { store } = mirror;
  await clock.advance(600_000);
  assert.equal(mirror.store, store, "what is right is left alone");
  faults.isDeaf = true;
  await put(`${ROOT}lost`);
  await clock.advance(1_000);
  faults.isDeaf = false;
  await clock.advance(310_000);
  assert.deepEqual([shown(), news, said.length], [[`${ROOT}lost`], ["anew"], 1]);
});

test("its past is bounded, and what goes is told of before", async () => {
  const { clock, direct, mirror, news } = world();
  await clock.advance(1_000);
  const then = Array.from({ length: 128 }, (_, at) => ({ kind: "put", key: `${ROOT}${at}`, value: "v" }) as const);
  for (let written = 0; written <= 20_000; written += then.length) await direct.txn({ when: [], then });
  await clock.advance(1_000);
  assert.ok(mirror.store!.events.length < 11_000);
  assert.ok(mirror.store!.compactedRevision > 70);
  assert.ok(news.includes("forgetting"));
});

test("whoever asks while a question is under way gets the answer of the next one, all of them the same", async () => {
  let asked = 0;
  const answers: ((answer: number) => void)[] = [];
  const coalesced = new Coalesced(() => new Promise<number>((resolve) => answers.push(resolve)).then(() => ++asked));
  const first = coalesced.ask();
  const others = [coalesced.ask(), coalesced.ask()];
  answers[0]!(0);
  assert.equal(await first, 1);
  await new Promise(setImmediate);
  answers[1]!(0);
  assert.deepEqual(await Promise.all(others), [2, 2]);
});

test("a question that fails concerns those alone who asked before it", async () => {
  let asked = 0;
  const coalesced = new Coalesced(async () => {
    asked += 1;
    if (asked === 1) throw new Error("broken");
    return "fine";
  });
  const [first, second] = [coalesced.ask(), coalesced.ask()];
  await assert.rejects(first);
  assert.equal(await second, "fine");
});
