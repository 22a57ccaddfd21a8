import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openRegistry } from "../../src/adapters/etcd/open-registry.ts";
import { parseHubAddress } from "../../src/adapters/hub/hub-address.ts";
import { HubRegistry } from "../../src/adapters/hub/hub-registry.ts";
import { HubRelay } from "../../src/adapters/hub/hub-relay.ts";
import { dialPeer } from "../../src/adapters/identity/dial-peer.ts";
import { type FrontTlsServer, frontTlsServer } from "../../src/adapters/identity/front-tls-server.ts";
import { IdentityKeeper } from "../../src/adapters/identity/identity-keeper.ts";
import { NodeIdentity } from "../../src/adapters/identity/node-identity.ts";
import { systemClock } from "../../src/adapters/system-clock.ts";
import { judgeEngine } from "../../src/domain/hub/judge-engine.ts";
import { judgePeer, type PeerRole } from "../../src/domain/identity/judge-peer.ts";
import type { NodeKey } from "../../src/domain/identity/node-key.ts";
import { type MachineId, parseMachineId } from "../../src/domain/names.ts";
import type { Clock } from "../../src/ports/clock.ts";
import { ANYTHING, FrontWorld, type FrontWorldOptions } from "./front-world.ts";

const CLUSTER = "0".repeat(32);
const MACHINE = parseMachineId("a".repeat(32))!;

/** One engine: a front of its own behind TLS on a port of the loopback. */
export interface HubEngine {
  readonly port: number;
  readonly key: NodeKey;
  /** Ends it, connections and all. */
  stop(): Promise<void>;
}

/** Engines over one registry, and machines that dial them as theirs: keys, TLS, relay, front and etcd's client, all but the processes. */
export class HubWorld {
  readonly engines: readonly HubEngine[];
  readonly fronts: readonly FrontWorld[];
  /** Keys of machines that engines let in; the one machine's there is. */
  readonly listed = new Map<NodeKey, MachineId>();
  readonly #folder = mkdtempSync(join(tmpdir(), "fleet-hub-"));
  readonly #closing: (() => Promise<unknown>)[] = [];
  readonly #machine = identity("machine", MACHINE);

  private constructor(fronts: readonly FrontWorld[], engines: readonly HubEngine[], listed: Map<NodeKey, MachineId>) {
    this.fronts = fronts;
    this.engines = engines;
    this.listed = listed;
    this.listed.set(this.#machine.identity.key, MACHINE);
  }

  static async start(engines: number, options: FrontWorldOptions): Promise<HubWorld> {
    const listed = new Map<NodeKey, MachineId>();
    const fronts: FrontWorld[] = [];
    const all: HubEngine[] = [];
    for (let at = 0; at < engines; at++) {
      const world = await FrontWorld.start(options);
      const keeper = identity("engine", parseMachineId(String(at + 1).repeat(32))!);
      const server: FrontTlsServer = frontTlsServer(
        keeper,
        (facts) => judgePeer(facts, { clusterId: CLUSTER, role: "machine", keys: listed, nowMs: Date.now() }),
        (socket) => world.front.accept(socket, { name: MACHINE, scope: ANYTHING }),
      );
      const { port } = await server.listen("127.0.0.1", 0);
      fronts.push(world);
      all.push({ port, key: keeper.identity.key, stop: () => server.close() });
    }
    return new HubWorld(fronts, all, listed);
  }

  /** The registry as the machine has it, over these ports in place of the engines' own; `clusterId`: of the cluster it takes for its own. */
  async connect(
    ports: readonly number[] = this.engines.map(({ port }) => port),
    clock: Clock = systemClock,
    clusterId = CLUSTER,
  ): Promise<{ readonly registry: HubRegistry; readonly relay: HubRelay }> {
    const keys = new Map(this.engines.map(({ key }) => [key, null]));
    const relay = await HubRelay.listen({
      address: parseHubAddress(`hub://${ports.map((port) => `127.0.0.1:${port}`).join(",")}`),
      clock: systemClock,
      // The first of the address is the first to be dialled.
      random: () => 0,
      folder: this.#folder,
      role: `m${this.#closing.length}`,
      dial: async ({ host, port }, signal) => {
        const judge = (facts: Parameters<typeof judgeEngine>[0]) => judgeEngine(facts, keys, clusterId, Date.now());
        const { socket, facts } = await dialPeer(host, port, this.#machine, judge, signal);
        return { stream: socket, key: facts.key! };
      },
    });
    const inner = await openRegistry(`unix:${relay.socketPath}`, { clock, shownAs: "hub://test" });
    const registry = new HubRegistry(
      inner,
      () => relay.state(),
      () => relay.close(),
    );
    this.#closing.push(() => registry.close());
    return { registry, relay };
  }

  async close(): Promise<void> {
    for (const close of this.#closing) await close();
    for (const engine of this.engines) await engine.stop();
    for (const front of this.fronts) await front.close();
    rmSync(this.#folder, { recursive: true });
  }
}

function identity(role: PeerRole, machine: MachineId): IdentityKeeper {
  const key = new NodeIdentity(generateKeyPairSync("ed25519").privateKey);
  return new IdentityKeeper(key, { clusterId: CLUSTER, role, machine }, systemClock);
}
