import type { DoctorFacts, Seen } from "./doctor-facts.ts";
import { type AreaReport, type AreaVerdict, DOCTOR_AREAS, type DoctorArea, type Finding } from "./finding.ts";
import { judgeCluster } from "./judge-cluster.ts";
import { judgeDaemons } from "./judge-daemons.ts";
import { judgeDisk, judgeLimits } from "./judge-disk.ts";
import { judgeMemory, judgeUnits } from "./judge-memory.ts";
import { judgePodman, judgeSource } from "./judge-outside.ts";
import { judgeRegistry } from "./judge-registry.ts";
import { judgeStandalone, NEEDS_NO_REGISTRY } from "./judge-standalone.ts";
import { judgeSystemd } from "./judge-systemd.ts";

/** What is wrong on a machine: all of it, area by area. What could not be looked at is a finding as well. */
export function judgeMachine(facts: DoctorFacts): AreaReport[] {
  const { standalone } = facts;
  const verdicts: Readonly<Record<DoctorArea, AreaVerdict>> = {
    systemd: ifSeen(facts.systemd, "systemd", judgeSystemd),
    disk: ifSeen(facts.disk, "the disk", judgeDisk),
    limits: ifSeen(facts.limits, "the kernel's limits", judgeLimits),
    daemons: ifSeen(facts.daemons, "fleet's own units", judgeDaemons),
    memory: ifSeen(facts.memory, "the agent's memory", judgeMemory),
    units: ifSeen(facts.units, "the files of this machine's units", judgeUnits),
    registry: standalone === undefined ? ifSeen(facts.registry, "the registry", judgeRegistry) : NEEDS_NO_REGISTRY,
    cluster:
      standalone === undefined
        ? ifSeen(facts.cluster, "the cluster", judgeCluster)
        : ifSeen(standalone, "what this machine follows", (one) => judgeStandalone(one, facts.memory)),
    source: ifSeen(facts.source, "the source", judgeSource),
    podman: ifSeen(facts.podman, "podman", judgePodman),
  };
  return DOCTOR_AREAS.map((area) => {
    const { saw, findings } = verdicts[area];
    return { area, severity: worst(findings), saw, findings };
  });
}

/** What the judge says of it, or that nobody could look. `command`: what to run again. */
export function ifSeen<T>(
  seen: Seen<T>,
  what: string,
  judge: (value: T) => AreaVerdict,
  command = "fleet doctor",
): AreaVerdict {
  if (seen.kind === "seen") return judge(seen.value);
  const saw = seen.detail;
  const next = {
    denied: `run ${command} as root`,
    timeout: "run it again; if it hangs again, that is what is wrong",
    failed: "see to what failed, and run it again",
  }[seen.why];
  return {
    saw: `not seen: ${saw}`,
    findings: [{ code: "not-seen", severity: "warning", saw, expected: `a look at ${what}`, next }],
  };
}

export function worst(findings: readonly Finding[]): AreaReport["severity"] {
  if (findings.some(({ severity }) => severity === "error")) return "error";
  return findings.length > 0 ? "warning" : "ok";
}
