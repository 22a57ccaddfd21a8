import type { DaemonFacts, DaemonsFacts } from "./doctor-facts.ts";
import type { AreaVerdict, Finding } from "./finding.ts";

/** An upgrade and a bad moment; more is a loop. */
const RESTARTS_MAX = 3;
/** An agent works with 64 (test/e2e/faults.test.ts), but slowly; systemd gives every service 1024 by itself. */
const OPEN_FILES_MIN = 1_024;

/** fleet's own units: will the agent act, now and after the next boot? */
export function judgeDaemons({ agent, engine, restore, agentAnswers }: DaemonsFacts): AreaVerdict {
  const findings = [
    ...[agent, engine, restore].flatMap(judgeAny),
    ...judgeAgent(agent, agentAnswers),
    ...judgeRestore(restore),
  ];
  return { saw: [agent, engine].map(stateText).join(", "), findings };
}

function judgeAny({ unit, load, active, result }: DaemonFacts): Finding[] {
  if (load === "masked") {
    const next = `systemctl unmask ${unit}`;
    return [
      {
        code: "daemon-masked",
        severity: "error",
        saw: `${unit} is masked`,
        expected: "a unit that can be started",
        next,
      },
    ];
  }
  if (active !== "failed") return [];
  const saw = `${unit} has failed: ${result}`;
  const next = `journalctl -u ${unit} -n 50; then: systemctl restart ${unit}`;
  return [{ code: "daemon-failed", severity: "error", saw, expected: "a unit that has not failed", next }];
}

function judgeAgent(agent: DaemonFacts, answers: boolean | null): Finding[] {
  const { unit, load, active, restarts, isEnabled, openFilesMax } = agent;
  if (load === "masked" || active === "failed") return [];
  if (load === "not-found") {
    // `fleet daemon` under a unit of the administrator's own.
    if (answers === true) return [];
    return [
      {
        code: "agent-missing",
        severity: "error",
        saw: `there is no ${unit}, and no agent answers here`,
        expected: "an agent: without one nothing is started, stopped or repaired on this machine",
        next: "install packaging/systemd of the built folder (docs/operations.md), then: systemctl enable --now fleet-agent",
      },
    ];
  }
  if (active !== "active") {
    return [
      {
        code: "agent-not-running",
        severity: "error",
        saw: `${unit} is ${active} (${agent.sub})`,
        expected: "an agent that runs",
        next: `journalctl -u ${unit} -n 50; then: systemctl start ${unit}`,
      },
    ];
  }
  const findings: Finding[] = [];
  if (answers === false) {
    findings.push({
      code: "agent-silent",
      severity: "warning",
      saw: `${unit} runs, and does not answer on its own socket`,
      expected: "an answer at once",
      next: `an agent that starts for the first time waits for its source: journalctl -u ${unit} -n 50`,
    });
  }
  if (restarts > RESTARTS_MAX) {
    findings.push({
      code: "agent-starts-again",
      severity: "warning",
      saw: `systemd has restarted ${unit} ${restarts} times`,
      expected: "an agent that stays up",
      next: `journalctl -u ${unit} -p warning -n 100`,
    });
  }
  if (!isEnabled) {
    findings.push({
      code: "agent-not-enabled",
      severity: "error",
      saw: `nothing starts ${unit} at boot`,
      expected: "an agent that comes back with its machine",
      next: `systemctl enable ${unit}`,
    });
  }
  if (openFilesMax !== null && openFilesMax < OPEN_FILES_MIN) {
    findings.push({
      code: "agent-few-files",
      severity: "warning",
      saw: `${unit} may open ${openFilesMax} files`,
      expected: `LimitNOFILE= of at least ${OPEN_FILES_MIN}`,
      next: `systemctl edit ${unit}`,
    });
  }
  return findings;
}

function judgeRestore({ unit, load, isEnabled }: DaemonFacts): Finding[] {
  if (load === "masked" || (load !== "not-found" && isEnabled)) return [];
  const isMissing = load === "not-found";
  return [
    {
      code: isMissing ? "restore-missing" : "restore-not-enabled",
      severity: "warning",
      saw: isMissing ? `there is no ${unit}` : `nothing starts ${unit} at boot`,
      expected: "the last units come up after a boot even where the agent does not",
      next: isMissing
        ? "install packaging/systemd of the built folder (docs/operations.md)"
        : `systemctl enable ${unit}`,
    },
  ];
}

function stateText({ unit, load, active, since, restarts }: DaemonFacts): string {
  const name = unit.replace(/\.service$/, "");
  if (load === "not-found") return `no ${name}`;
  const times = restarts === 0 ? "" : `, ${restarts} restarts`;
  return `${name} is ${active}${since === "" ? "" : ` since ${since}`}${times}`;
}
