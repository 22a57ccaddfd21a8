import { join } from "node:path";
import { systemClock } from "../adapters/system-clock.ts";
import type { HubState } from "../domain/hub/hub-state.ts";
import { judgeEngine } from "../domain/hub/judge-engine.ts";
import type { NodeKey } from "../domain/identity/node-key.ts";
import type { MachineId } from "../domain/names.ts";
import type { SpecMachine } from "../domain/spec/cluster-spec.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { Registry } from "../ports/registry.ts";
import { certificateLife } from "./certificate-life.ts";
import { machineId } from "./machine-id.ts";

/** Of this machine's relays, one socket for each process that has one. */
const SOCKET_FOLDER = "/run/fleet-hub";
/** For reaching one engine, handshakes included: four round trips of a bad satellite line, and a lost SYN is sent again after 1 and 3 s. */
const DIAL_LIMIT_MS = 6_000;

export interface HubOptions {
  /** `hub://…` */
  readonly address: string;
  readonly stateDirectory: string;
  /** Of this process: `agent`, `reboot-guard`, `terminal`. */
  readonly role: string;
}

/** A registry through engines, and what there is to know of the way there. */
export interface Hub {
  readonly registry: Registry;
  /** Where other clients of what engines serve connect. */
  readonly socketPath: string;
  state(): HubState;
  /** What this machine proves itself with. */
  readonly self: { readonly machine: MachineId; readonly key: NodeKey };
  /** Dials every engine once; `state` then says how each of them is. */
  tryAll(): Promise<void>;
  /** From now on goes by the engine keys of this commit, which the machine has accepted. Rejects where they cannot be put on the disk. */
  accept(machines: readonly SpecMachine[]): Promise<void>;
}

/**
 * Opens the registry behind a hub's address with this machine's own key, which is made where there is none. Closing the registry closes all
 * of it. Rejects with OperationError where the address, the key or the socket cannot be used; an engine that cannot is for later.
 */
export async function openHub(options: HubOptions): Promise<Hub> {
  const [
    { parseHubAddress },
    { HubRelay },
    { HubRegistry },
    { dialPeer },
    { ensureIdentity },
    { IdentityKeeper },
    { DiskFileStore },
    { EnginePins },
    { knownCluster },
    { openRegistry },
  ] = await Promise.all([
    import("../adapters/hub/hub-address.ts"),
    import("../adapters/hub/hub-relay.ts"),
    import("../adapters/hub/hub-registry.ts"),
    import("../adapters/identity/dial-peer.ts"),
    import("../adapters/identity/ensure-identity.ts"),
    import("../adapters/identity/identity-keeper.ts"),
    import("../adapters/files/disk-file-store.ts"),
    import("../usecases/engine-pins.ts"),
    import("../usecases/known-cluster.ts"),
    import("../adapters/etcd/open-registry.ts"),
  ]);
  const address = parseHubAddress(options.address);
  if (process.geteuid?.() !== 0) {
    throw new OperationError("not-allowed", "only root speaks for this machine to its engines", {
      next: "run it as root, or where the registry itself is reached",
    });
  }
  const files = new DiskFileStore();
  const machine = machineId();
  const identity = await ensureIdentity(join(options.stateDirectory, "identity"));
  const nobody = { clusterId: null, role: "machine", machine } as const;
  const keeper = new IdentityKeeper(identity, nobody, systemClock, certificateLife());
  const pins = new EnginePins(files, options.stateDirectory);
  const recall = async () => {
    await pins.recall();
    const clusterId = (await knownCluster(files, options.stateDirectory))?.clusterId ?? null;
    keeper.claimToBe({ clusterId, role: "machine", machine });
  };
  await recall();
  const relay = await HubRelay.listen({
    address,
    clock: systemClock,
    random: Math.random,
    folder: SOCKET_FOLDER,
    role: options.role,
    dial: async ({ host, port }, signal) => {
      // Somebody may have joined this machine meanwhile, also anew; a disk that does not say leaves what is known.
      await recall().catch((error: unknown) => {
        if (!(error instanceof OperationError) || pins.keys.size === 0) throw error;
      });
      if (pins.keys.size === 0) throw withoutKeys(host);
      const judge = (facts: Parameters<typeof judgeEngine>[0]) =>
        judgeEngine(facts, pins.keys, keeper.claim.clusterId, systemClock.wallMs());
      const { socket, facts } = await dialPeer(host, port, keeper, judge, signal, { timeoutMs: DIAL_LIMIT_MS });
      return { stream: socket, key: facts.key! };
    },
  });
  const inner = await openRegistry(`unix:${relay.socketPath}`, { clock: systemClock, shownAs: address.text });
  const registry = new HubRegistry(inner, () => relay.state(), relay.close.bind(relay));
  return {
    registry,
    socketPath: relay.socketPath,
    self: { machine, key: identity.key },
    state: () => relay.state(),
    tryAll: () => relay.tryAll(),
    async accept(machines) {
      if (pins.accept(machines)) relay.keepOnly(new Set(pins.keys.keys()));
      await pins.save();
    },
  };
}

function withoutKeys(host: string): OperationError {
  return new OperationError("no-engine-keys", "this machine knows no engine's key, so it takes none for its own", {
    next: `fleet join ${host}`,
  });
}
