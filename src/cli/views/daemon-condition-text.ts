import type { AgentCondition } from "../../daemon/agent-condition.ts";
import type { EngineCondition } from "../../daemon/engine-condition.ts";
import type { HubState } from "../../domain/hub/hub-state.ts";
import { counted } from "./counted.ts";

/** So many problems are named; the others are counted. */
const NAMED_MAX = 2;

/** The line of `systemctl status fleet-agent`; `hub`: of one that reaches the registry through engines. */
export function agentConditionText(
  { release, units, active, problems, trouble, connected }: AgentCondition,
  hub: HubState | null = null,
): string {
  const what =
    release === null
      ? "no release yet"
      : `release ${release.seq} (${release.commit.slice(0, 8)}): ${counted(units, "unit")} here, ${active} active`;
  const named = problems.slice(0, NAMED_MAX).map(({ unit, code }) => `${unit} ${code}`);
  const more = problems.length - named.length;
  const others = more > 0 ? [`${more} more with problems`] : [];
  const way = hub === null ? [] : wayText(hub);
  const away = connected || way.length > 0 ? [] : ["the registry is away"];
  return [what, ...(trouble === null ? [] : [trouble]), ...way, ...away, ...named, ...others].join("; ");
}

/** Told by the way itself: a watch that has lost it takes some time until it says so. */
function wayText({ engine, failures }: HubState): string[] {
  if (engine !== null) return [`through ${engine}`];
  if (failures.length === 0) return [];
  return [`no engine to go through: ${failures.map((failure) => `${failure.engine} ${failure.code}`).join(", ")}`];
}

/** The line of `systemctl status fleet-engine`. */
export function engineConditionText({ term, seq, connected }: EngineCondition): string {
  const what = term === null ? "follows" : `leads, term ${term}${seq === null ? "" : `, places release ${seq}`}`;
  return connected ? what : `${what}; the registry is away`;
}
