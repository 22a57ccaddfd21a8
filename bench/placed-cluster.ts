import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openRegistry } from "../src/adapters/etcd/open-registry.ts";
import { openLocalGitSource } from "../src/adapters/git/local-git-source.ts";
import { randomId } from "../src/adapters/random-id.ts";
import { sha256 } from "../src/adapters/sha256.ts";
import { systemClock } from "../src/adapters/system-clock.ts";
import { encodeRecord } from "../src/codec/record.ts";
import { registryKeys } from "../src/codec/registry-keys.ts";
import type { StatusRecord } from "../src/codec/registry-records.ts";
import type { Placement } from "../src/domain/placement/placement.ts";
import { planSetWrites } from "../src/domain/placement/plan-set-writes.ts";
import type { Operation, Registry } from "../src/ports/registry.ts";
import { applyPlan } from "../src/usecases/apply-plan.ts";
import { commitCompiler } from "../src/usecases/compile-commit.ts";
import { planCommit } from "../src/usecases/plan-commit.ts";
import { readSnapshot } from "../src/usecases/read-snapshot.ts";
import { writeSets } from "../src/usecases/write-sets.ts";
import { joinMachine } from "../test/pretend-machine.ts";
import { trustOf } from "../test/trust-of.ts";
import { type ChildRegistry, startChildRegistry } from "./child-registry.ts";
import { makeUnitRepository, type UnitRepository } from "./unit-repository.ts";

const CLUSTER = "bench";
/** As an agent writes them; etcd takes 128 operations in a transaction. */
const STATUSES_PER_TRANSACTION = 100;

/** A repository whose commit is released, placed and said to run everywhere, in a registry of its own. The machines are records. */
export class PlacedCluster {
  readonly repository: UnitRepository;
  readonly registry: Registry;
  readonly address: string;
  readonly #server: ChildRegistry;
  readonly folder: string;

  private constructor(folder: string, server: ChildRegistry, repository: UnitRepository, registry: Registry) {
    this.folder = folder;
    this.#server = server;
    this.address = server.address;
    this.repository = repository;
    this.registry = registry;
  }

  static async up(size: { units: number; machines: number }): Promise<PlacedCluster> {
    const folder = mkdtempSync(join(tmpdir(), "fleet-bench-registry-"));
    const server = await startChildRegistry(folder);
    const repository = await makeUnitRepository(size.units, CLUSTER);
    const registry = await openRegistry(server.address, { clock: systemClock });
    const cluster = new PlacedCluster(folder, server, repository, registry);
    try {
      for (let machine = 1; machine <= size.machines; machine++)
        await joinMachine(registry, registryKeys(CLUSTER), `m${machine}`, {});
      await cluster.#release();
      return cluster;
    } catch (error) {
      await cluster.down();
      throw error;
    }
  }

  async down(): Promise<void> {
    await this.registry.close();
    await this.#server.stop();
    this.repository.remove();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #release(): Promise<void> {
    const keys = registryKeys(CLUSTER);
    const source = openLocalGitSource(this.repository.path, "main");
    try {
      const compile = commitCompiler({ source, manifestPath: "fleet.yaml", sha256 });
      const cluster = { registry: this.registry, keysOf: registryKeys };
      const commit = await source.fetch();
      const planned = await planCommit({ commit, compile, cluster, partial: null, sha256 });
      if (planned.kind !== "planned") throw new Error("the bench's own repository is refused");
      const { plan, spec } = planned;
      const applied = await applyPlan({
        registry: this.registry,
        keys,
        source,
        trust: trustOf(source),
        sourceName: "https://git.example/bench.git",
        branch: "main",
        manifest: "fleet.yaml",
        plan,
        spec,
        by: "bench",
        clock: systemClock,
        newId: randomId,
        sha256,
      });
      if (applied.kind !== "released") throw new Error(`the release is ${applied.kind}`);
      const { snapshot } = await readSnapshot(this.registry, keys);
      const leader = { key: keys.leader, target: "create", is: "=", value: 0 } as const;
      const fence = { leader, releaseModRevision: snapshot.releaseModRevision };
      const writes = planSetWrites(plan.placements, new Set(), snapshot, sha256);
      const { complete } = await writeSets(this.registry, keys, fence, writes, randomId, new Date().toISOString());
      if (!complete) throw new Error("nobody else writes here, and yet a set was not written");
      await this.#saySo(plan.placements);
    } finally {
      await source.close();
    }
  }

  /** What the agents would say once everything runs. */
  async #saySo(placements: readonly Placement[]): Promise<void> {
    const keys = registryKeys(CLUSTER);
    const puts = placements.map(({ unit, machine, hash }, index): Operation => {
      const status: StatusRecord = {
        load: "loaded",
        active: "active",
        sub: "running",
        hash,
        since: "2026-01-01T00:00:00.000Z",
        result: "success",
        invocation: index.toString(16).padStart(32, "0"),
        started: true,
        problem: null,
      };
      return { kind: "put", key: keys.status(machine, unit), value: encodeRecord(status) };
    });
    for (let at = 0; at < puts.length; at += STATUSES_PER_TRANSACTION)
      await this.registry.txn({ when: [], then: puts.slice(at, at + STATUSES_PER_TRANSACTION) });
  }
}
