import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../adapters/memory/virtual-clock.ts";
import { MvccRegistry } from "../adapters/mvcc/mvcc-registry.ts";
import { MvccStore } from "../adapters/mvcc/mvcc-store.ts";
import { registryKeys } from "../codec/registry-keys.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { ListOptions } from "../ports/registry.ts";
import { type ClusterPicture, PictureBook } from "./cluster-picture.ts";
import { FollowedCluster } from "./followed-cluster.ts";

const keys = registryKeys("prod");

class CountingRegistry extends MvccRegistry {
  lists = 0;
  away = false;

  override async list(prefix: string, options?: ListOptions) {
    this.lists += 1;
    if (this.away) throw new OperationError("registry-unreachable", "nobody answers");
    return super.list(prefix, options);
  }
}

function world() {
  const clock = new VirtualClock();
  const registry = new CountingRegistry(new MvccStore(), clock);
  const stop = new AbortController();
  const cluster = new FollowedCluster(keys, registry, clock, stop.signal);
  /** Lets time go by until it has ended. */
  const during = async <T>(work: Promise<T>): Promise<T> => {
    let over = false;
    const done = () => {
      over = true;
    };
    work.then(done, done);
    await clock.runUntil(() => over, 60_000);
    return work;
  };
  return { clock, registry, cluster, stop, during };
}

test("nothing is read before the first question, nothing again while somebody asks, and all of it is let go five minutes after the last", async () => {
  const { clock, registry, cluster, stop, during } = world();
  await clock.advance(60_000);
  assert.equal(registry.lists, 0);
  await during(cluster.reads());
  const first = registry.lists;
  assert.ok(first > 0);
  for (let minutes = 0; minutes < 4; minutes++) {
    await clock.advance(60_000);
    await during(cluster.reads());
  }
  assert.equal(registry.lists, first, "it is followed");
  await clock.advance(400_000);
  const ended = registry.lists;
  await clock.advance(3_600_000);
  assert.equal(registry.lists, ended, "and then no more, not even the seldom whole listings");
  await during(cluster.reads());
  assert.ok(registry.lists > ended);
  stop.abort();
});

test("a registry that does not answer the first question is told after five seconds, in the original's words", async () => {
  const { registry, cluster, stop, during } = world();
  registry.away = true;
  const refused = (error: unknown) =>
    error instanceof OperationError && error.message === "fleet server unable to communicate with etcd";
  await assert.rejects(during(cluster.reads()), refused);
  stop.abort();
});

test("a picture that takes long to make is not made anew before twenty times as long has gone by", async () => {
  const { clock, registry, cluster, stop, during } = world();
  let made = 0;
  const look = async () => {
    made += 1;
    await clock.sleep(100);
    return {} as ClusterPicture;
  };
  const book = new PictureBook(cluster, look, clock);
  await during(Promise.all([book.current(), book.current()]));
  assert.equal(made, 1, "who asks at the same time waits for the same");
  await registry.txn({ when: [], then: [{ kind: "put", key: keys.cluster, value: "x" }] });
  await clock.advance(1_000);
  await during(book.current());
  assert.equal(made, 1);
  await clock.advance(1_500);
  await during(book.current());
  assert.equal(made, 2);
  await clock.advance(60_000);
  await during(book.current());
  assert.equal(made, 2, "while nothing changes it stays the same");
  stop.abort();
});

test("what was made before all was let go is not taken for new, however alike the counts of changes", async () => {
  const { clock, registry, cluster, stop, during } = world();
  const put = (value: string) => registry.txn({ when: [], then: [{ kind: "put", key: keys.cluster, value }] });
  const look = async (reads: Parameters<ConstructorParameters<typeof PictureBook>[1]>[0]) => {
    const { entries } = await reads.list(keys.cluster, { exact: true });
    return { value: entries[0]?.value } as unknown as ClusterPicture;
  };
  const book = new PictureBook(cluster, look, clock);
  await put("before");
  assert.deepEqual(await during(book.current()), { value: "before" });
  await clock.advance(1_000_000);
  await put("after");
  assert.deepEqual(await during(book.current()), { value: "after" });
  stop.abort();
});
