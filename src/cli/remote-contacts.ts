import { splitSources } from "../adapters/git/display-url.ts";
import { registryKeys } from "../codec/registry-keys.ts";
import type { Contact } from "../ports/contact.ts";
import type { GitSource } from "../ports/git-source.ts";
import type { Registry } from "../ports/registry.ts";
import { registryContact, sourceContact } from "../usecases/contacts.ts";

interface Reached {
  readonly cluster: string;
  readonly registry: Registry;
  /** As configured: `etcd://…`, `unix:…`. */
  readonly registryAddress: string;
  readonly source: GitSource;
  /** As configured: a URL or a path. */
  readonly sourceAddress: string;
}

/** Those of the registry and the source that are not on this machine: only they can show that it is reached. */
export function remoteContacts(world: Reached): Contact[] {
  const { registry, source } = world;
  return [
    ...(isRemote(world.registryAddress) ? [registryContact(registry, registryKeys(world.cluster))] : []),
    ...(isRemote(world.sourceAddress) ? [sourceContact(source)] : []),
  ];
}

/** Whether any of an address's hosts is another machine, as far as it says so itself. A path and a socket are not. */
export function isRemote(address: string): boolean {
  const sources = splitSources(address);
  if (sources.length > 1) return sources.some(isRemote);
  // ssh's short form has no scheme: user@host:path.
  const short = /^(?:[^@/\s]+@)?([^/\s:@]+):(?!\/)/.exec(address)?.[1];
  if (short !== undefined && address.includes("@")) return !isLoopback(short);
  const scheme = /^([a-z]+):\/\//i.exec(address);
  if (scheme === null || scheme[1]!.toLowerCase() === "file") return false;
  const authority = address.slice(scheme[0].length).split("/")[0]!;
  return authority.split(",").some((endpoint) => !isLoopback(endpoint.replace(/^.*@/, "")));
}

function isLoopback(endpoint: string): boolean {
  const host = endpoint.startsWith("[") ? endpoint.slice(1).split("]")[0]! : endpoint.split(":")[0]!;
  return /^(localhost|.*\.localhost|127(\.\d+){3}|::1)$/i.test(host);
}
