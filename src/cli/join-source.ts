import { join } from "node:path";
import { displayUrl } from "../adapters/git/display-url.ts";
import type { RemoteAccess } from "../adapters/git/remote/remote-access.ts";
import { encodeJoin, JOIN_FILE } from "../codec/join-record.ts";
import { decodeRecord } from "../codec/record.ts";
import { REGISTRY_ROOT } from "../codec/registry-keys.ts";
import { CLUSTER_SHAPE, type ClusterRecord } from "../codec/registry-records.ts";
import type { ClusterIdentity } from "../domain/cluster/cluster-snapshot.ts";
import type { NodeKey } from "../domain/identity/node-key.ts";
import { isRefused } from "../domain/join/judge-caller.ts";
import { listedMachines } from "../domain/join/listed-machines.ts";
import type { ClusterSpec } from "../domain/spec/cluster-spec.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { Registry } from "../ports/registry.ts";
import { standingOf } from "../usecases/admit-by-token.ts";
import { knownCluster, refuseJoinedElsewhere } from "../usecases/known-cluster.ts";
import { readSnapshot } from "../usecases/read-snapshot.ts";
import type { JoinProgress } from "../usecases/wait-joined.ts";
import { type Composition, compose, NO_REGISTRY } from "./composition.ts";
import { type Joining, metadataOption, writeConf } from "./joining.ts";
import { ownEngineKey } from "./own-engine-key.ts";
import type { RegistryFlags } from "./registry-flags.ts";
import { RejectedCommit } from "./report-error.ts";
import { type JoinedMachine, refusalOf } from "./views/join-text.ts";

export interface SourceJoinFlags extends RegistryFlags {
  readonly branch?: string | undefined;
  readonly manifest?: string | undefined;
  readonly listen?: string | undefined;
  readonly "source-credentials"?: string | undefined;
  /** What fetching by ssh needs here. */
  readonly access?: RemoteAccess | undefined;
}

/** What it was told when it joined before still counts where nothing else is said: the same again without a flag takes nothing away. */
function withSaid(flags: SourceJoinFlags, url: string, { said }: Joining) {
  const isSame = said.get("source") === url;
  const registry = said.get("registry");
  // It dialled engines before: now it is to reach the registry itself.
  const isHub = registry?.startsWith("hub://") === true;
  return {
    ...flags,
    registry: flags.registry ?? (isHub ? undefined : registry),
    "etcd-cafile": flags["etcd-cafile"] ?? said.get("etcd_cafile"),
    "etcd-certfile": flags["etcd-certfile"] ?? said.get("etcd_certfile"),
    "etcd-keyfile": flags["etcd-keyfile"] ?? said.get("etcd_keyfile"),
    listen: flags.listen ?? said.get("listen"),
    "source-credentials": flags["source-credentials"] ?? (isSame ? said.get("source_credentials") : undefined),
    branch: flags.branch ?? (isSame ? said.get("branch") : undefined) ?? "main",
    manifest: flags.manifest ?? (isSame ? said.get("manifest") : undefined) ?? "fleet.yaml",
    source: url,
  };
}

export interface SourceJoin {
  readonly joined: JoinedMachine;
  /** The services that make this machine what it has become. */
  readonly services: readonly string[];
  look(): Promise<JoinProgress>;
}

/** Joins by a repository: this machine reads it itself, reaches the registry itself, and runs an engine. */
export async function joinSource(url: string, given: SourceJoinFlags, joining: Joining): Promise<SourceJoin> {
  const { files, stateFolder, machine } = joining;
  const flags = withSaid(given, url, joining);
  const { branch } = flags;
  const credentialsFile = flags["source-credentials"];
  const access = { ...flags.access, ...(credentialsFile === undefined ? {} : { credentialsFile }) };
  const composition = await compose({ ...flags, access });
  try {
    const spec = await specOfBranch(composition, url, branch);
    const registry = await composition.registry();
    const identity = registry === null ? null : await clusterOf(registry, spec.cluster, flags);
    await refuseElsewhere(joining, spec, identity);
    const { ensureIdentity } = await import("../adapters/identity/ensure-identity.ts");
    const { key } = await ensureIdentity(join(stateFolder, "identity"));
    if (registry !== null) await refuseStranger(joining, key, spec, registry, composition);
    const engineKey = await ownEngineKey(`${stateFolder}-engine`);
    await writeConf(joining, {
      registry: flags.registry === NO_REGISTRY ? undefined : flags.registry,
      etcd_cafile: flags["etcd-cafile"],
      etcd_certfile: flags["etcd-certfile"],
      etcd_keyfile: flags["etcd-keyfile"],
      source: url,
      source_credentials: credentialsFile,
      branch,
      manifest: flags.manifest,
      listen: flags.listen,
      name: joining.name,
      metadata: metadataOption(joining.metadata),
    });
    const pinned = {
      engines: [],
      engineKeys: [],
      cluster: spec.cluster,
      source: displayUrl(url),
      branch,
      manifest: flags.manifest,
    };
    if (identity !== null) {
      const text = encodeJoin({ ...pinned, clusterId: identity.id });
      await files.write(`${stateFolder}/${JOIN_FILE}`, text, { mode: 0o600 });
    }
    const { name, metadata } = joining;
    const stanza = spec.machines.find((one) => one.id === machine);
    const joined: JoinedMachine = {
      ...{ name, machine, key, engineKey, metadata, ...pinned, clusterId: identity?.id ?? null, standing: null },
      isListed: stanza?.machineKey === key && stanza.engineKey === engineKey,
    };
    const services = [...(flags.registry === undefined ? ["fleet-registry.service"] : []), "fleet-engine.service"];
    return { joined, services, look: () => lookAtRegistry(flags, spec.cluster, joining) };
  } finally {
    await composition.close();
  }
}

/** Reads what its daemons are going to read. */
async function specOfBranch(composition: Composition, url: string, branch: string): Promise<ClusterSpec> {
  const source = await composition.source(url, branch);
  const { spec, diagnostics } = await (await composition.compiler(source))(await source.fetch());
  if (spec === null) throw new RejectedCommit(diagnostics);
  return spec;
}

/** The cluster's record; null where the registry holds no cluster at all. Rejects where it holds others. */
async function clusterOf(
  registry: Registry,
  name: string,
  { registry: address }: RegistryFlags,
): Promise<ClusterIdentity | null> {
  const { entries } = await registry.list(REGISTRY_ROOT);
  const records = entries
    .filter(({ key }) => /^\/fleet\/[^/]+\/cluster$/.test(key))
    .map(({ value }) => decodeRecord<ClusterRecord>(value, CLUSTER_SHAPE))
    .flatMap((decoded) => (decoded.kind === "record" ? [decoded.record] : []));
  const known = records.find((record) => record.name === name);
  if (known !== undefined || records.length === 0) return known ?? null;
  const others = records.map((record) => record.name).join(", ");
  throw new OperationError(
    "other-cluster",
    `the manifest is of cluster ${name}, and the registry ${address ?? "of this machine"} holds ${others}`,
    {
      next: `give the repository or the --manifest of ${others}; if the registry is to hold ${name} too: fleet apply first`,
    },
  );
}

async function refuseElsewhere(
  { files, stateFolder }: Joining,
  spec: ClusterSpec,
  identity: ClusterIdentity | null,
): Promise<void> {
  if (identity !== null)
    return refuseJoinedElsewhere(files, stateFolder, { clusterId: identity.id, name: identity.name });
  const known = await knownCluster(files, stateFolder);
  // A cluster without a record is not there yet, or its registry was lost: then its name is all there is.
  if (known === null || known.name === spec.cluster) return;
  await refuseJoinedElsewhere(files, stateFolder, { clusterId: "", name: spec.cluster });
}

async function refuseStranger(
  { machine, name, isNamed, bootId }: Joining,
  key: NodeKey,
  spec: ClusterSpec,
  registry: Registry,
  composition: Composition,
): Promise<void> {
  const world = { registry, keys: composition.keysOf(spec.cluster), listed: listedMachines(spec) };
  const standing = await standingOf({ machine, name, isNamed, bootId, key }, world);
  if (isRefused(standing)) throw refusalOf(standing);
}

/** Anew each time: the registry's socket may not have been there before. */
async function lookAtRegistry(
  flags: RegistryFlags,
  cluster: string,
  { machine, name }: Joining,
): Promise<JoinProgress> {
  const composition = await compose(flags);
  try {
    const registry = await composition.needRegistry();
    const { snapshot } = await readSnapshot(registry, composition.keysOf(cluster));
    const member = snapshot.members.find(({ id }) => id === machine);
    const acceptedSeq = member === undefined || member.acceptedSeq === 0 ? null : member.acceptedSeq;
    // Nobody else judges it here: that its agent has taken a release says all.
    return { standing: { code: "listed", name }, acceptedSeq };
  } finally {
    await composition.close();
  }
}
