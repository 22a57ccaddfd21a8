import type { Clock } from "../../ports/clock.ts";
import type { Registry } from "../../ports/registry.ts";
import { parseRegistryAddress } from "./registry-address.ts";

/** PEM files for `etcds://`; read again on each connect, so that renewed certificates need no restart. */
export interface TlsFiles {
  /** Who may have signed the server's certificate; the system's authorities where not given. */
  readonly authority?: string;
  /** Our own certificate and its key: both or neither. */
  readonly certificate?: string;
  readonly key?: string;
}

/**
 * The registry at that address (`etcd://…`, `etcds://…`, `unix:/path`). Connects on the first call, not here: a registry that
 * is down makes calls reject, not this. Loads gRPC (40–60 ms), which this module alone does not.
 */
export async function openRegistry(address: string, options: { clock: Clock; tls?: TlsFiles }): Promise<Registry> {
  const parsed = parseRegistryAddress(address);
  const { EtcdRegistry } = await import("./etcd-registry.ts");
  return new EtcdRegistry(parsed, options.clock, options.tls ?? {});
}
