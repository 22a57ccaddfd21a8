import type { MachineId } from "../names.ts";

/**
 * A counting lock: at most as many holders at once as it has slots, each under a name and with a deadline. Nobody's lease is behind it: a
 * machine that holds a slot to restart would lose it by restarting (protocol rule 32).
 */
export interface Lock {
  readonly name: string;
  /** The revision of its header, which every change of any of it compares and rewrites; 0 where it has none yet. */
  readonly revision: number;
  /** What the engine says there is of them. Null: whoever takes one says so. */
  readonly slots: number | null;
  /** Sorted by age, then by holder. */
  readonly held: readonly Slot[];
  /** Those who wait for a slot, in the order in which they came. */
  readonly waiting: readonly Waiter[];
}

/** One slot that is taken. */
export interface Slot {
  /** Who has it; of `reboot` the machine's id. */
  readonly holder: string;
  /** The person or the daemon that took it. */
  readonly by: string;
  readonly reason: string;
  /** RFC 3339, by the holder's clock, for people. */
  readonly since: string;
  /** As `since`: when it ends, unless it is renewed or given back. */
  readonly deadline: string;
  /** Milliseconds from the last renewal to the deadline: what is counted, by whoever looks, from when this renewal was first seen. */
  readonly forMs: number;
  /** How many there were when it was taken. */
  readonly slots: number;
  /** Given when it was taken, and kept by renewals: what is granted is granted to this one. */
  readonly id: string;
  /** Of the last write of it. */
  readonly op: string;
  /** Of a machine that wants to restart: the boot in which it took the slot. */
  readonly boot?: string;
  /** It has its grant and restarts. */
  readonly going?: true;
  readonly modRevision: number;
}

/** Says that it is there by a new beat now and then: one that died must not keep others waiting. */
export interface Waiter {
  readonly holder: string;
  readonly by: string;
  readonly reason: string;
  readonly since: string;
  readonly beat: string;
}

/** An engine's word that a machine may restart now: `grants/<machine>`. */
export interface Grant {
  readonly machine: MachineId;
  /** `Slot.id`. */
  readonly slot: string;
  /** RFC 3339, for people. */
  readonly at: string;
  /** Units that were down there before: they need not be up for it to have come back well. */
  readonly down: readonly string[];
  readonly modRevision: number;
}

/** Held by whoever makes a commit the release, from reading its basis again to the swap. */
export const APPLY_LOCK = "apply";
/** Held by machines that want to restart. */
export const REBOOT_LOCK = "reboot";

/** Reading, proving and writing 20,000 units take seconds; whoever died meanwhile is in nobody's way for longer than this. */
export const APPLY_LOCK_MS = 120_000;
/** Protocol rule 32: longer than a server with much memory takes to come back. */
export const REBOOT_SLOT_MS = 900_000;
/** How often a waiting one says that it is there, and how long it is believed without: two beats may be lost. */
export const WAITER_BEAT_MS = 120_000;
export const WAITER_GONE_MS = 420_000;
/** Known by name while they wait; the next one comes in when one of them has gone. The header stays below 100 kB. */
export const WAITERS_MAX = 256;
/** In a record, and on a line. */
export const LOCK_TEXT_MAX = 200;
