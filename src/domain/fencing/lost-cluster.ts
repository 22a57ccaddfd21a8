import type { ClusterSnapshot } from "../cluster/cluster-snapshot.ts";
import { compareText, type MachineId } from "../names.ts";
import type { RegistryMark } from "./judge-replaced.ts";

/** Who still knows of a cluster that a registry without one must have held. */
export type Witness =
  /** A machine keeps what a release of it gave it. */
  | { readonly code: "keeps"; readonly machine: MachineId; readonly seq: number; readonly cluster: string }
  /** A machine says that it belongs to it. */
  | { readonly code: "belongs"; readonly machine: MachineId; readonly clusterId: string }
  /** An engine remembers it. */
  | { readonly code: "remembers"; readonly clusterId: string; readonly seq: number };

/** The best witness; null where nobody tells of any, or the registry has its cluster. `known`: what an engine says it remembers. */
export function witnessOf(
  { identity, members, kept = [] }: ClusterSnapshot,
  known: RegistryMark | null,
): Witness | null {
  if (identity !== null) return null;
  const [told] = kept;
  if (told !== undefined)
    return { code: "keeps", machine: told.machine, seq: told.release.seq, cluster: told.identity.name };
  const [member] = members.filter(({ cluster }) => cluster !== undefined).sort((a, b) => compareText(a.id, b.id));
  if (member?.cluster !== undefined) return { code: "belongs", machine: member.id, clusterId: member.cluster };
  return known === null ? null : { code: "remembers", clusterId: known.clusterId, seq: known.seq };
}
