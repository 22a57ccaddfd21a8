/** Everything that is measured, and what it means. docs/metrics.md says the same, and a test compares the two. */
export const METRICS = {
  fleet_build_info: {
    ...{ kind: "gauge", of: "both", labels: ["version"] },
    help: "1, with the version of fleet that says so",
  },
  fleet_registry_connected: {
    ...{ kind: "gauge", of: "both", labels: [] },
    help: "Whether everything it follows of the registry is being followed: 1 or 0",
  },
  fleet_registry_request_seconds: {
    ...{ kind: "histogram", of: "both", labels: ["operation"] },
    help: "How long requests to the registry took, by operation, refused ones too",
  },
  fleet_registry_request_failures_total: {
    ...{ kind: "counter", of: "both", labels: ["operation", "code"] },
    help: "Requests to the registry that failed, by operation and the code of the error",
  },
  fleet_lease_slack_seconds: {
    ...{ kind: "gauge", of: "both", labels: [] },
    help: "What was left of the lease (the leader's, or this machine's presence) when it was last renewed; 0 or less: it was lost",
  },
  fleet_engine_leads: { kind: "gauge", of: "engine", labels: [], help: "Whether this engine leads: 1 or 0" },
  fleet_engine_term: {
    ...{ kind: "gauge", of: "engine", labels: [] },
    help: "The term this engine leads; 0 while it follows another",
  },
  fleet_engine_pass_seconds: {
    ...{ kind: "histogram", of: "engine", labels: [] },
    help: "How long the engine's passes took: judge who is there, place, write the difference",
  },
  fleet_engine_pass_failures_total: {
    ...{ kind: "counter", of: "engine", labels: ["code"] },
    help: "Passes of the engine that something kept from ending, by the code of the error",
  },
  fleet_machines: {
    ...{ kind: "gauge", of: "engine", labels: ["presence"] },
    help: "Machines of the cluster: present or absent",
  },
  fleet_machines_behind: {
    ...{ kind: "gauge", of: "engine", labels: [] },
    help: "Machines that are there and have not taken the release in force",
  },
  fleet_units: {
    ...{ kind: "gauge", of: "engine", labels: ["state", "active"] },
    help: "Units, each on each of its machines, by fleet's state and systemd's; unknown: its machine cannot say now",
  },
  fleet_units_with_problem: {
    ...{ kind: "gauge", of: "engine", labels: [] },
    help: "Units of which their machine's agent could not do what was wanted",
  },
  fleet_units_drifted: {
    ...{ kind: "gauge", of: "engine", labels: ["outcome"] },
    help: "Units that somebody changed on their machine lately, by what became of that",
  },
  fleet_units_unplaced: {
    ...{ kind: "gauge", of: "engine", labels: [] },
    help: "Units no machine can have now",
  },
  fleet_release_seq: { kind: "gauge", of: "engine", labels: [], help: "The number of the release in force" },
  fleet_release_timestamp_seconds: {
    ...{ kind: "gauge", of: "engine", labels: [] },
    help: "When the release in force was made, in seconds since 1970",
  },
  fleet_rollout_phase: {
    ...{ kind: "gauge", of: "engine", labels: ["phase"] },
    help: "1 for the phase the rollout of the release in force is in",
  },
  fleet_sync_held: {
    ...{ kind: "gauge", of: "engine", labels: [] },
    help: "Whether a commit of the branch is held back: 1 or 0",
  },
  fleet_sync_trouble: {
    ...{ kind: "gauge", of: "engine", labels: [] },
    help: "Whether the branch cannot be looked at: 1 or 0",
  },
  fleet_outage: {
    ...{ kind: "gauge", of: "engine", labels: [] },
    help: "Whether so many machines are missing that nothing moves: 1 or 0",
  },
  fleet_agent_pass_seconds: {
    ...{ kind: "histogram", of: "agent", labels: [] },
    help: "How long the agent's passes took: read what is wanted, look, make systemd match",
  },
  fleet_agent_pass_failures_total: {
    ...{ kind: "counter", of: "agent", labels: ["code"] },
    help: "Passes of the agent that something kept from ending, by the code of the error",
  },
  fleet_agent_units: {
    ...{ kind: "gauge", of: "agent", labels: ["active"] },
    help: "Units of this machine: active or other",
  },
  fleet_agent_units_with_problem: {
    ...{ kind: "gauge", of: "agent", labels: [] },
    help: "Units of this machine of which the agent could not do what was wanted",
  },
  fleet_agent_release_seq: {
    ...{ kind: "gauge", of: "agent", labels: [] },
    help: "The number of the release this machine took last; 0: none yet",
  },
  fleet_agent_trouble: {
    ...{ kind: "gauge", of: "agent", labels: ["code"] },
    help: "1, with what keeps the agent from its rounds or from what is new; not there where nothing does",
  },
  fleet_agent_written_timestamp_seconds: {
    ...{ kind: "gauge", of: "agent", labels: [] },
    help: "When the agent wrote its metrics, in seconds since 1970",
  },
  fleet_systemd_call_seconds: {
    ...{ kind: "histogram", of: "agent", labels: ["call"] },
    help: "How long calls of systemd over D-Bus took, by call; of start, stop and reloadUnit until the job had ended",
  },
  fleet_systemd_call_failures_total: {
    ...{ kind: "counter", of: "agent", labels: ["call", "code"] },
    help: "Calls of systemd that failed, by call and the code of the error",
  },
} as const satisfies Readonly<Record<string, MetricDescription>>;

export interface MetricDescription {
  readonly kind: "counter" | "gauge" | "histogram";
  /** Which daemon says it. */
  readonly of: "engine" | "agent" | "both";
  readonly labels: readonly string[];
  readonly help: string;
}

export type MetricName = keyof typeof METRICS;

type NameOf<Kind extends MetricDescription["kind"]> = {
  [Name in MetricName]: (typeof METRICS)[Name]["kind"] extends Kind ? Name : never;
}[MetricName];

export type CounterName = NameOf<"counter">;
export type GaugeName = NameOf<"gauge">;
export type HistogramName = NameOf<"histogram">;
