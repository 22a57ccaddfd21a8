/** Old fleet's agent_ttl: short enough to notice, long enough for an etcd election and a slow link. */
export const DEFAULT_AGENT_TTL_MS = 30_000;
/** Moving is a restart, and most silences are reboots: a minute of waiting spares most moves. Nomad waits 20 s, Kubernetes 5 min. */
export const DEFAULT_GRACE_MS = 60_000;
