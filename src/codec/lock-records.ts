import { type Grant, LOCK_TEXT_MAX, type Lock, REBOOT_SLOT_MS, type Slot, type Waiter } from "../domain/locks/lock.ts";
import { compareText, parseMachineId } from "../domain/names.ts";
import type { Entry } from "../ports/registry.ts";
import { decodeRecord, encodeRecord, hasShape, type Shape } from "./record.ts";
import type { RegistryKeys } from "./registry-keys.ts";

const SLOT_SHAPE: Shape = {
  by: "string",
  reason: "string",
  since: "string",
  deadline: "string",
  forMs: "number",
  slots: "number",
  id: "string",
  op: "string",
};
const WAITER_SHAPE: Shape = { holder: "string", by: "string", reason: "string", since: "string", beat: "string" };
const GRANT_SHAPE: Shape = { slot: "string", at: "string", down: "strings" };

interface HeaderRecord {
  readonly slots?: unknown;
  readonly waiting: readonly unknown[];
}

/** What stands at `locks/<name>`: who waits, and how many slots there are. `op` makes each write of it another one. */
export function encodeLockHeader({ slots, waiting }: Pick<Lock, "slots" | "waiting">, op: string): string {
  return encodeRecord({ ...(slots === null ? {} : { slots }), waiting, op });
}

export function encodeSlot({
  modRevision: _,
  holder: __,
  ...slot
}: Omit<Slot, "modRevision"> & { modRevision?: number }): string {
  const { by, reason } = slot;
  return encodeRecord({ ...slot, by: by.slice(0, LOCK_TEXT_MAX), reason: reason.slice(0, LOCK_TEXT_MAX) });
}

export function encodeGrant({ slot, at, down }: Omit<Grant, "modRevision">): string {
  return encodeRecord({ slot, at, down });
}

/** All locks among these entries, sorted by name. */
export function decodeLocks(keys: RegistryKeys, entries: Iterable<Entry>): Lock[] {
  const locks = new Map<string, { revision: number; slots: number | null; held: Slot[]; waiting: readonly Waiter[] }>();
  for (const entry of entries) {
    if (!entry.key.startsWith(keys.locks)) continue;
    const [name = "", holder, ...more] = entry.key.slice(keys.locks.length).split("/");
    if (name === "" || more.length > 0) continue;
    const lock = locks.get(name) ?? { revision: 0, slots: null, held: [], waiting: [] };
    locks.set(name, lock);
    if (holder === undefined) Object.assign(lock, { revision: entry.modRevision, ...readHeader(entry) });
    else lock.held.push(readSlot(entry, holder));
  }
  return [...locks]
    .map(([name, { held, ...lock }]) => ({
      name,
      ...lock,
      held: held.sort((a, b) => compareText(a.since, b.since) || compareText(a.holder, b.holder)),
    }))
    .sort((a, b) => compareText(a.name, b.name));
}

/** That lock, also where nobody ever took it. */
export function decodeLock(keys: RegistryKeys, name: string, entries: Iterable<Entry>): Lock {
  const found = decodeLocks(keys, entries).find((lock) => lock.name === name);
  return found ?? { name, revision: 0, slots: null, held: [], waiting: [] };
}

/** Sorted by machine. One that nobody can read is none: its machine waits for another. */
export function decodeGrants(keys: RegistryKeys, entries: Iterable<Entry>): Grant[] {
  const grants: Grant[] = [];
  for (const entry of entries) {
    if (!entry.key.startsWith(keys.grants)) continue;
    const machine = parseMachineId(entry.key.slice(keys.grants.length));
    if (machine === null) continue;
    const decoded = decodeRecord<Omit<Grant, "machine" | "modRevision">>(entry.value, GRANT_SHAPE);
    const { slot, at, down } = decoded.kind === "record" ? decoded.record : { slot: "", at: "", down: [] };
    grants.push({ machine, slot, at, down, modRevision: entry.modRevision });
  }
  return grants.sort((a, b) => compareText(a.machine, b.machine));
}

function readHeader({ value }: Entry): Pick<Lock, "slots" | "waiting"> {
  const decoded = decodeRecord<HeaderRecord>(value, { waiting: "objects" });
  if (decoded.kind !== "record") return { slots: null, waiting: [] };
  const { slots, waiting } = decoded.record;
  const known = waiting.filter((one): one is Waiter => hasShape(one, WAITER_SHAPE));
  return {
    slots: Number.isInteger(slots) && (slots as number) >= 1 ? (slots as number) : null,
    waiting: known.map(({ holder, by, reason, since, beat }) => ({ holder, by, reason, since, beat })),
  };
}

/** What nobody can read holds its slot all the same, for as long as the longest: somebody may rely on it. */
function readSlot({ value, modRevision }: Entry, holder: string): Slot {
  const decoded = decodeRecord<Omit<Slot, "holder" | "modRevision">>(value, SLOT_SHAPE);
  if (decoded.kind !== "record") {
    const id = `revision-${modRevision}`;
    const unknown = { by: "", reason: "its record cannot be read", since: "", deadline: "", slots: 1 };
    return { holder, ...unknown, forMs: REBOOT_SLOT_MS, id, op: id, modRevision };
  }
  const { by, reason, since, deadline, forMs, slots, id, op, boot, going } = decoded.record;
  return {
    holder,
    ...{ by, reason, since, deadline, forMs, slots, id, op, modRevision },
    ...(typeof boot === "string" ? { boot } : {}),
    ...(going === true ? { going } : {}),
  };
}
