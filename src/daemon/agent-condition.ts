import type { AgentState } from "../codec/agent-state.ts";
import type { StatusRecord } from "../codec/registry-records.ts";
import type { UnitName } from "../domain/names.ts";

/** How an agent is, in the terms of whoever looks at its machine. */
export interface AgentCondition {
  /** Null before it has taken one. */
  readonly release: { readonly seq: number; readonly commit: string } | null;
  readonly units: number;
  readonly active: number;
  /** Of units, sorted by name. */
  readonly problems: readonly { readonly unit: UnitName; readonly code: string }[];
  /** What keeps the agent itself from doing its rounds or from taking what is new; null: nothing. */
  readonly trouble: string | null;
  /** To the registry. */
  readonly connected: boolean;
}

export function agentCondition(
  { accepted }: AgentState,
  statuses: ReadonlyMap<UnitName, StatusRecord>,
  trouble: string | null,
  connected: boolean,
): AgentCondition {
  const problems = [...statuses].flatMap(([unit, { problem }]) =>
    problem == null ? [] : [{ unit, code: problem.code }],
  );
  return {
    release: accepted === null ? null : { seq: accepted.seq, commit: accepted.commit },
    units: statuses.size,
    active: [...statuses.values()].filter(({ active }) => active === "active").length,
    problems: problems.sort((a, b) => (a.unit < b.unit ? -1 : 1)),
    trouble,
    connected,
  };
}
