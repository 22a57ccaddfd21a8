import type { ClusterSnapshot } from "../domain/cluster/cluster-snapshot.ts";
import { memberAhead } from "../domain/fencing/judge-replaced.ts";
import { OperationError } from "../ports/operation-error.ts";
import { REGISTRY_REPLACED, REPLACED_NEXT, replacedDetail } from "./replaced-detail.ts";

/**
 * A release made in a registry that was wiped or restored would be one its machines do not take, with a number they have had: rejects
 * where they say so.
 */
export function refuseReplaced(snapshot: ClusterSnapshot): void {
  const why = whyReplaced(snapshot);
  if (why === null) return;
  throw new OperationError(REGISTRY_REPLACED, `${why}; nothing was changed`, { next: REPLACED_NEXT });
}

/** What machines know that the registry does not show; null where that is nothing. */
export function whyReplaced(snapshot: ClusterSnapshot): string | null {
  const ahead = memberAhead(snapshot);
  if (ahead !== null) return replacedDetail(ahead);
  const [kept] = snapshot.kept ?? [];
  if (snapshot.identity !== null || kept === undefined) return null;
  const name = snapshot.members.find(({ id }) => id === kept.machine)?.name ?? kept.machine;
  return `the registry holds no cluster, and ${name} follows release ${kept.release.seq} of ${kept.identity.name}`;
}
