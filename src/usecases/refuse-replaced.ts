import type { ClusterSnapshot } from "../domain/cluster/cluster-snapshot.ts";
import { memberAhead } from "../domain/fencing/judge-replaced.ts";
import { OperationError } from "../ports/operation-error.ts";
import { REGISTRY_REPLACED, REPLACED_NEXT, replacedDetail } from "./replaced-detail.ts";

/**
 * A release made in a registry that was wiped or restored would be one its machines do not take, with a number they have had: rejects
 * where they say so.
 */
export function refuseReplaced(snapshot: ClusterSnapshot): void {
  const ahead = memberAhead(snapshot);
  if (ahead !== null) throw replaced(replacedDetail(ahead));
  if (snapshot.identity !== null) return;
  const [kept] = snapshot.kept ?? [];
  if (kept === undefined) return;
  const name = snapshot.members.find(({ id }) => id === kept.machine)?.name ?? kept.machine;
  throw replaced(
    `the registry holds no cluster, and ${name} follows release ${kept.release.seq} of ${kept.identity.name}`,
  );
}

function replaced(what: string): OperationError {
  return new OperationError(REGISTRY_REPLACED, `${what}; nothing was changed`, { next: REPLACED_NEXT });
}
