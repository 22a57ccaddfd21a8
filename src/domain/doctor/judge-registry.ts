import type { RegistryAnswer, RegistryFacts } from "./doctor-facts.ts";
import { bugsOf, type EtcdBugKind, soundReleases } from "./etcd-bugs.ts";
import { hasFix, isEmbedded } from "./etcd-version.ts";
import type { AreaVerdict, Finding } from "./finding.ts";
import { judgeHub } from "./judge-hub.ts";

/** Before, an etcd that is full asks no permission of deletes and of changes to users (etcd #22386; 3.5.33 still does not). */
const ROLES_UNDER_ALARM = [[3, 6, 0]] as const;
/** A transaction is two round trips and a sync of a disk: 10 ms on a local network, and a lease has 10 s. */
const LATENCY_WARN_MS = 500;

export function judgeRegistry({ address, answer, problem, hub }: RegistryFacts): AreaVerdict {
  if (address === null) {
    const saw = "none is configured, and none runs here";
    const next = 'set registry="etcd://…" in /etc/fleet/fleet.conf';
    const expected = "the address of the cluster's registry";
    return { saw, findings: [{ code: "no-registry", severity: "warning", saw, expected, next }] };
  }
  const engines = hub === undefined ? [] : judgeHub(hub, answer !== null);
  if (answer === null && engines.length > 0) return { saw: `${address}: no engine can be used`, findings: engines };
  if (answer === null) {
    const saw = `${address} does not answer: ${problem ?? "no reason given"}`;
    const next =
      "check that it runs, that this machine reaches it, and its certificates; what runs here goes on meanwhile";
    const expected = "an answer: nothing new is placed here without it";
    return { saw, findings: [{ code: "registry-away", severity: "error", saw, expected, next }] };
  }
  const what = isEmbedded(answer.version) ? "fleet's own" : describe(answer);
  const size = answer.storeBytes === null ? "" : `, ${Math.ceil(answer.storeBytes / 1024 ** 2)} MiB`;
  const through = hub === undefined ? "" : `, through ${hub.state.engine ?? "no engine by now"}`;
  const saw = `${address}: ${what}${size}, answers in ${Math.ceil(answer.latencyMs)} ms${through}`;
  return {
    saw,
    findings: [...engines, ...(isEmbedded(answer.version) ? [] : judgeVersion(answer.version)), ...judgeHealth(answer)],
  };
}

/** Some of etcd's releases tell their version, or who the members are, to root alone. */
function describe({ version, members }: RegistryAnswer): string {
  const count = members === 0 ? "" : `, ${members} ${members === 1 ? "member" : "members"}`;
  return `${version === "" ? "etcd, whose version this user is not told" : `etcd ${version}`}${count}`;
}

function judgeVersion(version: string): Finding[] {
  const bugs = bugsOf(version);
  return BUG_KINDS.flatMap((kind): Finding[] => {
    const some = bugs.filter((bug) => bug.kind === kind);
    if (some.length === 0) return [];
    return [
      {
        code: kind,
        severity: "warning",
        saw: `etcd ${version}: ${some.map(({ what, source }) => `${what} (${source})`).join("; ")}`,
        expected: `${soundReleases(some).join(", ")} or newer: ${SPOILS[kind]}`,
        next: "upgrade etcd, one member after the other",
      },
    ];
  });
}

const BUG_KINDS = ["etcd-data", "etcd-rbac", "etcd-leases"] as const;
const SPOILS: Readonly<Record<EtcdBugKind, string>> = {
  "etcd-data": "what the registry says may be wrong",
  "etcd-rbac": "roles do not keep users apart, wherever there are any",
  "etcd-leases": "a machine whose lease ends counts as lost, and its units move",
};

function judgeHealth({ alarms, latencyMs, version }: RegistryAnswer): Finding[] {
  const findings = (alarms ?? []).map((alarm): Finding => {
    const isFull = /NOSPACE/.test(alarm);
    return {
      code: "registry-alarm",
      severity: "error",
      saw: `etcd complains: ${alarm}`,
      expected: `no alarm: with one it takes no writes${isFull && !hasFix(version, ROLES_UNDER_ALARM) ? ", and before 3.6 asks no roles of who deletes" : ""}`,
      next: isFull
        ? "etcdctl compaction REVISION, then etcdctl defrag, then etcdctl alarm disarm: docs/etcd.md; or raise --quota-backend-bytes"
        : "etcdctl alarm list; etcdctl endpoint status",
    };
  });
  if (latencyMs > LATENCY_WARN_MS) {
    findings.push({
      code: "registry-slow",
      severity: "warning",
      saw: `the registry took ${Math.ceil(latencyMs)} ms to answer`,
      expected: `at most ${LATENCY_WARN_MS} ms, or leases are in danger`,
      next: "look at its disks (etcd_disk_wal_fsync_duration_seconds) and at the network between",
    });
  }
  return findings;
}
