import type { RegistryAnswer, RegistryFacts } from "./doctor-facts.ts";
import { hasFix, isEmbedded } from "./etcd-version.ts";
import type { AreaVerdict, Finding } from "./finding.ts";
import { judgeHub } from "./judge-hub.ts";

/**
 * Below, a user gets around its role: CVE-2026-33343 and -33413 (fixed in 3.4.42, 3.5.28, 3.6.9), and PrevKv shows what may not be read
 * (etcd's changelogs).
 */
const RBAC_FIXED = [
  [3, 4, 44],
  [3, 5, 30],
  [3, 6, 11],
] as const;
/** Below, a leader that lost the majority for a while may revoke leases that were kept alive: machines seem lost (etcd's changelogs). */
const LEASES_FIXED = [
  [3, 4, 31],
  [3, 5, 13],
] as const;
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
  const what = isEmbedded(answer.version) ? "fleet's own" : `etcd ${answer.version}, ${answer.members} members`;
  const size = answer.storeBytes === null ? "" : `, ${Math.ceil(answer.storeBytes / 1024 ** 2)} MiB`;
  const through = hub === undefined ? "" : `, through ${hub.state.engine ?? "no engine by now"}`;
  const saw = `${address}: ${what}${size}, answers in ${Math.ceil(answer.latencyMs)} ms${through}`;
  return {
    saw,
    findings: [...engines, ...(isEmbedded(answer.version) ? [] : judgeVersion(answer.version)), ...judgeHealth(answer)],
  };
}

function judgeVersion(version: string): Finding[] {
  const findings: Finding[] = [];
  if (!hasFix(version, RBAC_FIXED)) {
    findings.push({
      code: "etcd-rbac",
      severity: "warning",
      saw: `etcd ${version}: users get around their roles`,
      expected: "3.4.44, 3.5.30, 3.6.11 or newer, wherever roles are to keep machines apart",
      next: "upgrade etcd, one member after the other",
    });
  }
  if (!hasFix(version, LEASES_FIXED)) {
    findings.push({
      code: "etcd-leases",
      severity: "warning",
      saw: `etcd ${version}: after a change of leader it may end leases that are kept alive`,
      expected: "3.4.31, 3.5.13 or newer: a machine whose lease ends counts as lost, and its units move",
      next: "upgrade etcd, one member after the other",
    });
  }
  return findings;
}

function judgeHealth({ alarms, latencyMs }: RegistryAnswer): Finding[] {
  const findings = (alarms ?? []).map((alarm): Finding => {
    const isFull = /NOSPACE/.test(alarm);
    return {
      code: "registry-alarm",
      severity: "error",
      saw: `etcd complains: ${alarm}`,
      expected: "no alarm: with one it takes no writes",
      next: isFull
        ? "etcdctl compact, then etcdctl defrag, then etcdctl alarm disarm; or raise --quota-backend-bytes"
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
