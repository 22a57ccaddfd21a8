import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../adapters/memory/virtual-clock.ts";
import { MvccRegistry } from "../adapters/mvcc/mvcc-registry.ts";
import { MvccStore } from "../adapters/mvcc/mvcc-store.ts";
import { encodeRecord } from "../codec/record.ts";
import { registryKeys } from "../codec/registry-keys.ts";
import { encodeRollout } from "../codec/rollout-record.ts";
import type { CommitId, SpecHash } from "../domain/names.ts";
import type { RolloutPhase } from "../domain/rollout/rollout-record.ts";
import { startRollout } from "../domain/rollout/start-rollout.ts";
import { OperationError } from "../ports/operation-error.ts";
import { ConvergedPoster } from "./converged-poster.ts";

const KEYS = registryKeys("shop");
const RELEASE = { seq: 7, commit: "c".repeat(40) as CommitId, specHash: "s" as SpecHash };
const SPEC = { status: { forge: "github", tokenFile: "/etc/fleet/forge-token" } };

class World {
  readonly clock = new VirtualClock();
  readonly registry = new MvccRegistry(new MvccStore(), this.clock);
  readonly posted: string[] = [];
  readonly logged: string[] = [];
  broken = 0;
  readonly stop = new AbortController();

  async start(source: string): Promise<void> {
    const identity = { id: "i", name: "shop", source, branch: "main", manifest: "fleet.yaml", epoch: 1 };
    await this.#put(KEYS.cluster, encodeRecord(identity));
    const poster = {
      host: "github.com",
      post: async (repository: string, context: string, { state }: { state: string }) => {
        if (this.broken-- > 0) throw new OperationError("forge-failed", "it answered 503");
        this.posted.push(`${repository} ${context} ${state}`);
      },
    };
    const look = () => ({ inForce: { release: RELEASE, spec: SPEC } as never, report: null });
    const log = ({ message }: { readonly message: string }) => void this.logged.push(message);
    const { registry, clock } = this;
    const keeper = new ConvergedPoster({ cluster: "shop", keys: KEYS, look }, { registry, clock, poster, log });
    void keeper.run(this.stop.signal);
  }

  async phase(phase: RolloutPhase): Promise<void> {
    await this.#put(KEYS.rollout(7), encodeRollout({ ...startRollout(RELEASE, null, ""), phase }));
    await this.clock.advance(20_000);
  }

  async end(): Promise<void> {
    this.stop.abort();
    await this.clock.advance(1);
  }

  async #put(key: string, value: string): Promise<void> {
    await this.registry.txn({ when: [], then: [{ kind: "put", key, value }] });
  }
}

test("a status follows the rollout, on change only, and tries again after a failure that is told once", async () => {
  const world = new World();
  world.broken = 2;
  await world.start("https://github.com/ada/home.git");
  await world.clock.advance(120_000);
  assert.deepEqual(world.posted, ["ada/home fleet/shop/converged pending"]);
  assert.deepEqual(world.logged, ["forge-failed: it answered 503"]);
  await world.phase("rolling");
  await world.phase("held");
  await world.phase("rolling");
  await world.phase("done");
  await world.clock.advance(600_000);
  assert.deepEqual(
    world.posted.map((line) => line.split(" ")[2]),
    ["pending", "failure", "pending", "success"],
  );
  await world.end();
});

test("of a source that is not on github.com nothing is posted, and that is said", async () => {
  const world = new World();
  await world.start("https://git.example.org/ada/home.git");
  await world.clock.advance(3_600_000);
  assert.deepEqual(
    [world.posted, world.logged],
    [[], ["forge-failed: the cluster's source is no repository on github.com"]],
  );
  await world.end();
});
