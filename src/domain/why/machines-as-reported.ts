import type { ClusterSnapshot } from "../cluster/cluster-snapshot.ts";
import type { Machine } from "../cluster/machine.ts";
import { machinesOf } from "../cluster/machines-of.ts";
import type { EngineReport } from "../report/engine-report.ts";
import type { ClusterSpec } from "../spec/cluster-spec.ts";

/** The machines as the engine sees them: who is lost, and who gets nothing new because it comes and goes, only the engine can say. */
export function machinesAsReported(
  spec: ClusterSpec,
  snapshot: ClusterSnapshot,
  report: EngineReport | null,
): readonly Machine[] {
  const reported = new Map(report?.loss?.machines.map((one) => [one.machine, one]));
  const lost = [...reported.values()].filter(({ presence }) => presence === "lost").map(({ machine }) => machine);
  return machinesOf(spec, snapshot, new Set(lost)).map((machine): Machine => {
    const said = reported.get(machine.id);
    if (said === undefined) return machine;
    return {
      ...machine,
      ...(machine.presence === "lost" && said.graces !== undefined ? { graces: said.graces } : {}),
      ...(said.flapping?.cordons === true ? { flapping: true as const } : {}),
    };
  });
}
