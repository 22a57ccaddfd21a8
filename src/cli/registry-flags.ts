/** Where a solo machine's, a hub's or the lab's registry listens unless something else is said. */
export const DEFAULT_REGISTRY_SOCKET = "/run/fleet/registry.sock";

/** What says which registry, and how it is reached. */
export interface RegistryFlags extends TlsFlags {
  readonly registry?: string | undefined;
  /** Where this machine's own key is, which a hub wants to see. */
  readonly "state-directory"?: string | undefined;
}

/** Files for `etcds://`, by old fleet's option names. */
export interface TlsFlags {
  readonly "etcd-cafile"?: string | undefined;
  readonly "etcd-certfile"?: string | undefined;
  readonly "etcd-keyfile"?: string | undefined;
}

/** The TLS files as the registry's adapter takes them: only those that are set. */
export function tlsOf(flags: TlsFlags): { authority?: string; certificate?: string; key?: string } {
  const entries = [
    ["authority", flags["etcd-cafile"]],
    ["certificate", flags["etcd-certfile"]],
    ["key", flags["etcd-keyfile"]],
  ] as const;
  return Object.fromEntries(entries.filter(([, path]) => path !== undefined));
}
