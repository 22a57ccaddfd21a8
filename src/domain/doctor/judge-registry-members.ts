import type { AreaVerdict, Finding } from "./finding.ts";
import type { EndpointFacts } from "./registry-check-facts.ts";

/** TLS and the times people read put up with so much; leases do not depend on it. */
const CLOCK_WARN_MS = 60_000;
const UPGRADE = "one member after the other: docs/etcd.md";

/** `members`: how many etcd has, of which the address names some; 0 where it does not say. */
export function judgeMembers(endpoints: readonly EndpointFacts[], members: number): AreaVerdict {
  const up = endpoints.filter(({ version }) => version !== null);
  const count = members === 0 ? "an unknown number of members" : `${members} ${members === 1 ? "member" : "members"}`;
  const findings = [
    ...(members === 0 ? [] : judgeCount(members)),
    ...endpoints.flatMap(judgeEndpoint),
    ...judgeVersions(up),
    ...(members > 1 && endpoints.length === 1 && isOneHost(endpoints[0]!.name)
      ? [oneEndpoint(endpoints[0]!.name, members)]
      : []),
  ];
  return { saw: `${count}; ${up.length} of ${endpoints.length} endpoints answer`, findings };
}

function judgeCount(members: number): Finding[] {
  if (members >= 3 && members % 2 === 1) return [];
  const next = members === 1 ? "add two members: docs/etcd.md" : "add one member: docs/etcd.md";
  const saw =
    members === 1
      ? "one member: without it nothing new is placed, and its disk is the only copy"
      : `${members} members: one more to fail than ${members - 1}, and no more that may`;
  return [{ code: "etcd-members", severity: "warning", saw, expected: "three or five members", next }];
}

function judgeEndpoint({ name, version, problem, isLearner, aheadMs }: EndpointFacts): Finding[] {
  const findings: Finding[] = [];
  if (version === null) {
    findings.push({
      code: "etcd-member-away",
      severity: "warning",
      saw: `${name} does not answer: ${problem ?? "no reason given"}`,
      expected: "an answer of each: the next one to fail may be one too many",
      next: "etcdctl endpoint status --cluster; start it, or replace it: docs/etcd.md",
    });
  }
  if (isLearner) {
    findings.push({
      code: "etcd-member-away",
      severity: "warning",
      saw: `${name} is a learner: it serves no writes and has no vote`,
      expected: "members that vote",
      next: "once it has caught up: etcdctl member promote",
    });
  }
  if (aheadMs !== null && Math.abs(aheadMs) > CLOCK_WARN_MS) {
    findings.push({
      code: "clock-differs",
      severity: "warning",
      saw: `the clock of ${name} is ${Math.round(Math.abs(aheadMs) / 1_000)} s ${aheadMs > 0 ? "ahead of" : "behind"} this machine's`,
      expected: "at most a minute: certificates begin and end by it",
      next: "timedatectl on both; let something keep them, such as systemd-timesyncd or chrony",
    });
  }
  return findings;
}

function judgeVersions(up: readonly EndpointFacts[]): Finding[] {
  const versions = [...new Set(up.map(({ version }) => version!))].sort();
  if (versions.length < 2) return [];
  const expected = "one version on all, but for the hour of an upgrade";
  const saw = `the members run etcd ${versions.join(" and ")}`;
  return [{ code: "etcd-mixed", severity: "warning", saw, expected, next: `finish the upgrade, ${UPGRADE}` }];
}

function oneEndpoint(name: string, members: number): Finding {
  return {
    code: "etcd-one-endpoint",
    severity: "warning",
    saw: `the address names ${name} alone, of ${members} members`,
    expected: "all of them: whoever knows one is lost with it",
    next: "etcdctl member list, and name them all: etcds://e1:2379,e2:2379,e3:2379",
  };
}

/** A name may stand for several; an address does not. */
function isOneHost(name: string): boolean {
  return /^(\[.*\]|[\d.]+|localhost)(:\d+)?$/.test(name);
}
