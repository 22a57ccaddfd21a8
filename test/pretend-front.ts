import { generateKeyPairSync } from "node:crypto";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { frontTlsServer } from "../src/adapters/identity/front-tls-server.ts";
import { IdentityKeeper } from "../src/adapters/identity/identity-keeper.ts";
import { NodeIdentity } from "../src/adapters/identity/node-identity.ts";
import { joinService } from "../src/adapters/join/join-service.ts";
import { plainStream } from "../src/adapters/join/plain-stream.ts";
import { JOIN_METHODS } from "../src/adapters/join-proto/join-proto.ts";
import { randomId } from "../src/adapters/random-id.ts";
import { sha256 } from "../src/adapters/sha256.ts";
import { systemClock } from "../src/adapters/system-clock.ts";
import { registryKeys } from "../src/codec/registry-keys.ts";
import type { ClusterIdentity } from "../src/domain/cluster/cluster-snapshot.ts";
import { judgePeer, type PeerFacts } from "../src/domain/identity/judge-peer.ts";
import type { NodeKey } from "../src/domain/identity/node-key.ts";
import { listedMachines } from "../src/domain/join/listed-machines.ts";
import { machineKeys } from "../src/domain/join/machine-keys.ts";
import type { MachineId } from "../src/domain/names.ts";
import type { SpecMachine } from "../src/domain/spec/cluster-spec.ts";
import type { Registry } from "../src/ports/registry.ts";
import { JoinDesk } from "../src/usecases/join-desk.ts";
import { readTokens } from "../src/usecases/read-tokens.ts";
import { pretendId } from "./pretend-machine.ts";

/** The join desk of an engine behind a real port, with no engine: what it lists is what its test says. */
export interface PretendFront {
  readonly address: string;
  readonly key: NodeKey;
  readonly clusterId: string;
  /** What the commit in force lists; may be changed. */
  machines: readonly SpecMachine[];
  close(): Promise<void>;
}

export const specMachine = (key: string, changes: Partial<SpecMachine> = {}): SpecMachine => ({
  ...{ key, match: null, id: pretendId(key), metadata: {}, drain: false, cordon: false, dropins: [] },
  ...changes,
});

export async function startPretendFront(registry: Registry, identity: ClusterIdentity): Promise<PretendFront> {
  const engine = new NodeIdentity(generateKeyPairSync("ed25519").privateKey);
  const keeper = new IdentityKeeper(
    engine,
    { clusterId: identity.id, role: "engine", machine: pretendId("hub") },
    systemClock,
  );
  const keys = registryKeys(identity.name);
  let known: ReadonlyMap<NodeKey, MachineId> = new Map();
  const desk = new JoinDesk({
    ...{ registry, keys, clock: systemClock, newId: randomId, sha256, version: "0.1.0" },
    cluster: () => ({ identity, machines: front.machines, releaseSeq: 1 }),
  });
  const refresh = async () => {
    known = machineKeys(listedMachines(front), (await readTokens(registry, keys)).admitted);
  };
  const judge = (facts: PeerFacts | null) =>
    judgePeer(facts, { clusterId: identity.id, role: "machine", keys: known, nowMs: Date.now() });
  const server = frontTlsServer(
    keeper,
    judge,
    (socket, { verdict, facts, address }) => {
      const peer = { machine: facts!.uri!.machine, key: facts!.key!, address };
      const grpc = new Server();
      grpc.addService(
        JOIN_METHODS,
        joinService(desk, peer, verdict.verdict === "accepted", () => undefined),
      );
      socket.once("close", () => grpc.forceShutdown());
      grpc.createConnectionInjector(ServerCredentials.createInsecure()).injectConnection(plainStream(socket));
      // What was just written counts for the next connection.
      socket.once("close", () => void refresh());
    },
    { strangers: new Set(["unlisted-key", "wrong-key", "other-cluster"]) },
  );
  const { port } = await server.listen("127.0.0.1", 0);
  let machines: readonly SpecMachine[] = [];
  const front: PretendFront = {
    address: `127.0.0.1:${port}`,
    key: engine.key,
    clusterId: identity.id,
    get machines() {
      return machines;
    },
    set machines(now) {
      machines = now;
      known = machineKeys(listedMachines(front), []);
    },
    close: () => server.close(),
  };
  return front;
}
