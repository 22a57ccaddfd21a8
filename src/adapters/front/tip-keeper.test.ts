import assert from "node:assert/strict";
import { test } from "node:test";
import type { CommitId } from "../../domain/names.ts";
import type { ObjectSource } from "../../ports/object-source.ts";
import { OperationError } from "../../ports/operation-error.ts";
import { VirtualClock } from "../memory/virtual-clock.ts";
import { TipKeeper } from "./tip-keeper.ts";

const OLD = "1".repeat(40) as CommitId;
const NEW = "2".repeat(40) as CommitId;

/** A mirror whose remote is `remote`, a fetch of which takes 50 ms, or fails. */
class Mirror implements ObjectSource {
  remote: CommitId = OLD;
  failure: OperationError | null = null;
  fetches = 0;
  #tip: CommitId | null = null;
  readonly #clock: VirtualClock;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  async fetch(): Promise<CommitId> {
    this.fetches++;
    const { remote, failure } = this;
    await this.#clock.sleep(50);
    if (failure !== null) throw failure;
    this.#tip = remote;
    return remote;
  }

  lastTip = () => this.#tip;
  readObject = async (oid: string) => ({ kind: oid === this.#tip ? "too-large" : "missing" }) as const;
  deepen = async () => false;
  changedTrees = async () => null;
  related = async () => ({ roots: [], before: [] });
}

function world() {
  const clock = new VirtualClock();
  const mirror = new Mirror(clock);
  return { clock, mirror, keeper: new TipKeeper(mirror, clock) };
}

test("a thousand who ask at once cause one fetch, and those who ask while it runs another", async () => {
  const { clock, mirror, keeper } = world();
  const first = Array.from({ length: 1_000 }, () => keeper.tip(""));
  await clock.advance(10);
  assert.equal(mirror.fetches, 1);
  mirror.remote = NEW;
  const second = Array.from({ length: 1_000 }, () => keeper.tip(""));
  await clock.advance(900);
  assert.equal(mirror.fetches, 1, "not within a second of the first");
  await clock.advance(200);
  assert.equal(mirror.fetches, 2);
  assert.deepEqual([...new Set(await Promise.all(first))], [OLD]);
  assert.deepEqual([...new Set(await Promise.all(second))], [NEW], "none of them is told what was before it asked");
});

test("whoever names a commit that is here hears the known tip at once, for ten seconds after a fetch", async () => {
  const { clock, mirror, keeper } = world();
  void keeper.tip("");
  await clock.advance(100);
  await Promise.all(Array.from({ length: 1_000 }, async () => assert.equal(await keeper.tip(OLD), OLD)));
  assert.equal(mirror.fetches, 1);
  mirror.remote = NEW;
  const unknown = keeper.tip(NEW);
  await clock.advance(1_000);
  assert.equal(await unknown, NEW);
  assert.equal(mirror.fetches, 2);
  await clock.advance(11_000);
  void keeper.tip(NEW);
  await clock.advance(100);
  assert.equal(mirror.fetches, 3, "a branch that was set back is noticed in the end");
});

test("with the source away the last tip is told; that there is no branch is no such case", async () => {
  const { clock, mirror, keeper } = world();
  mirror.failure = new OperationError("source-unreachable", "away");
  const early = assert.rejects(keeper.tip(""), { code: "source-unreachable" });
  await clock.advance(2_000);
  await early;
  mirror.failure = null;
  void keeper.tip("");
  await clock.advance(2_000);
  mirror.failure = new OperationError("source-timeout", "away");
  const late = keeper.tip("");
  await clock.advance(2_000);
  assert.equal(await late, OLD);
  mirror.failure = new OperationError("branch-missing", "gone");
  const gone = assert.rejects(keeper.tip(""), { code: "branch-missing" });
  await clock.advance(2_000);
  await gone;
});

test("who misses an object causes a fetch, but not one after the other", async () => {
  const { clock, mirror, keeper } = world();
  const all = Array.from({ length: 50 }, () => keeper.catchUp());
  await clock.advance(100);
  assert.deepEqual(new Set(await Promise.all(all)), new Set([true]));
  assert.equal(await keeper.catchUp(), false);
  assert.equal(mirror.fetches, 1);
});
