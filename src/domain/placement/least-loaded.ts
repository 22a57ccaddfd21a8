import type { Atom } from "./atoms.ts";
import type { Candidates } from "./candidates.ts";
import type { LoadIndex, Wanted } from "./load-index.ts";
import type { MachineRoom } from "./machine-room.ts";

/**
 * The open machine that takes this group and is best for it; null where none takes it. One where it displaces nobody comes before any
 * other; then the one whose values (of the keys it is spread by) have the fewest of its set; then the one with the fewest units;
 * then the first by number. Machines of `except` are as if they were closed.
 */
export function leastLoaded(atom: Atom, room: MachineRoom, except: ReadonlySet<number> = NOBODY): number | null {
  const candidates = room.candidates(atom);
  if (candidates.open.length <= FEW || atom.spreads.length > 1) return leastOf(candidates.open, atom, room, except);
  const best = leastByIndex(atom, candidates, room, except);
  // The index knows only of places where it displaces nobody.
  return best === null && atom.replaces.length > 0 ? leastOf(candidates.open, atom, room, except) : best;
}

/** So few are looked at one after the other in less time than an index takes to be made. */
const FEW = 16;
/** With more values there are few machines of each, and looking at all of them at once is quicker than searching so many trees. */
const VALUES_MAX = 32;
const NOBODY: ReadonlySet<number> = new Set();

function leastByIndex(
  atom: Atom,
  candidates: Candidates,
  room: MachineRoom,
  except: ReadonlySet<number>,
): number | null {
  const [spread] = atom.spreads;
  const isPlain = !atom.hasRelations && isFreeOfRules(atom) && except.size === 0;
  const takes = isPlain
    ? null
    : (machine: number) => !except.has(machine) && !room.minds(atom, machine) && !room.displaces(atom, machine);
  // What is free is known to the index.
  const wanted: Wanted = { ...atom.requests, takes };
  if (spread === undefined) return numberOf(candidates.index.least(0, wanted));
  const values = room.replicas.values(spread.key);
  if (values.names.length > VALUES_MAX) return leastOf(candidates.open, atom, room, except);
  const counts = room.replicas.inValues(spread);
  const index = candidates.indexByValue(spread.key, values);
  const fewest = fewestOf(counts, index);
  if (fewest.values > SOME_VALUES) {
    const isFewest = (machine: number) => counts[values.of[machine]!] === fewest.count && (takes?.(machine) ?? true);
    const machine = candidates.index.least(0, { ...wanted, takes: isFewest });
    if (machine !== -1) return machine;
  }
  let best = -1;
  let bestCount = Number.POSITIVE_INFINITY;
  for (let value = 0; value < counts.length; value += 1) {
    const count = counts[value]!;
    if (count > bestCount || (spread.hard && count > 0)) continue;
    const machine = index.least(value, wanted);
    if (machine === -1 || (count === bestCount && !isLess(machine, best, room))) continue;
    best = machine;
    bestCount = count;
  }
  return numberOf(best);
}

/** With more values that have as few, most machines will do, and one search among all of them is quicker than one for each value. */
const SOME_VALUES = 3;

/** The least count of a value that any machine has, and how many values have it. */
function fewestOf(counts: Int32Array, index: LoadIndex): { readonly count: number; readonly values: number } {
  let count = Number.POSITIVE_INFINITY;
  let values = 0;
  for (let value = 0; value < counts.length; value += 1) {
    if (counts[value]! > count || !index.hasMachines(value)) continue;
    values = counts[value]! < count ? 1 : values + 1;
    count = counts[value]!;
  }
  return { count, values };
}

function numberOf(machine: number): number | null {
  return machine === -1 ? null : machine;
}

/** Whether no set of its own keeps it away from a machine: it may still wish for others. */
function isFreeOfRules({ replicas, spreads }: Atom): boolean {
  return replicas.every(({ rules }) => rules.limit === null) && spreads.every(({ hard }) => !hard);
}

function isLess(a: number, b: number, { load }: MachineRoom): boolean {
  return load[a]! < load[b]! || (load[a]! === load[b]! && a < b);
}

/** The same of machines in a list, without an index: neighbours are asked only where the machine would win. */
function leastOf(open: readonly number[], atom: Atom, room: MachineRoom, except: ReadonlySet<number>): number | null {
  let best: number | null = null;
  let [bestDisplaces, bestBeside, bestLoad] = [true, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (const machine of open) {
    if (except.has(machine)) continue;
    const displaces = room.displaces(atom, machine);
    const beside = room.replicas.beside(atom, machine);
    const load = room.load[machine]!;
    const isBetter =
      displaces !== bestDisplaces ? bestDisplaces : beside !== bestBeside ? beside < bestBeside : load < bestLoad;
    if ((best !== null && !isBetter) || !room.takes(atom, machine)) continue;
    best = machine;
    [bestDisplaces, bestBeside, bestLoad] = [displaces, beside, load];
  }
  return best;
}
