import { parseMachineId } from "../names.ts";
import type { SystemdFacts } from "./doctor-facts.ts";
import type { AreaVerdict, Finding } from "./finding.ts";

/** The oldest systemd that fleet is built and tested against (docs/operations.md). */
export const SYSTEMD_MIN = 252;

export function judgeSystemd({ firstProcess, isBooted, version, busProblem, machineId }: SystemdFacts): AreaVerdict {
  const findings: Finding[] = [];
  if (firstProcess !== "systemd" || !isBooted) {
    findings.push({
      code: "not-booted-by-systemd",
      severity: "error",
      saw: `process 1 is ${firstProcess}`,
      expected: "systemd as process 1: it is what runs units",
      next: "run fleet on a machine, or in a container, that systemd boots",
    });
  }
  if (version !== null && version < SYSTEMD_MIN) {
    findings.push({
      code: "systemd-old",
      severity: "error",
      saw: `systemd ${version}`,
      expected: `systemd ${SYSTEMD_MIN} or newer`,
      next: "upgrade the distribution",
    });
  }
  if (busProblem !== null) {
    findings.push({
      code: "bus-unreachable",
      severity: "error",
      saw: busProblem,
      expected: "systemd answers on the system bus",
      next: "systemctl status dbus.socket dbus.service",
    });
  }
  if (machineId === null || parseMachineId(machineId) === null) {
    findings.push({
      code: "machine-id-bad",
      severity: "error",
      saw: machineId === null ? "there is no /etc/machine-id" : `/etc/machine-id says ${machineId.slice(0, 40)}`,
      expected: "32 hexadecimal digits that no other machine has",
      next: "systemd-machine-id-setup",
    });
  }
  const bus = busProblem === null ? "answers" : "does not answer";
  return { saw: `${version === null ? "no systemd" : `systemd ${version}`}, the system bus ${bus}`, findings };
}
