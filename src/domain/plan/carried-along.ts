import { compareText, type MachineId, type UnitName } from "../names.ts";
import type { Placement } from "../placement/placement.ts";
import type { ClusterSpec, SpecUnit } from "../spec/cluster-spec.ts";
import { effectiveUnit } from "../unit/effective-unit.ts";
import { parseUnitFile } from "../unit/parse-unit-file.ts";
import { socketUsers } from "../unit/socket-users.ts";
import { type StopPropagation, stopPropagation } from "../unit/stop-propagation.ts";
import type { Change, Side } from "./plan.ts";

/** A unit nothing of which changes, and that goes down nevertheless, because systemd stops it with one that does. */
export interface CarriedUnit {
  readonly unit: UnitName;
  readonly side: Side;
  /** The changing unit it goes down with, directly or through others. */
  readonly with: UnitName;
  /** Not where it needs a unit that the commit removes: systemd finds none of that name when it is to start. */
  readonly comesBack: boolean;
}

/**
 * What changes take along on their machines: `Requires=`, `BindsTo=`, `PartOf=` and the like. Only units that run before and after: what
 * stops or starts by itself is a change. Sorted by unit, then machine.
 */
export function carriedAlong(
  changes: readonly Pick<Change, "unit" | "effect" | "from" | "to">[],
  placements: readonly Placement[],
  spec: ClusterSpec,
): CarriedUnit[] {
  const stopped = stoppedByMachine(changes);
  const propagation = new Propagation(spec);
  const opening = changes.filter(
    ({ unit, effect, to }) => to?.goal === "launched" && unit.endsWith(".socket") && OPENS.has(effect),
  );
  const users = opening.flatMap(({ unit, to }) => socketUsersOn(unit, to!.machine, changes, placements, propagation));
  if (stopped.size === 0) return users;
  const taken = new Set(users.map(({ unit, side }) => `${unit}/${side.machine}`));
  const moving = new Set(changes.filter(({ effect }) => DISRUPTIVE.has(effect) || effect === "start").map(keyOfChange));
  const residents = new Map<MachineId, Placement[]>();
  for (const placement of placements) {
    const isResident = placement.goal === "launched" && !moving.has(`${placement.unit}/${placement.machine}`);
    if (taken.has(`${placement.unit}/${placement.machine}`)) continue;
    if (!isResident || !stopped.has(placement.machine)) continue;
    const others = residents.get(placement.machine);
    if (others === undefined) residents.set(placement.machine, [placement]);
    else others.push(placement);
  }
  return [
    ...users,
    ...[...residents].flatMap(([machine, here]) => carriedOn(stopped.get(machine)!, here, propagation)),
  ].sort((a, b) => compareText(a.unit, b.unit) || compareText(a.side.machine, b.side.machine));
}

const DISRUPTIVE: ReadonlySet<Change["effect"]> = new Set(["stop", "move", "restart"]);

const OPENS: ReadonlySet<Change["effect"]> = new Set(["restart", "start"]);

/** systemd opens a socket only while its service is down: the agent stops that first, also where it is up by the socket's doing. */
function socketUsersOn(
  socket: UnitName,
  machine: MachineId,
  changes: Parameters<typeof carriedAlong>[0],
  placements: readonly Placement[],
  propagation: Propagation,
): CarriedUnit[] {
  const { users } = propagation.of(socket);
  if (users.length === 0) return [];
  const busy = changes.filter(({ from, effect }) => from === null || DISRUPTIVE.has(effect)).map(({ unit }) => unit);
  return placements
    .filter(
      (placement) => placement.machine === machine && users.includes(placement.unit) && !busy.includes(placement.unit),
    )
    .map(({ unit, hash, goal }) => ({ unit, side: { machine, hash, goal }, with: socket, comesBack: true }));
}

function stoppedByMachine(changes: Parameters<typeof carriedAlong>[0]): Map<MachineId, UnitName[]> {
  const stopped = new Map<MachineId, UnitName[]>();
  for (const { unit, effect, from } of changes) {
    if (from === null || !DISRUPTIVE.has(effect)) continue;
    const others = stopped.get(from.machine);
    if (others === undefined) stopped.set(from.machine, [unit]);
    else others.push(unit);
  }
  return stopped;
}

function keyOfChange({ unit, from, to }: Pick<Change, "unit" | "from" | "to">): string {
  return `${unit}/${(to ?? from)!.machine}`;
}

/** From each unit that stops, in order of names, to whoever goes down with it; who is found is followed on. */
function carriedOn(
  stopped: readonly UnitName[],
  residents: readonly Placement[],
  propagation: Propagation,
): CarriedUnit[] {
  const waiting = new Map(residents.map((placement) => [placement.unit, placement]));
  const followers = new Map<UnitName, UnitName[]>();
  for (const { unit } of residents) {
    for (const leader of propagation.of(unit).from) followers.set(leader, [...(followers.get(leader) ?? []), unit]);
  }
  const found: CarriedUnit[] = [];
  const lost = new Set(stopped.filter((unit) => !propagation.knows(unit)));
  for (const origin of [...stopped].sort()) {
    const open = [origin];
    for (let leader = open.pop(); leader !== undefined; leader = open.pop()) {
      for (const name of [...(followers.get(leader) ?? []), ...propagation.of(leader).to]) {
        const placement = waiting.get(name);
        if (placement === undefined) continue;
        const { machine, hash, goal } = placement;
        waiting.delete(name);
        const comesBack = !(lost.has(leader) && propagation.of(name).needs.includes(leader));
        if (!comesBack) lost.add(name);
        found.push({ unit: name, side: { machine, hash, goal }, with: origin, comesBack });
        open.push(name);
      }
    }
  }
  return found;
}

/** And who must be down before it opens, for a socket. */
type Ties = StopPropagation & { readonly users: readonly UnitName[] };

const NONE: Ties = { from: [], needs: [], to: [], users: [] };

/** Each unit is read once, and only on machines where something stops. Names of a quadlet's service mean the quadlet. */
class Propagation {
  readonly #units: ReadonlyMap<UnitName, SpecUnit>;
  readonly #known = new Map<UnitName, Ties>();

  constructor(spec: ClusterSpec) {
    this.#units = new Map([
      ...spec.units.map((unit) => [unit.service, unit] as const),
      ...spec.units.map((unit) => [unit.name, unit] as const),
    ]);
  }

  knows(name: UnitName): boolean {
    return this.#units.has(name);
  }

  /** Of a unit the commit does not have any more nothing is known but who names it. */
  of(name: UnitName): Ties {
    const unit = this.#units.get(name);
    if (unit === undefined) return NONE;
    const before = this.#known.get(name);
    if (before !== undefined) return before;
    const read = ({ path, text }: { readonly path: string; readonly text: string }) => parseUnitFile(path, text).file;
    const text = effectiveUnit(read(unit.fragment), unit.dropins.map(read));
    const { from, needs, to } = stopPropagation(name, text);
    const meant = (names: readonly UnitName[]) => names.map((named) => this.#units.get(named)?.name ?? named);
    const value = { from: meant(from), needs: meant(needs), to: meant(to), users: meant(socketUsers(name, text)) };
    this.#known.set(name, value);
    return value;
  }
}
