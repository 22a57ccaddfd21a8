import type { Atom } from "./atoms.ts";
import type { LoadIndex, Wanted } from "./load-index.ts";
import type { MachineRoom } from "./machine-room.ts";

/**
 * The open machine that takes this group and is best for it; null where none takes it. One where it displaces nobody comes before any
 * other; then the one whose values (of the keys it is spread by) have the fewest of its set; then the one with the fewest units;
 * then the first by number. Machines of `except` are as if they were closed.
 */
export function leastLoaded(atom: Atom, room: MachineRoom, except: ReadonlySet<number> = NOBODY): number | null {
  const candidates = room.candidates(atom);
  const [spread] = atom.spreads;
  if (candidates.open.length <= FEW || atom.replaces.length > 0 || atom.spreads.length > 1) {
    return leastOf(candidates.open, atom, room, except);
  }
  const isPlain = !atom.hasRelations && isFreeOfRules(atom) && except.size === 0;
  const wanted: Wanted = {
    cpuMilli: atom.requests.cpuMilli,
    memoryBytes: atom.requests.memoryBytes,
    // What is free is known to the index.
    takes: isPlain ? null : (machine) => !except.has(machine) && !room.minds(atom, machine),
  };
  if (spread === undefined) return found(candidates.index, wanted);
  const values = room.replicas.values(spread.key);
  if (values.names.length > VALUES_MAX) return leastOf(candidates.open, atom, room, except);
  const counts = room.replicas.inValues(spread);
  let [best, bestCount]: [number | null, number] = [null, Number.POSITIVE_INFINITY];
  for (const { value, index } of candidates.indexByValue(spread.key, values)) {
    const count = counts[value]!;
    if (count > bestCount) continue;
    const machine = found(index, wanted);
    if (machine === null || (count === bestCount && !isLess(machine, best!, room))) continue;
    [best, bestCount] = [machine, count];
  }
  return best;
}

/** So few are looked at one after the other in less time than an index takes to be made. */
const FEW = 16;
/** With more values there are few machines of each, and looking at all of them at once is quicker than asking so many indexes. */
const VALUES_MAX = 32;
const NOBODY: ReadonlySet<number> = new Set();

/** Whether no set of its own keeps it away from a machine: it may still wish for others. */
function isFreeOfRules({ replicas, spreads }: Atom): boolean {
  return replicas.every(({ rules }) => rules.limit === null) && spreads.every(({ hard }) => !hard);
}

function found(index: LoadIndex, wanted: Wanted): number | null {
  const machine = index.least(wanted);
  return machine === -1 ? null : machine;
}

function isLess(a: number, b: number, { load }: MachineRoom): boolean {
  return load[a]! < load[b]! || (load[a]! === load[b]! && a < b);
}

/** The same of machines in a list, without an index: neighbours are asked only where the machine would win. */
function leastOf(open: readonly number[], atom: Atom, room: MachineRoom, except: ReadonlySet<number>): number | null {
  let best: number | null = null;
  let bestRank: Rank = [true, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (const machine of open) {
    if (except.has(machine)) continue;
    const rank: Rank = [room.displaces(atom, machine), room.replicas.beside(atom, machine), room.load[machine]!];
    if (best !== null && !precedes(rank, bestRank)) continue;
    if (!room.takes(atom, machine)) continue;
    best = machine;
    bestRank = rank;
  }
  return best;
}

type Rank = readonly [displaces: boolean, beside: number, load: number];

function precedes(a: Rank, b: Rank): boolean {
  if (a[0] !== b[0]) return b[0];
  return a[1] !== b[1] ? a[1] < b[1] : a[2] < b[2];
}
