import { decodeAgentState } from "../codec/agent-state.ts";
import { decodeJoin, JOIN_FILE } from "../codec/join-record.ts";
import type { FileStore } from "../ports/file-store.ts";
import { OperationError } from "../ports/operation-error.ts";

/** The cluster this machine belongs to, by its agent's memory or by how it joined; null: none. */
export async function knownCluster(
  files: Pick<FileStore, "read">,
  stateFolder: string,
): Promise<{ readonly clusterId: string; readonly name: string } | null> {
  const state = decodeAgentState(await files.read(`${stateFolder}/agent/state.json`));
  if (state !== null && state.clusterId !== null) return { clusterId: state.clusterId, name: state.clusterName };
  const join = decodeJoin(await files.read(`${stateFolder}/${JOIN_FILE}`));
  return join === null ? null : { clusterId: join.clusterId, name: join.cluster };
}

/** A machine is of one cluster: it leaves the one before it joins the next. Rejects with `joined-elsewhere`. */
export async function refuseJoinedElsewhere(
  files: Pick<FileStore, "read">,
  stateFolder: string,
  wanted: { readonly clusterId: string; readonly name: string },
): Promise<void> {
  const known = await knownCluster(files, stateFolder);
  if (known === null || known.clusterId === wanted.clusterId) return;
  const other =
    known.name === wanted.name ? `another cluster ${known.name} (id ${known.clusterId})` : `cluster ${known.name}`;
  throw new OperationError("joined-elsewhere", `this machine belongs to ${other}, and would join ${wanted.name}`, {
    next: "fleet leave first; --keep-units leaves its units running",
  });
}
