import type { ClusterFacts } from "./doctor-facts.ts";
import type { AreaVerdict, Finding } from "./finding.ts";

/** Clocks of machines that are kept right are some milliseconds apart; certificates and people notice minutes. */
const AHEAD_MAX_MS = 120_000;

/** Whether this machine and the registry mean the same cluster, and each other. */
export function judgeCluster({ there, here }: ClusterFacts): AreaVerdict {
  if (there === null) return { saw: "not asked: no registry that answers, or no cluster's name", findings: [] };
  const { name, id, newerVersion, member, aheadMs, replaced } = there;
  const findings: Finding[] = [];
  if (replaced !== undefined) {
    findings.push({
      code: "registry-replaced-here",
      severity: "error",
      saw: replaced,
      expected: "what this machine's daemons have seen of it: it was wiped, replaced or restored from a backup",
      next: "restore the newest backup, or take the cluster over as it runs: fleet registry adopt (docs/registry.md)",
    });
  } else if (id === null) {
    findings.push({
      code: "no-cluster-yet",
      severity: "warning",
      saw: `the registry holds no cluster ${name}`,
      expected: "what the first apply makes",
      next: "fleet apply; if there was one, the registry was wiped, and what runs here goes on",
    });
  } else if (here.clusterId !== null && id !== here.clusterId) {
    findings.push({
      code: "other-cluster-here",
      severity: "error",
      saw: `the registry's ${name} is ${id}, this machine belongs to ${here.clusterId}`,
      expected: "one and the same: the agent does not obey another cluster's registry",
      next: "correct --registry; to move this machine, stop its agent and remove /var/lib/fleet/agent",
    });
  }
  if (newerVersion !== null) {
    findings.push({
      code: "registry-of-newer-fleet",
      severity: "error",
      saw: `the registry holds records of version ${newerVersion}`,
      expected: "records this fleet can read",
      next: "update fleet on this machine",
    });
  }
  if (here.agentRuns && member?.present !== true) {
    findings.push({
      code: "not-heard-of",
      severity: "warning",
      saw: member === null ? "the registry does not know this machine" : "the registry takes this machine for absent",
      expected: "an agent that runs is present within seconds",
      next: "journalctl -u fleet-agent -n 50",
    });
  }
  if (here.agentRuns && member?.present === true && member.bootId !== here.bootId) {
    findings.push({
      code: "machine-id-twice",
      severity: "error",
      saw: `another machine, ${member.name}, speaks under this machine's id`,
      expected: "an id that no other machine has; copies of a disk have the same",
      next: "on the copy: systemctl stop fleet-agent, rm -r /etc/machine-id /var/lib/fleet/agent, systemd-machine-id-setup, reboot",
    });
  }
  if (aheadMs > AHEAD_MAX_MS) {
    findings.push({
      code: "clock-behind",
      severity: "warning",
      saw: `somebody wrote into the registry ${Math.round(aheadMs / 1000)} s after what this machine takes for now`,
      expected: "clocks that agree: certificates, logs and every age people are told go by them",
      next: "timedatectl; systemctl enable --now systemd-timesyncd",
    });
  }
  const known = member === null ? "does not know this machine" : `knows this machine as ${member.name}`;
  return { saw: `${name} ${known}`, findings };
}
