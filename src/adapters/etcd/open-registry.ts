import type { Clock } from "../../ports/clock.ts";
import type { Registry } from "../../ports/registry.ts";
import { parseRegistryAddress } from "./registry-address.ts";
import type { TlsFiles } from "./tls-files.ts";

interface OpenOptions {
  readonly clock: Clock;
  readonly tls?: TlsFiles;
  /** What messages call it, where that is not the address. */
  readonly shownAs?: string;
}

/**
 * The registry at that address (`etcd://…`, `etcds://…`, `unix:/path`). Connects on the first call, not here: a registry that
 * is down makes calls reject, not this. Loads gRPC (40–60 ms), which this module alone does not.
 */
export async function openRegistry(address: string, options: OpenOptions): Promise<Registry> {
  const { targets, secure, text } = parseRegistryAddress(address);
  const parsed = { targets, secure, text: options.shownAs ?? text };
  const { EtcdRegistry } = await import("./etcd-registry.ts");
  return new EtcdRegistry(parsed, options.clock, options.tls ?? {});
}
