import type { LossPolicy } from "../spec/cluster-spec.ts";

/**
 * What keeps an engine from making a disturbance worse than it is. Moving is a restart: one machine that is gone is worth it, and many
 * that are silent at once are more likely behind a cable than dead. The manifest's `loss:` sets each by this name. Milliseconds.
 */
export interface Damping {
  /** Percent of the machines that were there, 1 to 100: with so many missing within `outageWindowMs`, nothing moves. */
  readonly outageAtPercent: number;
  /** Fewer than so many are never an outage. */
  readonly outageMin: number;
  readonly outageWindowMs: number;
  /** After one machine's units have begun to move, the next machine's wait for this long. */
  readonly lossWindowMs: number;
  /** Percent of all units, 1 to 100: so many move within `movesWindowMs`, and always those of one machine. */
  readonly movesAtPercent: number;
  readonly movesWindowMs: number;
  /** A machine that was missed so often within `flapWindowMs` gets nothing new for `flapHoldMs`, doubling up to `flapHoldMaxMs`. */
  readonly flapAt: number;
  readonly flapWindowMs: number;
  readonly flapHoldMs: number;
  readonly flapHoldMaxMs: number;
}

/** Kubernetes stops evicting at 55 % of a zone. We run what may run twice in a partition, so we believe in a cut cable sooner. */
const OUTAGE_AT_PERCENT = 30;
/** One of two or of three is more than 30 %, and is just what failover is for. */
const OUTAGE_MIN = 2;
/** Leases of machines that fall silent together end within a third of a lease; a switch that reboots takes two minutes. */
const OUTAGE_WINDOW_MS = 120_000;
/** Kubernetes' 0.1 node/s: the first machine's units show whether moving helps before the second's follow. */
const LOSS_WINDOW_MS = 10_000;
/** A tenth of the cluster anew is what the rest takes without noticing: images to pull, caches to warm. */
const MOVES_AT_PERCENT = 10;
/** Long enough for what has moved to have started, and for somebody whom an alarm woke to look. */
const MOVES_WINDOW_MS = 300_000;
/** Twice is a reboot and its second try; a third time within the hour is a fault. */
const FLAP_AT = 3;
const FLAP_WINDOW_MS = 3_600_000;
/** As long as a machine with a loose cable is usually well between two silences. */
const FLAP_HOLD_MS = 600_000;
/** Half a working day: by then somebody has seen it, and a machine that was repaired is not kept out for good. */
const FLAP_HOLD_MAX_MS = 4 * 3_600_000;

export const DEFAULT_DAMPING: Damping = {
  outageAtPercent: OUTAGE_AT_PERCENT,
  outageMin: OUTAGE_MIN,
  outageWindowMs: OUTAGE_WINDOW_MS,
  lossWindowMs: LOSS_WINDOW_MS,
  movesAtPercent: MOVES_AT_PERCENT,
  movesWindowMs: MOVES_WINDOW_MS,
  flapAt: FLAP_AT,
  flapWindowMs: FLAP_WINDOW_MS,
  flapHoldMs: FLAP_HOLD_MS,
  flapHoldMaxMs: FLAP_HOLD_MAX_MS,
};

/** A registry may notice up to half a second late that a lease has ended: etcd looks twice a second. */
const LEASE_CHECK_MS = 500;
/** Agents renew three times within a lease, so leases of machines that fall silent together end up to a third of one apart. */
const RENEWALS_PER_LEASE = 3;

/**
 * No machine is lost before others that fell silent with it must have been missed, too: else the first of them would move, and only
 * then it would show that it is an outage. A shorter grace is taken for this one.
 */
export function leastGraceMs(agentTtlMs: number): number {
  return Math.ceil(agentTtlMs / RENEWALS_PER_LEASE) + LEASE_CHECK_MS;
}

/** A policy with every default written out. */
export type LossThresholds = LossPolicy & Damping;

export function lossThresholds(policy: LossPolicy): LossThresholds {
  const graceMs = Math.max(policy.graceMs, leastGraceMs(policy.agentTtlMs));
  return { ...DEFAULT_DAMPING, ...policy, graceMs };
}
