import type { ServiceRecord } from "../domain/discovery/service-records.ts";
import type { MachineId } from "../domain/names.ts";
import type { RegistryKeys } from "./registry-keys.ts";

/**
 * SkyDNS's own JSON, and not one of our records: other programs read it (CoreDNS's etcd plugin, confd). Seconds that an answer may be kept
 * are few, so that who asked does not outlive what it heard of.
 */
export const SERVICE_TTL_S = 5;

/** See `leafOf`. */
const LEAF = /^([0-9a-f]{32})-[0-9a-f]{12}$/;

/** Whether a key is that of a record of that machine, which its last step says. */
export function isServiceOf(keys: RegistryKeys, machine: MachineId, key: string): boolean {
  return key.startsWith(keys.services) && LEAF.exec(key.slice(key.lastIndexOf("/") + 1))?.[1] === machine;
}

/** The value of a record; its key is `keys.services` and its path. */
export function encodeServiceRecord({ host, port }: ServiceRecord): string {
  return JSON.stringify({ host, port, ttl: SERVICE_TTL_S });
}

/** Null where it is none that fleet wrote, or not whole. */
export function decodeServiceRecord(path: string, value: string): ServiceRecord | null {
  try {
    const { host, port } = JSON.parse(value) as { host?: unknown; port?: unknown };
    return typeof host === "string" && Number.isInteger(port) ? { path, host, port: port as number } : null;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return null;
    throw error;
  }
}
