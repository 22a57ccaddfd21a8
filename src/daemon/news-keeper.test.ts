import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../adapters/memory/virtual-clock.ts";
import { MvccRegistry } from "../adapters/mvcc/mvcc-registry.ts";
import { MvccStore } from "../adapters/mvcc/mvcc-store.ts";
import { registryKeys } from "../codec/registry-keys.ts";
import type { CommitId } from "../domain/names.ts";
import type { EngineReport } from "../domain/report/engine-report.ts";
import type { ClusterSpec } from "../domain/spec/cluster-spec.ts";
import type { Message } from "../ports/notifier.ts";
import { OperationError } from "../ports/operation-error.ts";
import { NewsKeeper, type NewsView } from "./news-keeper.ts";

const KEYS = registryKeys("shop");
const CHAT = { kind: "webhook", url: "https://chat.example.org/very-secret" } as const;
const PAGER = { kind: "command", path: "/bin/page" } as const;
const MACHINE = "a".repeat(32);

/** One cluster, whose leader may change, and everything anybody was told. */
class World {
  readonly clock = new VirtualClock();
  readonly registry = new MvccRegistry(new MvccStore(), this.clock);
  readonly sent: string[] = [];
  readonly logged: string[] = [];
  report: Partial<EngineReport> = { problem: null };
  failing = false;
  /** Attempts that are answered with an error. */
  broken = 0;
  #changes = 0;

  async lead(record: string): Promise<AbortController> {
    await this.registry.txn({ when: [], then: [{ kind: "put", key: KEYS.leader, value: record }] });
    const stop = new AbortController();
    const options = { cluster: "shop", keys: KEYS, leadership: { term: 1, record }, look: () => this.#view() };
    const notifier = { send: async (to: typeof CHAT | typeof PAGER, message: Message) => this.#send(to, message) };
    const log = ({ message }: { readonly message: string }) => void this.logged.push(message);
    void new NewsKeeper(options, { ...this, notifier: notifier as never, log }).run(stop.signal);
    return stop;
  }

  #send(to: typeof CHAT | typeof PAGER, message: Message): void {
    if (this.broken-- > 0)
      throw new OperationError("notify-failed", "cannot post to chat.example.org: it answered 500");
    this.sent.push(`${to.kind} ${(JSON.parse(message.body) as { text: string }).text}`);
  }

  #view(): NewsView {
    const status = JSON.stringify({
      ...{ v: 1, load: "loaded", active: this.failing ? "failed" : "active", sub: "", hash: null, since: "" },
      ...{ result: "exit-code", invocation: "", started: true, problem: null },
    });
    const entry = { key: `${KEYS.root}status/${MACHINE}/web.service`, value: status } as never;
    const notify = [
      { on: ["failed", "held"], to: CHAT },
      { on: ["failed"], to: PAGER },
    ];
    const spec = { units: [{ name: "web.service", goal: "launched" }], notify } as unknown as ClusterSpec;
    this.#changes++;
    return {
      inForce: { release: { commit: "c".repeat(40) as CommitId } as never, spec },
      report: this.report as EngineReport,
      statuses: { complete: true, changes: this.#changes, entries: () => [entry] },
    };
  }
}

const HELD = {
  seq: 3,
  ...{ phase: "held", since: "", base: null, openRings: 1 },
  failures: [{ unit: "web.service", machine: MACHINE, because: { code: "failed", detail: "exit-code" } }],
} as unknown as NonNullable<EngineReport["rollout"]>;

test("each rule is told what it asks for, once, and again only by attempts that failed", async () => {
  const world = new World();
  const stop = await world.lead("first");
  world.report = { problem: null, rollout: HELD };
  world.broken = 2;
  await world.clock.advance(60_000);
  assert.deepEqual(world.sent, ["webhook shop: release 3 is held: web.service failed"]);
  world.failing = true;
  await world.clock.advance(600_000);
  const failed = `shop: web.service failed on ${MACHINE.slice(0, 8)} (exit-code)`;
  assert.deepEqual(world.sent.slice(1), [`webhook ${failed}`, `command ${failed}`]);
  stop.abort();
  await world.clock.advance(1);
});

test("the next leader tells what is new and not what was told; who leads no more tells nothing", async () => {
  const world = new World();
  const first = await world.lead("first");
  world.report = { problem: null, rollout: HELD };
  await world.clock.advance(10_000);
  assert.equal(world.sent.length, 1);
  const second = await world.lead("second");
  world.report = { problem: null, rollout: { ...HELD, seq: 4 } };
  await world.clock.advance(600_000);
  assert.deepEqual(
    world.sent.slice(1),
    ["webhook shop: release 4 is held: web.service failed"],
    "by one of them, once",
  );
  first.abort();
  second.abort();
  await world.clock.advance(1);
});

test("what cannot be sent is given up after three attempts, and the log says so without the address", async () => {
  const world = new World();
  const stop = await world.lead("first");
  world.report = { problem: null, rollout: HELD };
  world.broken = 3;
  await world.clock.advance(600_000);
  assert.deepEqual(world.sent, []);
  assert.deepEqual(world.logged, ["notify-failed: cannot post to chat.example.org: it answered 500"]);
  stop.abort();
  await world.clock.advance(1);
});
