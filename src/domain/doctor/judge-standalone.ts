import type { MemoryFacts, Seen, StandaloneFacts } from "./doctor-facts.ts";
import type { AreaVerdict, Finding } from "./finding.ts";

/** Ids of clusters of those who follow git alone begin with it; any other is an engine's. */
const ALONE = "standalone:";

/** In the registry's place, and the cluster's. */
export const NEEDS_NO_REGISTRY: AreaVerdict = { saw: "needs none: this machine follows git alone", findings: [] };

/** How far a machine is that follows git alone. Whether its branch can be read is told of the source. */
export function judgeStandalone({ state }: StandaloneFacts, memory: Seen<MemoryFacts>): AreaVerdict {
  const { clusterId = null, clusterName = null } = memory.kind === "seen" ? memory.value : {};
  if (clusterId !== null && !clusterId.startsWith(ALONE)) {
    const saw = `this machine belongs to cluster ${clusterName ?? clusterId}, and is told to follow git alone`;
    const joined: Finding = {
      code: "standalone-joined",
      severity: "error",
      saw,
      expected: "one of the two: the agent of a cluster's machine does not start with --standalone",
      next: 'fleet leave takes it out of there; or remove standalone="yes" from /etc/fleet/fleet.conf',
    };
    return { saw, findings: [joined] };
  }
  if (state === null) return { saw: "follows git alone; its agent does not say how far it is", findings: [] };
  const { cluster, commit, tip, problem } = state;
  const at = commit === null ? "no commit yet" : `commit ${commit.slice(0, 12)}`;
  const saw = `${cluster}, alone: ${at}${tip !== null && tip === commit ? ", the branch's tip" : ""}`;
  if (problem === null) return { saw, findings: [] };
  const behind: Finding = {
    code: "standalone-behind",
    severity: "warning",
    saw: `${problem.code}: ${problem.detail}`,
    expected: "the branch's tip, whole",
    next: "fleet status --on-this-machine; what was taken before goes on (docs/standalone.md)",
  };
  return { saw, findings: [behind] };
}
