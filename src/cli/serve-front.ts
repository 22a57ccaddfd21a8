import { join } from "node:path";
import { systemClock } from "../adapters/system-clock.ts";
import { machineScope } from "../codec/machine-scope.ts";
import { registryKeys } from "../codec/registry-keys.ts";
import { backoffMs } from "../daemon/backoff.ts";
import type { Doorstep } from "../daemon/doorstep.ts";
import { MachineRoll } from "../daemon/machine-roll.ts";
import { Seldom } from "../daemon/seldom.ts";
import { judgePeer, type PeerFacts, type PeerRefusal } from "../domain/identity/judge-peer.ts";
import type { MachineId } from "../domain/names.ts";
import { err, notice, refusal, warning } from "../ports/log.ts";
import { OperationError } from "../ports/operation-error.ts";
import { JoinDesk } from "../usecases/join-desk.ts";
import { certificateLife } from "./certificate-life.ts";
import type { DaemonWorld } from "./daemon-composition.ts";

export interface FrontServing {
  /** Of the source. */
  readonly branch: string;
  readonly machine: MachineId;
  readonly version: string;
  readonly stateDirectory: string;
  readonly listen: { readonly host: string; readonly port: number };
  readonly doorstep: Doorstep;
}

/** Whose certificate is good, and who may ask how to join: of no cluster yet, or not listed. */
const STRANGERS: ReadonlySet<PeerRefusal> = new Set(["other-cluster", "unlisted-key", "wrong-key"]);
/** A stranger that is told of: one of another cluster is somebody else's, unless it says that it has none. */
const KNOCKING: ReadonlySet<PeerRefusal> = new Set(["unlisted-key", "wrong-key"]);

/**
 * Serves machines for as long as the engine runs, leading or not. Whatever fails here, the engine goes on: it is logged, and tried again
 * with ever longer waits.
 */
export async function serveFront(world: DaemonWorld, serving: FrontServing, signal: AbortSignal): Promise<void> {
  for (let failures = 0; !signal.aborted; failures++) {
    const startedMs = systemClock.monotonicMs();
    const over = new AbortController();
    try {
      await serveOnce(world, serving, AbortSignal.any([signal, over.signal]));
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof OperationError) world.log(refusal(error));
      else world.log(err(`serving machines failed by a mistake of fleet: ${(error as Error).stack ?? String(error)}`));
    } finally {
      over.abort(null);
    }
    if (systemClock.monotonicMs() - startedMs > STEADY_MS) failures = 0;
    await systemClock.sleep(backoffMs(failures), signal);
  }
}

const STEADY_MS = 60_000;
/** A machine that is refused dials every few seconds, and the rest of the world whenever it likes. */
const REFUSED_AGAIN_MS = 600_000;

async function serveOnce(world: DaemonWorld, serving: FrontServing, signal: AbortSignal): Promise<void> {
  const [
    { Front },
    { serveStranger },
    { ObjectDesk },
    { frontTlsServer },
    { ensureIdentity },
    { IdentityKeeper },
    { joinService },
    { JOIN_METHODS },
    { ReachDesk },
  ] = await Promise.all([
    import("../adapters/front/front.ts"),
    import("../adapters/front/serve-stranger.ts"),
    import("../adapters/front/object-desk.ts"),
    import("../adapters/identity/front-tls-server.ts"),
    import("../adapters/identity/ensure-identity.ts"),
    import("../adapters/identity/identity-keeper.ts"),
    import("../adapters/join/join-service.ts"),
    import("../adapters/join-proto/join-proto.ts"),
    import("../adapters/front/reach-desk.ts"),
  ]);
  const { registry, source, clock, log, newId, sha256 } = world;
  const { machine, version, doorstep, listen, branch } = serving;
  const keys = registryKeys(world.cluster);
  const identity = await ensureIdentity(join(serving.stateDirectory, "engine", "identity"));
  const claimOf = (clusterId: string | null) => ({ clusterId, role: "engine", machine }) as const;
  const keeper = new IdentityKeeper(identity, claimOf(null), clock, certificateLife());
  const roll = new MachineRoll(keys, world, () => {
    keeper.claimToBe(claimOf(roll.cluster?.identity.id ?? null));
    doorstep.letIn(roll.nodeKeys);
    const gone = server.rejudge();
    if (gone > 0) log(notice(`${gone} connections of machines end: they are not let in any more`));
  });
  const judge = (facts: PeerFacts | null) =>
    judgePeer(facts, {
      clusterId: roll.cluster?.identity.id ?? null,
      role: "machine",
      keys: roll.nodeKeys,
      nowMs: clock.wallMs(),
    });
  const leaveOut = [`${keys.root}specs/`, `${keys.root}plans/`, keys.tokens, keys.admissions];
  const front = new Front({ registry, root: keys.root, leaveOut, clock, log });
  const desk = new JoinDesk({ registry, keys, clock, newId, sha256, version, cluster: () => roll.cluster });
  const objects = new ObjectDesk({ source, branch, clock, log });
  const reach = new ReachDesk(clock, newId);
  const refused = new Seldom(clock, REFUSED_AGAIN_MS);
  const server = frontTlsServer(
    keeper,
    judge,
    (socket, { verdict, facts, address }) => {
      const claim = facts?.uri ?? null;
      const key = facts?.key ?? null;
      if (claim === null || key === null) return void socket.destroy();
      const isKnown = verdict.verdict === "accepted";
      const caller = { machine: isKnown ? verdict.machine : claim.machine, key, address };
      const handlers = joinService(desk, caller, isKnown, log);
      const joining = { methods: JOIN_METHODS, handlers };
      if (isKnown) {
        const peer = { name: caller.machine, scope: machineScope(keys, caller.machine) };
        return front.accept(socket, peer, [joining, objects.service(caller.machine), reach.service(caller.machine)]);
      }
      if (KNOCKING.has(verdict.code) || claim.clusterId === null) doorstep.knocked(claim.machine, key);
      serveStranger(socket, [joining], `machine ${claim.machine} with key ${key}: ${verdict.code}`);
    },
    {
      strangers: STRANGERS,
      onRefused: (code, { address }) => {
        const text = `${code}: connections from ${address} are refused`;
        if (refused.isDue(text)) log(warning(text));
      },
    },
  );
  const running = Promise.all([front.run(signal), roll.run(signal)]);
  // Whoever serves it hears of its end below, unless the port is taken, which ends it.
  running.catch(() => {});
  // Until it is known who is listed, every machine would be refused as a stranger, and this engine taken for another cluster's.
  await Promise.race([roll.known, running]);
  if (signal.aborted) return void (await running);
  const { port } = await server.listen(listen.host, listen.port);
  log(notice(`serves machines on port ${port} with engine key ${identity.key}`));
  try {
    await running;
  } finally {
    await server.close();
  }
}
