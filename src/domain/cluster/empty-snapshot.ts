import type { ClusterSnapshot } from "./cluster-snapshot.ts";

/** What there is before there is a cluster. */
export const emptySnapshot: ClusterSnapshot = {
  revision: 0,
  identity: null,
  release: null,
  releaseModRevision: 0,
  members: [],
  assignments: [],
  sets: [],
  statuses: [],
};
