import type { GaugeValue } from "../ports/meter.ts";
import type { AgentCondition } from "./agent-condition.ts";

/** How an agent is, as gauges. */
export function agentGauges({ release, units, active, problems, trouble, connected }: AgentCondition): GaugeValue[] {
  return [
    { name: "fleet_registry_connected", value: connected ? 1 : 0 },
    { name: "fleet_agent_units", labels: { active: "active" }, value: active },
    { name: "fleet_agent_units", labels: { active: "other" }, value: units - active },
    { name: "fleet_agent_units_with_problem", value: problems.length },
    { name: "fleet_agent_release_seq", value: release?.seq ?? 0 },
    ...(trouble === null ? [] : [{ name: "fleet_agent_trouble", labels: { code: trouble }, value: 1 } as const]),
  ];
}
