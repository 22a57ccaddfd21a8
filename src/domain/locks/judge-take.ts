import type { Lock, Slot, Waiter } from "./lock.ts";

export interface TakeInput {
  readonly lock: Lock;
  readonly holder: string;
  /** How many there may be, where the lock itself does not say. */
  readonly slots: number;
  /** Whether that renewal of a slot has been seen for longer than it lasts. */
  readonly isLapsed: (slot: Slot) => boolean;
  /** Whether that one has not been heard of for longer than it is believed to wait. */
  readonly isGone: (waiter: Waiter) => boolean;
}

export type Taking =
  /** It has one already: taking it again renews it. */
  | { readonly kind: "renew"; readonly slot: Slot }
  | { readonly kind: "take"; readonly slots: number; readonly lapsed: readonly Slot[] }
  /** `ahead`: how many wait before it; `isQueued`: it is among those who wait. */
  | { readonly kind: "wait"; readonly by: readonly Slot[]; readonly ahead: number; readonly isQueued: boolean };

/** Whether somebody may take a slot now: there is one for each who waited longer, and one more. */
export function judgeTake({ lock, holder, slots, isLapsed, isGone }: TakeInput): Taking {
  const own = lock.held.find((slot) => slot.holder === holder);
  if (own !== undefined && !isLapsed(own)) return { kind: "renew", slot: own };
  const lapsed = lock.held.filter(isLapsed);
  const by = lock.held.filter((slot) => !lapsed.includes(slot));
  const queue = lock.waiting.filter((waiter) => waiter.holder === holder || !isGone(waiter));
  const place = queue.findIndex((waiter) => waiter.holder === holder);
  const ahead = place === -1 ? queue.length : place;
  const allowed = lock.slots ?? slots;
  if (allowed - by.length > ahead) return { kind: "take", slots: allowed, lapsed };
  return { kind: "wait", by, ahead, isQueued: place !== -1 };
}
