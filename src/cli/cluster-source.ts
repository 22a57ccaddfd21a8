import type { ClusterIdentity } from "../domain/cluster/cluster-snapshot.ts";
import type { SourceBranch } from "../usecases/prove-commit.ts";
import type { Composition } from "./composition.ts";

/**
 * The source and branch the cluster follows: as the flags say, else as its record, else the repository the command stands in, or what whoever
 * calls takes for it: on a CI's machine the clone is gone when the run is over.
 */
export async function clusterSource(
  composition: Composition,
  flags: {
    readonly source?: string | undefined;
    readonly branch?: string | undefined;
    readonly newSource?: string | undefined;
  },
  identity: ClusterIdentity | null,
): Promise<SourceBranch> {
  const sourceName = flags.source ?? identity?.source ?? flags.newSource ?? "";
  const branch =
    flags.branch ??
    identity?.branch ??
    (await composition.repository().then((found) => found.currentBranch())) ??
    "main";
  const place = sourceName === "" ? ((await composition.repository()).worktree ?? ".") : sourceName;
  const source = await composition.source(place, branch);
  const [{ TrustJudge }, { RewindKeeper }, { DiskFileStore }] = await Promise.all([
    import("../usecases/trust-judge.ts"),
    import("../usecases/rewind-keeper.ts"),
    import("../adapters/files/disk-file-store.ts"),
  ]);
  const trust = new TrustJudge({ source, manifestPath: composition.manifest, own: null });
  return { source, sourceName, branch, trust, rewinds: new RewindKeeper(new DiskFileStore()) };
}
