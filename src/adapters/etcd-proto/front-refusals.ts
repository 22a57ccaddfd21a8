/**
 * What a front says beyond etcd's own refusals, at the beginning of a gRPC status: its client tells refusals apart by their text, as etcd's
 * does. `forbidden-key`: not this machine's business. `not-listed`: this key is no machine's. `registry-away`: the engine does not reach
 * the registry, and nothing was written.
 */
export const FRONT_REFUSALS = {
  forbidden: "fleet: forbidden-key",
  notListed: "fleet: not-listed",
  registryAway: "fleet: registry-away",
} as const;
