/** Agents of many machines in one process: keys, TLS, relay, etcd's client and the agent itself, all but systemd. Told what to do by `process.on("message")`. */
import { createPrivateKey } from "node:crypto";
import { join } from "node:path";
import { openRegistry } from "../src/adapters/etcd/open-registry.ts";
import { openLocalGitSource } from "../src/adapters/git/local-git-source.ts";
import { parseHubAddress } from "../src/adapters/hub/hub-address.ts";
import { HubRelay } from "../src/adapters/hub/hub-relay.ts";
import { dialPeer } from "../src/adapters/identity/dial-peer.ts";
import { IdentityKeeper } from "../src/adapters/identity/identity-keeper.ts";
import { NodeIdentity } from "../src/adapters/identity/node-identity.ts";
import { systemClock } from "../src/adapters/system-clock.ts";
import { registryKeys } from "../src/codec/registry-keys.ts";
import { judgeEngine } from "../src/domain/hub/judge-engine.ts";
import type { NodeKey } from "../src/domain/identity/node-key.ts";
import type { MachineId } from "../src/domain/names.ts";
import type { Registry, WatchMessage } from "../src/ports/registry.ts";
import { partCompiler } from "../src/usecases/compile-part.ts";
import { liveAgent } from "../test/live-agent.ts";

export interface AgentsOrder {
  readonly cluster: string;
  readonly clusterId: string;
  readonly repository: string;
  readonly folder: string;
  readonly ports: readonly number[];
  readonly engineKeys: readonly NodeKey[];
  readonly ttlMs: number;
  readonly machines: readonly { readonly id: MachineId; readonly pem: string }[];
}

/** A key whose value is when it was written: milliseconds since the epoch, with fractions. */
export const CHANGE_KEY = "bench";

/** Of each change that reached an agent. */
export interface Reached {
  /** The key's value. */
  readonly sentMs: number;
  readonly tookMs: number;
}

const reached: Reached[] = [];
const stop = new AbortController();
const aborted = new Promise<void>((resolve) => stop.signal.addEventListener("abort", () => resolve()));
/** Of one process, on their way to being there. */
const AT_ONCE = 2;

process.on("message", (order: AgentsOrder | "report" | "stop") => {
  if (order === "stop") stop.abort();
  else if (order === "report") process.send!(reached.splice(0));
  else {
    serve(order).then(
      () => process.disconnect(),
      (error: unknown) => {
        process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
        process.exit(1);
      },
    );
  }
});

async function serve(order: AgentsOrder): Promise<void> {
  const source = openLocalGitSource(order.repository, "main");
  const compilePart = partCompiler({ source, manifestPath: "fleet.yaml" });
  const { cluster, ttlMs } = order;
  const running: Promise<void>[] = [];
  const left = order.machines.values();
  // Each comes when one before it is there: what a thousand handshakes in one second do is another question.
  const come = async () => {
    for (const { id, pem } of left) {
      const { registry, isThere, close } = await connect(order, id, pem);
      const agent = liveAgent({ cluster, machine: id, registry, source, compilePart, ttlMs });
      running.push(agent.run(stop.signal).then(close));
      await Promise.race([isThere, aborted]);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, come));
  await Promise.all(running);
  await source.close();
}

async function connect(order: AgentsOrder, machine: MachineId, pem: string) {
  const claim = { clusterId: order.clusterId, role: "machine", machine } as const;
  const keeper = new IdentityKeeper(new NodeIdentity(createPrivateKey(pem)), claim, systemClock);
  const engines = new Map(order.engineKeys.map((key) => [key, null]));
  const relay = await HubRelay.listen({
    address: parseHubAddress(`hub://${order.ports.map((port) => `127.0.0.1:${port}`).join(",")}`),
    clock: systemClock,
    random: Math.random,
    folder: join(order.folder, machine.slice(0, 16)),
    role: "agent",
    dial: async ({ host, port }, signal) => {
      const judge = (facts: Parameters<typeof judgeEngine>[0]) =>
        judgeEngine(facts, engines, order.clusterId, Date.now());
      const { socket, facts } = await dialPeer(host, port, keeper, judge, signal);
      return { stream: socket, key: facts.key! };
    },
  });
  const registry = await openRegistry(`unix:${relay.socketPath}`, { clock: systemClock });
  const close = async () => {
    await registry.close();
    await relay.close();
  };
  const { promise: isThere, resolve } = Promise.withResolvers<void>();
  return { registry: listened(registry, order.cluster, resolve), isThere, close };
}

/** The same registry; notes how old the change is that a watch tells of, and tells of the first write. */
function listened(registry: Registry, cluster: string, hasWritten: () => void): Registry {
  const key = `${registryKeys(cluster).holds}${CHANGE_KEY}`;
  return {
    list: (...call) => registry.list(...call),
    async txn(txn) {
      const result = await registry.txn(txn);
      hasWritten();
      return result;
    },
    async *watch(...call): AsyncGenerator<WatchMessage> {
      for await (const message of registry.watch(...call)) {
        if (message.kind === "changes") {
          for (const change of message.changes) {
            if (change.kind !== "put" || change.entry.key !== key) continue;
            const sentMs = Number(change.entry.value);
            reached.push({ sentMs, tookMs: performance.timeOrigin + performance.now() - sentMs });
          }
        }
        yield message;
      }
    },
    grantLease: (ttlMs) => registry.grantLease(ttlMs),
    keepAlive: (lease) => registry.keepAlive(lease),
    revokeLease: (lease) => registry.revokeLease(lease),
    describe: () => registry.describe(),
    close: () => registry.close(),
  };
}
