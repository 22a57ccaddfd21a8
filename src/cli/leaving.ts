import { existsSync, readFileSync } from "node:fs";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isHubAddress } from "../adapters/hub/hub-address.ts";
import { systemClock } from "../adapters/system-clock.ts";
import { ENGINE_KEYS_FILE } from "../codec/engine-keys-record.ts";
import { confOptions, unsetConf } from "../codec/fleet-conf.ts";
import { decodeJoin, JOIN_FILE, type JoinRecord } from "../codec/join-record.ts";
import { registryKeys } from "../codec/registry-keys.ts";
import type { EngineDoor } from "../ports/engine-door.ts";
import { OperationError } from "../ports/operation-error.ts";
import { AGENT_FOLDERS } from "../usecases/agent-files.ts";
import { removeMachine } from "../usecases/remove-machine.ts";
import { NO_REGISTRY } from "./composition.ts";
import { fleetConf } from "./fleet-conf.ts";
import { UNSTARTED_FILE } from "./joining.ts";
import { bootId, machineId } from "./machine-id.ts";
import { openRegistryAt, registryAddress } from "./open-registry-at.ts";
import type { RegistryFlags } from "./registry-flags.ts";

/** Of the agent's memory, what belongs to others: files of units that were taken over, or that somebody had put in a unit's way. */
const OTHERS = ["adopted", "drifted"];

export function joinRecord(stateFolder: string): JoinRecord | null {
  const path = join(stateFolder, JOIN_FILE);
  return existsSync(path) ? decodeJoin(readFileSync(path, "utf8")) : null;
}

/** Flags as they are, and where they say nothing as the daemons' own file does. */
export async function withConf(flags: RegistryFlags): Promise<RegistryFlags> {
  const said = confOptions(existsSync(fleetConf()) ? await readFile(fleetConf(), "utf8") : "");
  const pick = (flag: keyof RegistryFlags) => flags[flag] ?? said.get(flag.replaceAll("-", "_"));
  return {
    ...flags,
    registry: pick("registry"),
    "etcd-cafile": pick("etcd-cafile"),
    "etcd-certfile": pick("etcd-certfile"),
    "etcd-keyfile": pick("etcd-keyfile"),
  };
}

/** Takes this machine's records out of the registry, by itself or by an engine. False: it knows of no registry. Its agent has stopped. */
export async function removeMembership(flags: RegistryFlags, cluster: string, stateFolder: string): Promise<boolean> {
  const address = await registryAddress(flags);
  if (address === null || address === NO_REGISTRY) return false;
  if (isHubAddress(address)) {
    await leaveByEngine(address, stateFolder);
    return true;
  }
  const { registry } = await openRegistryAt(address, "terminal", flags);
  try {
    await removeMachine(registry, registryKeys(cluster), machineId());
    return true;
  } finally {
    await registry.close();
  }
}

/** A machine's own scope does not reach so far: an engine does it, for the machine that asks and no other. */
async function leaveByEngine(address: string, stateFolder: string): Promise<void> {
  const [{ parseHubAddress }, { readIdentity }, { IdentityKeeper }, { openDoor }] = await Promise.all([
    import("../adapters/hub/hub-address.ts"),
    import("../adapters/identity/ensure-identity.ts"),
    import("../adapters/identity/identity-keeper.ts"),
    import("../adapters/join/open-door.ts"),
  ]);
  const identity = await readIdentity(join(stateFolder, "identity"));
  if (identity === null) throw new OperationError("no-key", "this machine has no key by which an engine would know it");
  const clusterId = joinRecord(stateFolder)?.clusterId ?? null;
  let problem = new OperationError("engine-unreachable", `no engine at ${address}`);
  for (const { host, port } of parseHubAddress(address).engines) {
    const keeper = new IdentityKeeper(identity, { clusterId, role: "machine", machine: machineId() }, systemClock);
    const options = { host, port, identity: keeper, nowMs: systemClock.wallMs };
    try {
      return await leaveAt(() => openDoor(options, new AbortController().signal));
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      problem = error;
    }
  }
  throw problem;
}

/** Whom only a token let in is nobody any more once it is out, and may be cut off before it hears so: then it asks what it is. */
async function leaveAt(open: () => Promise<EngineDoor>): Promise<void> {
  const isLost = await once(open, async (door) => {
    try {
      await door.leave();
      return false;
    } catch (error) {
      if (error instanceof OperationError && error.code === "engine-answer") return true;
      throw error;
    }
  });
  if (!isLost) return;
  await once(open, async (door) => {
    const { standing } = await door.hello({ name: "", isNamed: false, bootId: bootId() });
    if (standing.code === "listed" || standing.code === "admitted") await door.leave();
  });
}

async function once<T>(open: () => Promise<EngineDoor>, ask: (door: EngineDoor) => Promise<T>): Promise<T> {
  const door = await open();
  return ask(door).finally(() => door.close());
}

/**
 * Forgets the cluster: pins, keys, what the agent and the engine remember, and what joining wrote into fleet.conf. Others' files stay. What
 * remembers that leaving was begun goes last, so that the same again does the rest.
 */
export async function forgetCluster(stateFolder: string, leaveFile: string): Promise<void> {
  const agent = join(stateFolder, "agent");
  for (const name of await namesIn(agent)) {
    const path = join(agent, name);
    if (!OTHERS.includes(name) && path !== leaveFile) await rm(path, { recursive: true, force: true });
  }
  for (const name of [JOIN_FILE, ENGINE_KEYS_FILE, UNSTARTED_FILE, "identity"])
    await rm(join(stateFolder, name), { recursive: true, force: true });
  // The folder itself is systemd's.
  const engine = `${stateFolder}-engine`;
  for (const name of await namesIn(engine)) await rm(join(engine, name), { recursive: true, force: true });
  await rm(AGENT_FOLDERS.run, { recursive: true, force: true });
  if (existsSync(fleetConf())) {
    const text = await readFile(fleetConf(), "utf8");
    const left = unsetConf(text);
    if (left === null) await rm(fleetConf());
    else if (left !== text) await writeFile(fleetConf(), left);
  }
  await rm(leaveFile, { force: true });
}

async function namesIn(folder: string): Promise<readonly string[]> {
  return existsSync(folder) ? readdir(folder) : [];
}
