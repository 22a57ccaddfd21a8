import type { AreaVerdict, Finding } from "./finding.ts";
import type { StoreFacts } from "./registry-check-facts.ts";

const MIB = 1024 ** 2;
/** etcd's own --quota-backend-bytes where none is given. */
const DEFAULT_QUOTA_BYTES = 2 * 1024 * MIB;
/** From here on there is time to do something before writes are refused: a defragmentation alone needs no hurry. */
const QUOTA_WARN = 0.8;
/** About 1 KiB each: a twentieth of the default quota, and half a minute of a cluster of thousands of units that starts. */
const UNCOMPACTED_WARN = 100_000;

export function judgeStore({ bytes, bytesInUse, quotaBytes, revision, compactedRevision }: StoreFacts): AreaVerdict {
  const quota = quotaBytes ?? DEFAULT_QUOTA_BYTES;
  const sizes = [
    bytes === null ? "of unknown size" : `${mib(bytes)} on disk`,
    ...(bytesInUse === null ? [] : [`${mib(bytesInUse)} in use`]),
    `quota ${mib(quota)}${quotaBytes === null ? " unless it was raised" : ""}`,
    ...(revision === null ? [] : [`revision ${revision}`]),
    ...(compactedRevision === null ? [] : [`compacted to ${compactedRevision}`]),
  ];
  const findings: Finding[] = [];
  if (bytes !== null && bytes > QUOTA_WARN * quota) {
    const helps = bytesInUse !== null && bytesInUse < bytes / 2;
    findings.push({
      code: "registry-almost-full",
      severity: "warning",
      saw: `the store has ${mib(bytes)} of ${mib(quota)}`,
      expected: `at most ${QUOTA_WARN * 100} %: a full one takes no writes`,
      next: helps
        ? "etcdctl defrag, on one member after the other"
        : "compact it (docs/etcd.md), then etcdctl defrag on one member after the other; or raise --quota-backend-bytes",
    });
  }
  if (revision !== null && compactedRevision !== null && revision - compactedRevision > UNCOMPACTED_WARN) {
    findings.push({
      code: "etcd-keeps-all",
      severity: "warning",
      saw: `etcd keeps the last ${revision - compactedRevision} changes`,
      expected: `at most ${UNCOMPACTED_WARN}: fleet needs minutes of history, and never compacts it itself`,
      next: "start etcd with --auto-compaction-mode=periodic --auto-compaction-retention=1h",
    });
  }
  return { saw: sizes.join(", "), findings };
}

function mib(bytes: number): string {
  return `${Math.ceil(bytes / MIB)} MiB`;
}
