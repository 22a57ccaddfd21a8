import type { Machine } from "../cluster/machine.ts";
import { matchesSelector, printSelector } from "../cluster/selector.ts";
import type { Atom } from "./atoms.ts";
import type { MachineRoom } from "./machine-room.ts";
import type { NearestFit, RejectReason } from "./placement.ts";
import { closedBecause, lackedCapability } from "./static-fit.ts";
import { minding, noRoom } from "./why-rejected.ts";

/**
 * The machine with the fewest obstacles for this group, and all of them: what would have to change so that it fits there. By number of
 * obstacles, then by how small a change each is, then the machine's place in the order of names.
 */
export function nearestFit(atom: Atom, room: MachineRoom): NearestFit | null {
  let nearest: NearestFit | null = null;
  let least = Number.POSITIVE_INFINITY;
  room.machines.forEach((machine, number) => {
    const obstacles = obstaclesOf(atom, machine, number, room);
    const cost = obstacles.reduce((sum, obstacle) => sum + costOf(obstacle), 0);
    if (cost >= least) return;
    least = cost;
    nearest = { machine: machine.name, obstacles };
  });
  return nearest;
}

/**
 * What a change costs: one more obstacle always costs more than any other kind of one. A label is set in a line; letting a machine in or
 * taking units apart is a decision; another machine than the one that was named is the opposite of what was asked.
 */
const COSTS: Readonly<Record<RejectReason["code"], number>> = {
  metadata: 100,
  cordoned: 101,
  drained: 102,
  flapping: 107,
  "not-admitted": 103,
  capability: 104,
  conflict: 104,
  "replaced-by": 105,
  "max-per-machine": 105,
  spread: 105,
  "no-room": 106,
  "other-machine": 106,
  absent: 107,
  lost: 107,
};

/**
 * Of machines without room the one that lacks least costs least, and a larger machine more than room on one that is large enough; a key
 * that a machine lacks is a label.
 */
function costOf(obstacle: RejectReason): number {
  if (obstacle.code === "spread" && obstacle.value === null) return COSTS.metadata;
  const cost = COSTS[obstacle.code];
  if (obstacle.code !== "no-room") return cost;
  const { wanted, free, capacity } = obstacle;
  // Less than the 1 between two kinds.
  return cost + (wanted > capacity ? 0.5 : 0) + (0.4 * (wanted - Math.max(0, free))) / wanted;
}

function obstaclesOf(atom: Atom, machine: Machine, number: number, room: MachineRoom): RejectReason[] {
  const closed = closedBecause(machine);
  const lack = noRoom(atom, number, room);
  const lacked = lackedCapability(atom.units, machine);
  return [
    ...(machine.admitted ? [] : [{ code: "not-admitted" } as const]),
    ...pins(atom, machine),
    ...labels(atom, machine),
    ...keys(atom, machine),
    ...(lacked === null ? [] : [lacked]),
    ...(closed === null ? [] : [closed]),
    ...minding(atom, number, room),
    ...(lack === null ? [] : [lack]),
  ];
}

function pins(atom: Atom, machine: Machine): RejectReason[] {
  const wanted = atom.units.map(({ options }) => options.machineId).filter((id) => id !== null);
  const others = wanted.filter((id) => id !== machine.id && id !== machine.name);
  return [...new Set(others)].sort().map((id) => ({ code: "other-machine", wanted: id }));
}

function labels(atom: Atom, machine: Machine): RejectReason[] {
  const missing = atom.units
    .flatMap(({ options }) => options.machineMetadata)
    .filter((selector) => !matchesSelector(selector, machine))
    .map(printSelector);
  return [...new Set(missing)].sort().map((wanted) => ({ code: "metadata", wanted }));
}

function keys(atom: Atom, machine: Machine): RejectReason[] {
  return atom.spreads
    .filter(({ key, hard }) => hard && !Object.hasOwn(machine.metadata, key))
    .map(({ rules, key }) => ({ code: "spread", set: rules.set, key, value: null }));
}
