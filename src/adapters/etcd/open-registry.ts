import type { Clock } from "../../ports/clock.ts";
import type { Registry } from "../../ports/registry.ts";
import { parseRegistryAddress } from "./registry-address.ts";
import type { TlsFiles } from "./tls-files.ts";

/**
 * The registry at that address (`etcd://…`, `etcds://…`, `unix:/path`). Connects on the first call, not here: a registry that
 * is down makes calls reject, not this. Loads gRPC (40–60 ms), which this module alone does not.
 */
export async function openRegistry(address: string, options: { clock: Clock; tls?: TlsFiles }): Promise<Registry> {
  const parsed = parseRegistryAddress(address);
  const { EtcdRegistry } = await import("./etcd-registry.ts");
  return new EtcdRegistry(parsed, options.clock, options.tls ?? {});
}
