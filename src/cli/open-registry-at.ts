import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { isHubAddress } from "../adapters/hub/hub-address.ts";
import { systemClock } from "../adapters/system-clock.ts";
import { decodeJoin, JOIN_FILE } from "../codec/join-record.ts";
import type { Registry } from "../ports/registry.ts";
import type { Hub } from "./open-hub.ts";
import { DEFAULT_REGISTRY_SOCKET, type RegistryFlags, tlsOf } from "./registry-flags.ts";

/** `file:PATH`: what `fleet registry state` has written, for those who cannot reach the cluster. */
const STATE_SCHEME = "file:";

/** Where daemons keep what must survive a reboot unless something else is said. */
const DEFAULT_STATE_DIRECTORY = "/var/lib/fleet";

export interface OpenedRegistry {
  /** Closing it closes the hub's as well. */
  readonly registry: Registry;
  /** Null where the registry is reached directly. */
  readonly hub: Hub | null;
}

/** The registry's address: as configured; else of one that runs here; else, for root, of the engines this machine has joined; or null. */
export async function registryAddress(flags: RegistryFlags): Promise<string | null> {
  if (flags.registry !== undefined) return flags.registry;
  if (existsSync(DEFAULT_REGISTRY_SOCKET)) return `unix:${DEFAULT_REGISTRY_SOCKET}`;
  // Whoever is not root has no business with a machine's own key, and is told what there is without it.
  return process.geteuid?.() === 0 ? joinedAddress(stateDirectoryOf(flags)) : null;
}

/** Opens the registry at any address there is; `role`: of this process, for a hub's socket. */
export async function openRegistryAt(address: string, role: string, flags: RegistryFlags): Promise<OpenedRegistry> {
  if (address.startsWith(STATE_SCHEME)) {
    const { openState } = await import("./open-state.ts");
    return { registry: await openState(address.slice(STATE_SCHEME.length)), hub: null };
  }
  if (isHubAddress(address)) {
    const { openHub } = await import("./open-hub.ts");
    const hub = await openHub({ address, stateDirectory: stateDirectoryOf(flags), role });
    return { registry: hub.registry, hub };
  }
  const { openRegistry } = await import("../adapters/etcd/open-registry.ts");
  return { registry: await openRegistry(address, { clock: systemClock, tls: tlsOf(flags) }), hub: null };
}

/** Daemons have a flag for it, commands at a terminal go by the same variable. */
export function stateDirectoryOf(flags: RegistryFlags): string {
  return flags["state-directory"] ?? process.env.FLEET_STATE_DIRECTORY ?? DEFAULT_STATE_DIRECTORY;
}

async function joinedAddress(stateDirectory: string): Promise<string | null> {
  const path = join(stateDirectory, JOIN_FILE);
  const engines = existsSync(path) ? decodeJoin(await readFile(path, "utf8"))?.engines : undefined;
  return engines === undefined || engines.length === 0 ? null : `hub://${engines.join(",")}`;
}
