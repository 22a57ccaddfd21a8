import type { PodmanFacts, SourceFacts } from "./doctor-facts.ts";
import type { AreaVerdict, Finding } from "./finding.ts";

/** Quadlet came with 4.4 (podman's release notes). */
const PODMAN_MIN: readonly [number, number] = [4, 4];

export function judgeSource({ address, latencyMs, problem }: SourceFacts): AreaVerdict {
  if (address === null) {
    const saw = "none is configured";
    const next = 'set source="https://…" in /etc/fleet/fleet.conf';
    const expected = "the repository this machine follows: unit files come from nowhere else";
    return { saw, findings: [{ code: "no-source", severity: "warning", saw, expected, next }] };
  }
  if (problem === null) return { saw: `${address} answers in ${Math.ceil(latencyMs)} ms`, findings: [] };
  const saw = `${address}: ${problem}`;
  const next = "check the address, the branch and the way there; what runs here goes on meanwhile";
  const expected = "the branch's tip: no new release is taken without it";
  return { saw, findings: [{ code: "source-away", severity: "error", saw, expected, next }] };
}

/** Needed by repositories with quadlets only. */
export function judgePodman({ version, hasGenerator }: PodmanFacts): AreaVerdict {
  if (version === null) return { saw: "not installed; only quadlets need it", findings: [] };
  const findings: Finding[] = [];
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const isOld = major < PODMAN_MIN[0] || (major === PODMAN_MIN[0] && minor < PODMAN_MIN[1]);
  const next = "upgrade podman; until then no quadlet runs here";
  if (isOld) {
    const expected = `${PODMAN_MIN.join(".")} or newer, where quadlets are to run`;
    findings.push({ code: "podman-old", severity: "warning", saw: `podman ${version}`, expected, next });
  } else if (!hasGenerator) {
    const saw = "podman's generator for systemd is not there";
    const expected = "podman-system-generator, which makes services of quadlets";
    findings.push({ code: "podman-without-quadlet", severity: "warning", saw, expected, next: "install podman whole" });
  }
  return { saw: `podman ${version}`, findings };
}
