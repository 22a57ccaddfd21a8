import type { CommitId } from "../domain/names.ts";
import { OperationError } from "../ports/operation-error.ts";
import { readReleases } from "../usecases/read-releases.ts";
import { clusterName } from "./cluster-name.ts";
import type { Composition } from "./composition.ts";
import { commitFromFlags } from "./plan-from-flags.ts";

/** `@3`: the commit of release 3, by the registry. Anything else is a revision of the repository. */
export async function commitOfWord(
  composition: Composition,
  word: string,
  cluster: string | undefined,
): Promise<CommitId> {
  const seq = /^@(\d{1,15})$/.exec(word)?.[1];
  if (seq === undefined) return commitFromFlags(composition, word);
  const registry = await composition.needRegistry();
  const releases = await readReleases(registry, composition.keysOf(await clusterName(composition, cluster)));
  const release = releases.find((one) => one.seq === Number(seq));
  if (release !== undefined) return release.commit;
  throw new OperationError("release-unknown", `there is no release ${seq}`, { next: "see `fleet history`" });
}
