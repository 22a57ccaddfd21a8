import { setTimeout as sleep } from "node:timers/promises";
import { encodeRecord } from "../../src/codec/record.ts";
import { registryKeys } from "../../src/codec/registry-keys.ts";
import { encodeRollout } from "../../src/codec/rollout-record.ts";
import type { Placement } from "../../src/domain/placement/placement.ts";
import { startRollout } from "../../src/domain/rollout/start-rollout.ts";
import { readPlan } from "../../src/usecases/read-plan.ts";
import { readSnapshot } from "../../src/usecases/read-snapshot.ts";
import type { PretendCluster } from "../cli/pretend-cluster.ts";

const keys = registryKeys("shop");
const LOOK_MS = 20;

/** Does at once what engine and agents do in their time with each release: everything runs as planned, or is rolled back, or nobody is there. */
export class PretendEngine {
  readonly #cluster: PretendCluster;
  #done = 0;
  #isOver = false;
  readonly #running: Promise<void>;
  mood: "runs" | "rolls back" | "sleeps" = "runs";

  constructor(cluster: PretendCluster) {
    this.#cluster = cluster;
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#running;
  }

  /** As somebody on its machine would, whose hand no agent corrects. */
  async stopsUnit(name: string): Promise<void> {
    const { snapshot } = await readSnapshot(this.#cluster.registry, keys);
    const { machine, unit, ...status } = snapshot.statuses.find(({ unit }) => unit === name)!;
    await this.#put(
      keys.status(machine, unit),
      encodeRecord({ ...status, active: "inactive", sub: "dead", started: false }),
    );
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      await this.#look();
      await sleep(LOOK_MS);
    }
  }

  async #look(): Promise<void> {
    const { registry } = this.#cluster;
    const { snapshot } = await readSnapshot(registry, keys);
    const { release } = snapshot;
    if (release === null || release.seq <= this.#done || this.mood === "sleeps") return;
    this.#done = release.seq;
    if (this.mood === "rolls back") {
      const base = { seq: release.seq - 1, commit: release.commit, specHash: release.specHash };
      const record = {
        ...startRollout(release, null, "2026-01-01T00:00:00.000Z"),
        phase: "rolled-back",
        base,
      } as const;
      await this.#put(keys.rollout(release.seq), encodeRollout(record));
      return;
    }
    const plan = await readPlan(registry, keys, release.planId);
    await this.#cluster.place("shop", plan!);
    const wanted = new Set(plan!.placements.map(({ unit, machine }) => keys.status(machine, unit)));
    for (const { machine, unit } of snapshot.statuses) {
      const key = keys.status(machine, unit);
      if (!wanted.has(key)) await registry.txn({ when: [], then: [{ kind: "delete", key }] });
    }
    for (const placement of plan!.placements) await this.#runs(placement);
  }

  #runs({ machine, unit, hash }: Placement): Promise<unknown> {
    const status = { load: "loaded", active: "active", sub: "running", hash, since: "", result: "" };
    return this.#put(
      keys.status(machine, unit),
      encodeRecord({ ...status, invocation: "", started: true, problem: null }),
    );
  }

  #put(key: string, value: string): Promise<unknown> {
    return this.#cluster.registry.txn({ when: [], then: [{ kind: "put", key, value }] });
  }
}
