import { etcdVersion, hasFix } from "./etcd-version.ts";

/** What a bug of etcd spoils: leases machines live by, roles that keep them apart, or the data. */
export type EtcdBugKind = "etcd-data" | "etcd-leases" | "etcd-rbac";

type EtcdRelease = readonly [major: number, minor: number, patch: number];

export interface EtcdBug {
  readonly kind: EtcdBugKind;
  /** What happens below the fix. */
  readonly what: string;
  /** The first release that has it; absent: all before the fix do. */
  readonly since?: EtcdRelease;
  /** One of each line that got the fix; older lines never did. */
  readonly fixedIn: readonly EtcdRelease[];
  /** Who says so: a CVE, or a number of etcd's issues and pull requests. */
  readonly source: string;
}

/** Those that matter to fleet. Releases as in etcd's changelogs, and in the CVE records where those are newer. */
export const ETCD_BUGS: readonly EtcdBug[] = [
  {
    kind: "etcd-rbac",
    what: "whoever may read one key watches all that sort behind it",
    fixedIn: [
      [3, 5, 33],
      [3, 6, 14],
      [3, 7, 1],
    ],
    source: "CVE-2026-73499",
  },
  {
    kind: "etcd-rbac",
    what: "a put inside a transaction shows what its user may not read, and hangs keys on others' leases",
    fixedIn: [
      [3, 4, 44],
      [3, 5, 30],
      [3, 6, 11],
    ],
    source: "CVE-2026-44283",
  },
  {
    kind: "etcd-rbac",
    what: "a transaction inside a transaction does what its user may not",
    fixedIn: [
      [3, 4, 42],
      [3, 5, 28],
      [3, 6, 9],
    ],
    source: "CVE-2026-33343",
  },
  {
    kind: "etcd-rbac",
    what: "leases, alarms and compaction are open to whoever reaches it",
    fixedIn: [
      [3, 4, 42],
      [3, 5, 28],
      [3, 6, 9],
    ],
    source: "CVE-2026-33413",
  },
  {
    kind: "etcd-rbac",
    what: "a lease names its keys to whoever may not read them",
    fixedIn: [
      [3, 4, 26],
      [3, 5, 9],
    ],
    source: "etcd #15815",
  },
  {
    kind: "etcd-rbac",
    what: "a member that starts may not know users and roles",
    since: [3, 5, 0],
    fixedIn: [[3, 5, 5]],
    source: "etcd #14409",
  },
  {
    kind: "etcd-leases",
    what: "a leader that was replaced and does not know yet ends leases that are kept alive",
    fixedIn: [
      [3, 4, 31],
      [3, 5, 13],
    ],
    source: "etcd #15247",
  },
  {
    kind: "etcd-leases",
    what: "it confirms that a lease lives on which has ended at that moment",
    fixedIn: [
      [3, 4, 38],
      [3, 5, 23],
      [3, 6, 5],
    ],
    source: "etcd's changelogs: re-check that the lease still exists",
  },
  {
    kind: "etcd-data",
    what: "members that crash under load may hold different data for good",
    since: [3, 5, 0],
    fixedIn: [[3, 5, 3]],
    source: "etcd #13908",
  },
  {
    kind: "etcd-data",
    what: "a single member may lose what it has acknowledged when it crashes",
    since: [3, 5, 0],
    fixedIn: [[3, 5, 5]],
    source: "etcd #14424",
  },
];

/** Those a version has; none of a version that nobody can tell. */
export function bugsOf(version: string): readonly EtcdBug[] {
  return ETCD_BUGS.filter(({ since, fixedIn }) => {
    if (hasFix(version, fixedIn)) return false;
    return since === undefined || !isBefore(version, since);
  });
}

/** The oldest release of each line without any of these bugs, in order: a line that never got one of the fixes is none to be on. */
export function soundReleases(bugs: readonly EtcdBug[]): string[] {
  const lines = [...new Set(bugs.flatMap(({ fixedIn }) => fixedIn.map(([major, minor]) => `${major}.${minor}`)))];
  return lines
    .flatMap((line) => {
      const patches = bugs.flatMap(({ fixedIn }) => fixedIn.filter(([major, minor]) => `${major}.${minor}` === line));
      const sound = `${line}.${Math.max(...patches.map(([, , patch]) => patch))}`;
      return bugs.every(({ fixedIn }) => hasFix(sound, fixedIn)) ? [sound] : [];
    })
    .sort();
}

function isBefore(version: string, [major, minor, patch]: EtcdRelease): boolean {
  const number = etcdVersion(version);
  if (number === null) return false;
  return number[0] * 1e6 + number[1] * 1e3 + number[2] < major * 1e6 + minor * 1e3 + patch;
}
