import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openRegistry } from "../../src/adapters/etcd/open-registry.ts";
import { Front } from "../../src/adapters/front/front.ts";
import type { FrontPeer } from "../../src/adapters/front/front-peer.ts";
import { systemClock } from "../../src/adapters/system-clock.ts";
import type { RegistryScope } from "../../src/codec/machine-scope.ts";
import type { LogLine } from "../../src/ports/log.ts";
import type { Registry } from "../../src/ports/registry.ts";

/** Nothing is forbidden: what the port itself promises is to hold through a front as well. */
export const ANYTHING: RegistryScope = { mayRead: () => true, forbiddenIn: () => null, isOwnLeased: () => true };

export interface FrontWorldOptions {
  readonly registry: Registry;
  readonly root: string;
  readonly leaveOut?: readonly string[];
}

/** A front over that registry, and private sockets on which peers reach it: whoever connects to one is that peer. */
export class FrontWorld {
  readonly front: Front;
  readonly log: LogLine[] = [];
  readonly #folder = mkdtempSync(join(tmpdir(), "fleet-front-"));
  readonly #servers: Server[] = [];
  readonly #clients: Registry[] = [];
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;

  private constructor({ registry, root, leaveOut = [] }: FrontWorldOptions) {
    const log = (line: LogLine) => void this.log.push(line);
    this.front = new Front({ registry, root, leaveOut, clock: systemClock, log });
    this.#running = this.front.run(this.#stop.signal);
  }

  /** Once it has read the registry. */
  static async start(options: FrontWorldOptions): Promise<FrontWorld> {
    const world = new FrontWorld(options);
    while (world.front.mirror.store === null) await systemClock.sleep(5);
    return world;
  }

  /** An address of the registry, as that peer. */
  async addressFor(peer: FrontPeer): Promise<string> {
    const path = join(this.#folder, `${this.#servers.length}.sock`);
    const server = createServer((socket) => this.front.accept(socket, peer));
    this.#servers.push(server);
    await new Promise<void>((resolve) => server.listen(path, resolve));
    return `unix:${path}`;
  }

  /** The registry as that peer has it. */
  async connect(peer: FrontPeer): Promise<Registry> {
    const client = await openRegistry(await this.addressFor(peer), { clock: systemClock });
    this.#clients.push(client);
    return client;
  }

  async close(): Promise<void> {
    for (const client of this.#clients) await client.close();
    this.#stop.abort();
    await this.#running;
    for (const server of this.#servers) server.close();
    rmSync(this.#folder, { recursive: true });
  }
}
