import type { Selector } from "../cluster/selector.ts";
import type { Announcement } from "../discovery/announcement.ts";
import type { HealthCheck } from "../health/health-check.ts";
import type { UnitName } from "../names.ts";

/**
 * A unit's `[X-Fleet]` section, effective: drop-ins merged, specifiers expanded, every default written out.
 * Semantics are old fleet's where fleet had the option.
 */
export interface FleetOptions {
  /** On every eligible machine instead of on one. */
  readonly global: boolean;
  /** The only machine that may run it, by name or full id. */
  readonly machineId: string | null;
  /** Units that must be on the same machine; each must be part of the commit. */
  readonly machineOf: readonly UnitName[];
  /** All must hold. Several values of one key are alternatives and arrive here as one selector. */
  readonly machineMetadata: readonly Selector[];
  /** Globs of unit names that may not share a machine with this one; one side's word is enough. */
  readonly conflicts: readonly string[];
  /** Globs of unit names that must give way to this one where they meet on a machine. */
  readonly replaces: readonly string[];
  /** `none`: this unit's hard dependencies do not tie it to their machine. */
  readonly group: "auto" | "none";
  /** What the unit itself says about moving; null where it says nothing. */
  readonly move: "auto" | "never" | null;
  /**
   * How its replicas (`replicaSetOf`) are kept apart; one's word counts for all of them. Absent: not at all, and a spec from before there
   * was a choice keeps its hash.
   */
  readonly spread?: Spread;
  /** The most units of its replica set on one machine, itself included; 1 or more. The smallest of the set counts. Absent: any number. */
  readonly maxPerMachine?: number;
  /** What must pass for it to be healthy, in the order written; at least one. Absent: systemd's word is enough. */
  readonly healthChecks?: readonly HealthCheck[];
  /** Ports by which it is found while it is up and healthy, in the order written; at least one. Absent: none. */
  readonly announce?: readonly Announcement[];
}

/** Units of one replica set on machines that differ in the value of a metadata key. */
export interface Spread {
  readonly key: string;
  /**
   * False: a wish. Among machines that fit, those whose value has the fewest of the set come first, then the least loaded; machines
   * without the key count as one value. It moves nothing that runs and leaves nothing unplaced.
   * True: a rule. No two of the set on machines of one value, whatever follows from it, and none on a machine without the key.
   */
  readonly hard: boolean;
}
