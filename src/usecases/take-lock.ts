import { encodeSlot } from "../codec/lock-records.ts";
import type { RegistryKeys } from "../codec/registry-keys.ts";
import { judgeTake, type Taking } from "../domain/locks/judge-take.ts";
import { type Lock, type Slot, WAITERS_MAX, type Waiter } from "../domain/locks/lock.ts";
import type { Clock, RandomId } from "../ports/clock.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { Compare, Operation, Registry } from "../ports/registry.ts";
import type { LapseWatch } from "./lapse-watch.ts";
import { readLock } from "./read-lock.ts";
import { writeLock } from "./write-lock.ts";

/** Each attempt that fails is one that somebody else's write won; so many in a row are no contention but a fault. */
const ATTEMPTS_MAX = 200;

export interface LockPorts {
  readonly registry: Registry;
  readonly keys: RegistryKeys;
  readonly clock: Clock;
  readonly newId: RandomId;
}

export interface LockWish {
  readonly name: string;
  readonly holder: string;
  readonly by: string;
  readonly reason: string;
  /** How many may hold it at once, where the lock does not say. */
  readonly slots: number;
  /** Milliseconds to its deadline. */
  readonly forMs: number;
  /** The boot of a machine that wants to restart. */
  readonly boot?: string;
  /** Waits in the lock's own line, and says that it is there. Whoever does not has nobody before it and takes what is free. */
  readonly queues: boolean;
  /** It is time to say again that it waits. */
  readonly beats?: boolean;
  /** From now on it restarts: only of a slot that is held. */
  readonly going?: true;
  /** What else must be so, in the same moment; else nothing is taken, and it is answered as if others had it. */
  readonly when?: readonly Compare[];
  /** Of whom it is known that they do nothing with their slot any more, where `when` holds. Absent: of nobody. */
  readonly isOutlived?: (holder: string) => boolean;
}

export type LockAnswer =
  | { readonly kind: "held"; readonly slot: Omit<Slot, "modRevision"> }
  /** `ahead`: how many have waited for longer. */
  | { readonly kind: "waiting"; readonly by: readonly Slot[]; readonly ahead: number };

/**
 * Tries once to take a slot, or renews the one it has; never waits for others. A lost reply is looked up: the lock itself says who holds
 * it. `watch`: what this observer has seen of the lock so far.
 */
export async function takeLock(ports: LockPorts, wish: LockWish, watch: LapseWatch): Promise<LockAnswer> {
  const { registry, keys } = ports;
  const written = new Set<string>();
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const lock = await readLock(registry, keys, wish.name);
    const mine = lock.held.find(({ holder }) => holder === wish.holder);
    if (mine !== undefined && written.has(mine.op)) return { kind: "held", slot: mine };
    watch.look(lock.name, lock.held, lock.waiting);
    const taking = judgeTake({
      lock,
      holder: wish.holder,
      slots: wish.slots,
      isLapsed: (slot) => wish.isOutlived?.(slot.holder) === true || watch.isLapsed(lock.name, slot),
      isGone: (waiter) => watch.isGone(lock.name, waiter),
    });
    if (taking.kind === "wait" && !mustSaySo(lock, wish)) return waiting(taking);
    const op = ports.newId();
    written.add(op);
    const slot = slotOf(ports, wish, taking, op);
    const result = await writeLock(registry, keys, {
      lock,
      op,
      waiting: waitingAfter(ports, lock, wish, taking, op),
      when: wish.when ?? [],
      then: slot === null ? [] : operations(keys, wish, taking, slot),
    });
    if (result.kind === "refused" && wish.when !== undefined) return { kind: "waiting", by: lock.held, ahead: 0 };
    if (result.kind !== "written") continue;
    if (slot !== null) return { kind: "held", slot };
    if (taking.kind === "wait") return waiting(taking);
  }
  throw new OperationError(
    "lock-contended",
    `lock ${wish.name} changed at each of ${ATTEMPTS_MAX} attempts to take it`,
  );
}

function waiting({ by, ahead }: Extract<Taking, { kind: "wait" }>): LockAnswer {
  return { kind: "waiting", by, ahead };
}

/** Joins the line, or says that it still stands in it. */
function mustSaySo(lock: Lock, { queues, beats = false, holder }: LockWish): boolean {
  if (!queues) return false;
  return lock.waiting.some((waiter) => waiter.holder === holder) ? beats : lock.waiting.length < WAITERS_MAX;
}

function slotOf(
  { clock, newId }: LockPorts,
  wish: LockWish,
  taking: Taking,
  op: string,
): Omit<Slot, "modRevision"> | null {
  if (taking.kind === "wait") return null;
  const nowMs = clock.wallMs();
  const before = taking.kind === "renew" ? taking.slot : null;
  const { holder, by, reason, forMs, boot, going } = wish;
  return {
    ...{ holder, by, reason, forMs, op },
    since: before?.since ?? new Date(nowMs).toISOString(),
    deadline: new Date(nowMs + forMs).toISOString(),
    slots: taking.kind === "take" ? taking.slots : taking.slot.slots,
    id: before?.id ?? newId(),
    ...(boot === undefined ? {} : { boot }),
    ...(going === undefined && before?.going === undefined ? {} : { going: true }),
  };
}

function waitingAfter({ clock }: LockPorts, lock: Lock, wish: LockWish, taking: Taking, op: string): readonly Waiter[] {
  const { holder, by, reason } = wish;
  if (taking.kind !== "wait") return lock.waiting.filter((waiter) => waiter.holder !== holder);
  const own = { holder, by, reason, since: new Date(clock.wallMs()).toISOString(), beat: op };
  const at = lock.waiting.findIndex((waiter) => waiter.holder === holder);
  if (at === -1) return [...lock.waiting, own];
  return lock.waiting.map((waiter, index) => (index === at ? { ...own, since: waiter.since } : waiter));
}

function operations(
  keys: RegistryKeys,
  { name, holder }: LockWish,
  taking: Taking,
  slot: Omit<Slot, "modRevision">,
): Operation[] {
  const lapsed = taking.kind === "take" ? taking.lapsed.filter((other) => other.holder !== holder) : [];
  return [
    ...lapsed.map((other): Operation => ({ kind: "delete", key: keys.lock(name, other.holder) })),
    { kind: "put", key: keys.lock(name, holder), value: encodeSlot(slot) },
  ];
}
