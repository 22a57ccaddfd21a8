import type { Machine } from "../cluster/machine.ts";
import type { MachineId, UnitName } from "../names.ts";

/**
 * The machines, by number, on which something else stays or comes than before: that are gone, back, drained. Null where they are other
 * machines, or say something else of themselves, so that the commit may mean others by what it asks for. Both in order.
 */
export function machineChange(before: readonly Machine[], now: readonly Machine[]): readonly number[] | null {
  if (before.length !== now.length) return null;
  const changed: number[] = [];
  for (let number = 0; number < now.length; number += 1) {
    const [a, b] = [before[number]!, now[number]!];
    if (a === b) continue;
    if (!isSameHost(a, b)) return null;
    if (!isSameState(a, b)) changed.push(number);
  }
  return changed;
}

function isSameHost(a: Machine, b: Machine): boolean {
  return (
    a.id === b.id &&
    a.name === b.name &&
    a.admitted === b.admitted &&
    a.unrecorded === b.unrecorded &&
    a.capacity?.cpuMilli === b.capacity?.cpuMilli &&
    a.capacity?.memoryBytes === b.capacity?.memoryBytes &&
    a.capabilities?.join() === b.capabilities?.join() &&
    isSameMetadata(a.metadata, b.metadata)
  );
}

function isSameMetadata(a: Machine["metadata"], b: Machine["metadata"]): boolean {
  if (a === b) return true;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && a[key] === b[key]);
}

function isSameState(a: Machine, b: Machine): boolean {
  return (
    a.presence === b.presence &&
    a.drain === b.drain &&
    a.cordon === b.cordon &&
    a.flapping === b.flapping &&
    a.graces?.cluster === b.graces?.cluster &&
    a.graces?.ownMs === b.graces?.ownMs
  );
}

type Places = ReadonlyMap<UnitName, readonly MachineId[]>;

/**
 * Units that are elsewhere than before. Mostly both maps are in the same order and are gone through side by side: looking up ten thousand
 * units costs more than all that follows from one of them having moved.
 */
export function changedUnits(before: Places, now: Places): readonly UnitName[] {
  const changed: UnitName[] = [];
  const entries = before.entries();
  let old = entries.next();
  for (const [unit, machines] of now) {
    for (; !old.done && old.value[0] !== unit && !now.has(old.value[0]); old = entries.next())
      changed.push(old.value[0]);
    let last = NOWHERE;
    if (!old.done && old.value[0] === unit) {
      last = old.value[1];
      old = entries.next();
    } else last = before.get(unit) ?? NOWHERE;
    if (last !== machines && !isSameList(last, machines)) changed.push(unit);
  }
  for (; !old.done; old = entries.next()) if (!now.has(old.value[0])) changed.push(old.value[0]);
  return changed;
}

const NOWHERE: readonly MachineId[] = [];

function isSameList(a: readonly MachineId[], b: readonly MachineId[]): boolean {
  return a.length === b.length && a.every((machine, index) => machine === b[index]);
}

export function isSamePlaces(a: ReadonlyMap<UnitName, MachineId>, b: ReadonlyMap<UnitName, MachineId>): boolean {
  if (a === b) return true;
  if (a.size !== b.size) return false;
  for (const [unit, machine] of a) if (b.get(unit) !== machine) return false;
  return true;
}
