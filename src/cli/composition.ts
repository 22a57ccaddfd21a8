import { mkdir } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import type { LocalGitSource } from "../adapters/git/local-git-source.ts";
import type { RemoteAccess } from "../adapters/git/remote/remote-access.ts";
import { randomId } from "../adapters/random-id.ts";
import { sha256 } from "../adapters/sha256.ts";
import { systemClock } from "../adapters/system-clock.ts";
import { registryKeys } from "../codec/registry-keys.ts";
import type { GitSource } from "../ports/git-source.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { Registry } from "../ports/registry.ts";
import type { CommitCompiler } from "../usecases/commit-compiler.ts";
import { openRegistryAt, registryAddress } from "./open-registry-at.ts";
import type { RegistryFlags } from "./registry-flags.ts";

/** `--registry` of whoever wants no cluster, also where one runs on this machine. */
export const NO_REGISTRY = "none";

export interface CompositionFlags extends RegistryFlags {
  readonly directory?: string | undefined;
  readonly manifest?: string | undefined;
  readonly source?: string | undefined;
  readonly branch?: string | undefined;
  /** Where a source is fetched from that needs credentials: these are no part of its name. By default its name. */
  readonly addressOf?: ((source: string) => string) | undefined;
  /** What a source's door is opened with; by default as the person who runs this does it, and by the file FLEET_SOURCE_CREDENTIALS names. */
  readonly access?: RemoteAccess | undefined;
}

/**
 * The real adapters, chosen here and nowhere else; each is opened when first asked for, so that a command loads only what it
 * uses. Whoever composes closes.
 */
export interface Composition {
  readonly clock: typeof systemClock;
  readonly newId: typeof randomId;
  readonly sha256: typeof sha256;
  readonly manifest: string;
  readonly keysOf: typeof registryKeys;
  /** The repository the command stands in. */
  repository(): Promise<LocalGitSource>;
  /** What `--source` or the cluster names; by default the repository the command stands in. */
  source(named: string, branch: string): Promise<GitSource>;
  compiler(source: Pick<GitSource, "listFiles" | "readBlob">): Promise<CommitCompiler>;
  /** Null where none is configured and none runs here: no cluster yet, which is not an error. */
  registry(): Promise<Registry | null>;
  /** Like `registry`, for commands that cannot do without one. */
  needRegistry(): Promise<Registry>;
  close(): Promise<void>;
}

export async function compose(flags: CompositionFlags): Promise<Composition> {
  const opened: { close(): unknown }[] = [];
  const directory = resolve(flags.directory ?? ".");
  const manifest = flags.manifest ?? "fleet.yaml";
  let repository: Promise<LocalGitSource> | null = null;
  let registry: Promise<Registry | null> | null = null;
  const keep = <T extends { close(): unknown }>(thing: T): T => {
    opened.push(thing);
    return thing;
  };
  const composition: Composition = {
    clock: systemClock,
    newId: randomId,
    sha256,
    manifest,
    keysOf: registryKeys,
    repository() {
      repository ??= import("../adapters/git/local-git-source.ts").then(({ openLocalGitSource }) =>
        keep(openLocalGitSource(directory)),
      );
      return repository;
    },
    async source(named, branch) {
      const { openGitSource } = await import("../adapters/git/open-git-source.ts");
      const folder = join(cacheFolder(), "mirrors", sha256(`${named} ${branch}`).slice(0, 16));
      await mkdir(join(cacheFolder(), "mirrors"), { recursive: true });
      const access = flags.access ?? ownAccess();
      return keep(await openGitSource(flags.addressOf?.(named) ?? named, { branch, mirrorFolder: folder, access }));
    },
    async compiler(source) {
      const { commitCompiler } = await import("../usecases/compile-commit.ts");
      const registryPorts = await portsOf(flags.registry);
      return commitCompiler({ source, manifestPath: manifest, sha256, lint: true, registryPorts });
    },
    registry() {
      registry ??= openConfiguredRegistry(flags).then((opened) => (opened === null ? null : keep(opened)));
      return registry;
    },
    async needRegistry() {
      const found = await composition.registry();
      if (found !== null) return found;
      throw new OperationError("no-registry", "no registry is configured, and none runs on this machine", {
        next: `give --registry, set FLEET_REGISTRY, or try a cluster on this machine: fleet lab up --machines 3`,
      });
    },
    async close() {
      for (const thing of opened.reverse()) await thing.close();
    },
  };
  return composition;
}

function ownAccess(): RemoteAccess {
  const credentialsFile = process.env.FLEET_SOURCE_CREDENTIALS;
  return credentialsFile === undefined ? {} : { credentialsFile };
}

async function openConfiguredRegistry(flags: CompositionFlags): Promise<Registry | null> {
  const address = await registryAddress(flags);
  if (address === null || address === NO_REGISTRY) return null;
  return (await openRegistryAt(address, "terminal", flags)).registry;
}

/** Ports of an etcd named by flag or variable; a socket has none. */
async function portsOf(registry: string | undefined): Promise<number[]> {
  if (registry === undefined || !/^etcds?:/.test(registry)) return [];
  const { parseRegistryAddress } = await import("../adapters/etcd/registry-address.ts");
  return parseRegistryAddress(registry).targets.map((target) => Number(/\d+$/.exec(target)?.[0]));
}

/** Mirrors of remote sources; safe to delete at any time. */
function cacheFolder(): string {
  return join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "fleet");
}
