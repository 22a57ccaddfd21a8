import { join } from "node:path";
import { randomId } from "../adapters/random-id.ts";
import { systemClock } from "../adapters/system-clock.ts";
import { decodeAgentState } from "../codec/agent-state.ts";
import { type RegistryKeys, registryKeys } from "../codec/registry-keys.ts";
import type { FileStore } from "../ports/file-store.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { Registry } from "../ports/registry.ts";
import { openRegistryAt, registryAddress } from "./open-registry-at.ts";
import { DEFAULT_REGISTRY_SOCKET, type RegistryFlags } from "./registry-flags.ts";

/** Between two looks for the cluster of a machine whose agent has none yet. */
const LOOK_MS = 1_000;

export interface GuardFlags extends RegistryFlags {
  readonly cluster?: string | undefined;
  readonly "state-directory": string;
}

export interface GuardWorld {
  readonly registry: Registry;
  readonly keys: RegistryKeys;
  readonly clock: typeof systemClock;
  readonly newId: typeof randomId;
}

/** The adapters of a reboot guard: it reads no repository, and is of the cluster that this machine's agent is of. */
export async function composeGuard(
  flags: GuardFlags,
  files: Pick<FileStore, "read">,
  signal: AbortSignal,
): Promise<GuardWorld> {
  const cluster = flags.cluster ?? (await clusterOfAgent(join(flags["state-directory"], "agent"), files, signal));
  const address = (await registryAddress(flags)) ?? `unix:${DEFAULT_REGISTRY_SOCKET}`;
  const { registry } = await openRegistryAt(address, "reboot-guard", flags);
  return { registry, keys: registryKeys(cluster), clock: systemClock, newId: randomId };
}

async function clusterOfAgent(state: string, files: Pick<FileStore, "read">, signal: AbortSignal): Promise<string> {
  while (!signal.aborted) {
    const name = decodeAgentState(await files.read(`${state}/state.json`))?.clusterName;
    if (name !== undefined && name !== null) return name;
    await systemClock.sleep(LOOK_MS, signal);
  }
  throw new OperationError("stopped", "this machine's agent has not joined a cluster", {
    next: "start fleet-agent, or say --cluster",
  });
}
