/** Who makes a commit the release: whoever says `fleet apply`, the leading engine, or the engine once somebody approved it. One of them, never two. */
export const DRIVERS = ["apply", "sync", "approval"] as const;
export type Driver = (typeof DRIVERS)[number];

/** Of a cluster whose engine follows the branch, as a spec keeps it. */
export interface DriverPolicy {
  readonly by: Exclude<Driver, "apply">;
  /** Milliseconds between two looks at the branch. */
  readonly intervalMs: number;
  /** Milliseconds: a branch whose last commit is older is taken for one that somebody keeps from moving. Absent: however old. */
  readonly maxAgeMs?: number;
  /** Placements that may restart or move by one release nobody approved. Absent: any number. */
  readonly maxRestarts?: number;
  /** As `maxRestarts`, of those that stop. */
  readonly maxStops?: number;
}

/** A push is in force within a minute, and a forge is asked 1,440 times a day. */
export const SYNC_INTERVAL_MS = 60_000;
