import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { isHubAddress } from "../adapters/hub/hub-address.ts";
import { randomId } from "../adapters/random-id.ts";
import { sha256 } from "../adapters/sha256.ts";
import { systemClock } from "../adapters/system-clock.ts";
import type { CommitId } from "../domain/names.ts";
import type { Contact } from "../ports/contact.ts";
import type { GitSource } from "../ports/git-source.ts";
import type { Log } from "../ports/log.ts";
import type { ObjectSource } from "../ports/object-source.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { Registry } from "../ports/registry.ts";
import type { CommitCompiler } from "../usecases/commit-compiler.ts";
import type { PartCompiler } from "../usecases/part-compiler.ts";
import type { RewindKeeper } from "../usecases/rewind-keeper.ts";
import type { TrustJudge } from "../usecases/trust-judge.ts";
import { clusterOfBranch } from "./cluster-of-branch.ts";
import { countingProgress } from "./counting-progress.ts";
import type { DaemonService } from "./daemon-service.ts";
import { openFetchChild } from "./open-fetch-child.ts";
import type { Hub } from "./open-hub.ts";
import { openRegistryAt, registryAddress } from "./open-registry-at.ts";
import { DEFAULT_REGISTRY_SOCKET, type RegistryFlags } from "./registry-flags.ts";
import { remoteContacts } from "./remote-contacts.ts";
import { sourceAccess } from "./source-access.ts";

export interface DaemonFlags extends RegistryFlags {
  readonly source?: string | undefined;
  readonly branch?: string | undefined;
  readonly manifest: string;
  readonly cluster?: string | undefined;
  readonly "state-directory": string;
  readonly "source-credentials"?: string | undefined;
  readonly "trust-signers"?: string | undefined;
  readonly "trust-mode"?: string | undefined;
  /** An agent that follows git alone: it has a registry in its own process, which it shares with nobody. */
  readonly standalone?: boolean | undefined;
}

export interface DaemonWorld {
  readonly registry: Registry;
  /** Null where the registry is reached directly. */
  readonly hub: Hub | null;
  readonly source: GitSource & ObjectSource;
  readonly trust: TrustJudge;
  readonly compile: CommitCompiler;
  readonly compilePart: PartCompiler;
  readonly cluster: string;
  readonly clock: typeof systemClock;
  readonly newId: typeof randomId;
  readonly sha256: typeof sha256;
  readonly log: Log;
  readonly contacts: readonly Contact[];
  readonly rewinds: RewindKeeper;
}

/**
 * The adapters of a daemon; `role` keeps the mirrors of two daemons on one machine apart. `remembered` is the name of the cluster this
 * machine belonged to when the daemon ran last, or null.
 */
export async function composeDaemon(
  flags: DaemonFlags,
  role: string,
  remembered: string | null,
  { log, notifier, signal }: DaemonService,
): Promise<DaemonWorld> {
  const address =
    flags.standalone === true ? IN_PROCESS : ((await registryAddress(flags)) ?? `unix:${DEFAULT_REGISTRY_SOCKET}`);
  if (role === "engine" && isHubAddress(address)) {
    throw new OperationError("engine-behind-engines", `an engine does not reach its registry by ${address}`, {
      next: "give it the registry itself, etcd://… or unix:…; a machine that dials engines runs fleet-agent alone",
    });
  }
  if (flags.source === undefined && !isHubAddress(address)) {
    throw new OperationError("no-source", "a daemon must know which repository to follow", {
      next: "set --source or FLEET_SOURCE",
    });
  }
  const [
    { openGitSource },
    { commitCompiler },
    { partCompiler },
    { TrustJudge },
    { machineTrust },
    { RewindKeeper },
    { DiskFileStore },
  ] = await Promise.all([
    import("../adapters/git/open-git-source.ts"),
    import("../usecases/compile-commit.ts"),
    import("../usecases/compile-part.ts"),
    import("../usecases/trust-judge.ts"),
    import("./machine-trust.ts"),
    import("../usecases/rewind-keeper.ts"),
    import("../adapters/files/disk-file-store.ts"),
  ]);
  const own = await machineTrust(flags);
  const mirrors = join(flags["state-directory"], role);
  await mkdir(mirrors, { recursive: true, mode: 0o700 });
  const { registry, hub } =
    flags.standalone === true
      ? { registry: await registryInProcess(signal), hub: null }
      : await openRegistryAt(address, role, flags);
  // Engines have the repository, too: a machine that reaches them needs no way to the forge, and no credentials.
  const sourceAddress = flags.source ?? `hub:${hub?.socketPath}`;
  const fetcher = openFetchChild(sourceAddress, log);
  const options = {
    ...{ branch: flags.branch ?? null, mirrorFolder: join(mirrors, "source"), log, access: sourceAccess(flags) },
    ...(fetcher === undefined ? {} : { fetcher }),
  };
  const source = countingProgress(await openGitSource(sourceAddress, options), notifier.progress);
  const trust = new TrustJudge({ source, manifestPath: flags.manifest, own });
  const compile = commitCompiler({ source, manifestPath: flags.manifest, sha256 });
  const compilePart = partCompiler({ source, manifestPath: flags.manifest });
  const branch = { source, compile: (commit: CommitId) => compilePart(commit, new Set()), clock: systemClock, log };
  const cluster = flags.cluster ?? (await clusterOfBranch(branch, remembered, signal));
  const contacts = remoteContacts({
    cluster,
    registry,
    registryAddress: address,
    source,
    sourceAddress,
  });
  return {
    contacts,
    registry,
    hub,
    source,
    trust,
    compile,
    compilePart,
    cluster,
    clock: systemClock,
    newId: randomId,
    sha256,
    log,
    rewinds: new RewindKeeper(new DiskFileStore()),
  };
}

/** No address: nobody else is there, and that it answers shows nothing of the network. */
const IN_PROCESS = "in-process";

async function registryInProcess(signal: AbortSignal): Promise<Registry> {
  const [{ MvccRegistry }, { MvccStore }, { expireLeases }, { keepCompact }] = await Promise.all([
    import("../adapters/mvcc/mvcc-registry.ts"),
    import("../adapters/mvcc/mvcc-store.ts"),
    import("../adapters/mvcc/expire-leases.ts"),
    import("../adapters/mvcc/keep-compact.ts"),
  ]);
  const store = new MvccStore();
  void expireLeases(store, systemClock, signal);
  void keepCompact(store, systemClock, signal);
  return new MvccRegistry(store, systemClock);
}

/** Aborts when systemd or a person asks the daemon to end. */
export function stopSignal(): AbortSignal {
  const stop = new AbortController();
  for (const name of ["SIGTERM", "SIGINT"] as const) process.once(name, () => stop.abort());
  return stop.signal;
}
