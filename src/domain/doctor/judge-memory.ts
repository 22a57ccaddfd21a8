import type { ForeignFile, MemoryFacts } from "./doctor-facts.ts";
import type { AreaVerdict, Finding } from "./finding.ts";

/** What an agent starts from where it can ask nobody. */
export function judgeMemory({ clusterName, releaseSeq, placed, damaged, isBootSetCut }: MemoryFacts): AreaVerdict {
  const findings: Finding[] = [];
  if (damaged.length > 0) {
    findings.push({
      code: "memory-damaged",
      severity: "error",
      saw: `cannot be read: ${damaged.slice(0, 3).join(", ")}${damaged.length > 3 ? ` and ${damaged.length - 3} more` : ""}`,
      expected: "files as the agent wrote them: it starts from them where it can ask nobody",
      next: "look at the disk (dmesg, smartctl), move the files away, and: systemctl restart fleet-agent; it writes them anew once it can ask",
    });
  }
  if (isBootSetCut) {
    findings.push({
      code: "boot-set-damaged",
      severity: "error",
      saw: "/var/lib/fleet/agent/boot-set has no end",
      expected: "a whole file: fleet-restore starts nothing from half of one",
      next: "remove it, and: systemctl restart fleet-agent",
    });
  }
  const knows = releaseSeq === null ? "no release yet" : `release ${releaseSeq}, ${placed} units`;
  return { saw: clusterName === null ? "nothing yet" : `cluster ${clusterName}, ${knows}`, findings };
}

/** Whether this machine's units are what fleet wrote. */
export function judgeUnits(foreign: readonly ForeignFile[]): AreaVerdict {
  const saw = foreign.length === 0 ? "no file of others is in their way" : `${foreign.length} files of others`;
  return { saw, findings: foreign.map(foreignFinding) };
}

function foreignFinding({ unit, path, kind }: ForeignFile): Finding {
  if (kind === "mask") {
    const expected = "a unit that can be started";
    const next = `systemctl unmask ${unit}; to keep it down, take it out of the repository`;
    return { code: "unit-masked", severity: "error", saw: `${unit} is masked by ${path}`, expected, next };
  }
  if (kind === "shadow") {
    const expected = "the unit as the repository has it: /etc goes before /run";
    const next = `remove ${path}, or let fleet take it over (adopt: true)`;
    return { code: "unit-shadowed", severity: "error", saw: `${path} hides fleet's ${unit}`, expected, next };
  }
  return {
    code: "drop-in-of-others",
    severity: "warning",
    saw: `${path} changes ${unit}`,
    expected: "the unit as the repository has it",
    next: `put it into the repository as ${unit}.d/, or remove it; with drift: off it stays`,
  };
}
