import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type EmbeddedRegistry, startEmbeddedRegistry } from "../../src/adapters/embedded/embedded-registry-server.ts";
import { openRegistry } from "../../src/adapters/etcd/open-registry.ts";
import { randomId } from "../../src/adapters/random-id.ts";
import { sha256 } from "../../src/adapters/sha256.ts";
import { systemClock } from "../../src/adapters/system-clock.ts";
import { registryKeys } from "../../src/codec/registry-keys.ts";
import type { UnitName } from "../../src/domain/names.ts";
import { planSetWrites } from "../../src/domain/placement/plan-set-writes.ts";
import type { Plan } from "../../src/domain/plan/plan.ts";
import type { Registry } from "../../src/ports/registry.ts";
import { readSnapshot } from "../../src/usecases/read-snapshot.ts";
import { writeSets } from "../../src/usecases/write-sets.ts";
import { joinMachine, leaveMachine } from "../pretend-machine.ts";

/** fleet's own registry on a socket, and machines that are records in it and nothing else. */
export class PretendCluster {
  readonly address: string;
  readonly registry: Registry;
  readonly #server: EmbeddedRegistry;
  readonly #folder: string;

  private constructor(folder: string, server: EmbeddedRegistry, registry: Registry) {
    this.#folder = folder;
    this.#server = server;
    this.registry = registry;
    this.address = server.addresses[0]!;
  }

  static async start(): Promise<PretendCluster> {
    const folder = mkdtempSync(join(tmpdir(), "fleet-cli-"));
    const listen = [`unix:${join(folder, "registry.sock")}`];
    const server = await startEmbeddedRegistry({ dataDir: join(folder, "data"), listen });
    return new PretendCluster(folder, server, await openRegistry(server.addresses[0]!, { clock: systemClock }));
  }

  async join(cluster: string, name: string, metadata: Readonly<Record<string, string>> = {}): Promise<void> {
    await joinMachine(this.registry, registryKeys(cluster), name, metadata);
  }

  async leave(cluster: string, name: string): Promise<void> {
    await leaveMachine(this.registry, registryKeys(cluster), name);
  }

  /** Writes the sets a plan wants, as the engine does without its waiting. `globals`: which of its units are for every machine. */
  async place(
    cluster: string,
    plan: Pick<Plan, "placements">,
    globals: ReadonlySet<UnitName> = new Set(),
  ): Promise<void> {
    const keys = registryKeys(cluster);
    const { snapshot } = await readSnapshot(this.registry, keys);
    const leader = { key: keys.leader, target: "create", is: "=", value: 0 } as const;
    const fence = { leader, releaseModRevision: snapshot.releaseModRevision };
    const writes = planSetWrites(plan.placements, globals, snapshot, sha256);
    const { complete } = await writeSets(this.registry, keys, fence, writes, randomId, new Date().toISOString());
    if (!complete) throw new Error("nobody else writes here, and yet a set was not written");
  }

  /** Of the last write anybody made. */
  async revision(): Promise<number> {
    return (await this.registry.list("/fleet/")).revision;
  }

  async stop(): Promise<void> {
    await this.registry.close();
    await this.#server.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
