import { decodeRecord } from "../codec/record.ts";
import { REGISTRY_ROOT } from "../codec/registry-keys.ts";
import { CLUSTER_SHAPE, type ClusterRecord } from "../codec/registry-records.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { Composition } from "./composition.ts";

/** As the compiler takes it, which is not loaded for this. */
const MANIFEST_BYTES_MAX = 256 * 1024;

/** The cluster meant: the one named, else the manifest's where the command stands in a repository, else the only one there is. */
export async function clusterName(composition: Composition, named: string | undefined): Promise<string> {
  if (named !== undefined) return named;
  return (await clusterOfRepository(composition)) ?? (await onlyCluster(composition));
}

/** By the manifest alone: to compile a commit of 3,000 units for the name of its cluster takes longer than to show them. */
export async function clusterOfRepository(composition: Composition): Promise<string | null> {
  try {
    const repository = await composition.repository();
    const commit = await repository.resolve("HEAD");
    if (commit === null) return null;
    const [file] = await repository.listFiles(commit, [composition.manifest]);
    if (file?.kind !== "file") return null;
    const bytes = await repository.readBlob(file.oid, MANIFEST_BYTES_MAX);
    return nameByItsLine(Buffer.from(bytes).toString()) ?? (await nameByYaml(composition.manifest, bytes));
  } catch (error) {
    // Not standing in a repository is the normal case of someone who only looks.
    if (error instanceof OperationError) return null;
    throw error;
  }
}

/** As nearly everybody writes it, which spares 60 ms of loading what reads YAML. A line without indent is in no other value. */
function nameByItsLine(manifest: string): string | null {
  return /^cluster: *([a-z0-9-]{1,63}) *(?:#.*)?\r?$/m.exec(manifest)?.[1] ?? null;
}

async function nameByYaml(path: string, bytes: Uint8Array): Promise<string | null> {
  const { readManifest } = await import("../codec/manifest/read-manifest.ts");
  return readManifest(path, bytes).manifest?.cluster.value ?? null;
}

async function onlyCluster(composition: Composition): Promise<string> {
  const registry = await composition.needRegistry();
  const { entries } = await registry.list(REGISTRY_ROOT).catch((error: unknown) => {
    if (!(error instanceof OperationError && error.code === "registry-denied")) throw error;
    // A role in etcd is of one cluster alone.
    throw new OperationError("which-cluster", "this user may not see which clusters the registry holds", {
      cause: error,
      next: "say which with --cluster",
    });
  });
  const names = entries
    .filter((entry) => /^\/fleet\/[^/]+\/cluster$/.test(entry.key))
    .flatMap((entry) => {
      const decoded = decodeRecord<ClusterRecord>(entry.value, CLUSTER_SHAPE);
      return decoded.kind === "record" ? [decoded.record.name] : [];
    });
  const only = names[0];
  if (names.length === 1 && only !== undefined) return only;
  throw new OperationError(
    "which-cluster",
    names.length === 0
      ? "the registry holds no cluster yet"
      : `the registry holds several clusters: ${names.join(", ")}`,
    { next: names.length === 0 ? "apply a commit first: fleet apply" : "say which with --cluster" },
  );
}
