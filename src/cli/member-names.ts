import type { ClusterSnapshot } from "../domain/cluster/cluster-snapshot.ts";
import type { MachineId } from "../domain/names.ts";

/** What machines call themselves, for views that have no commit to name them. */
export function memberNames({ members }: Pick<ClusterSnapshot, "members">): Map<MachineId, string> {
  return new Map(members.map((member) => [member.id, member.name]));
}
