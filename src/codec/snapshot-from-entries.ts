import type {
  Assignment,
  ClusterIdentity,
  ClusterSnapshot,
  DamagedAssignment,
  KeptSet,
  MachineSet,
  Member,
  PlacedUnit,
  Release,
  SetHeader,
  UnitStatus,
} from "../domain/cluster/cluster-snapshot.ts";
import { compareText, type MachineId, parseMachineId, type UnitName } from "../domain/names.ts";
import { parseUnitName } from "../domain/unit/unit-name.ts";
import type { Entry } from "../ports/registry.ts";
import { readMeans } from "./capabilities-record.ts";
import { readUnitDrift } from "./drift-record.ts";
import { foreignNames } from "./foreign-names.ts";
import { readServiceHealth } from "./health-record.ts";
import { readOwnHolds } from "./hold-record.ts";
import { decodeKept } from "./kept-record.ts";
import { type Decoded, decodeRecord, type Shape } from "./record.ts";
import type { RegistryKeys } from "./registry-keys.ts";
import {
  ASSIGN_SHAPE,
  type AssignRecord,
  CLUSTER_SHAPE,
  MEMBER_SHAPE,
  type MemberRecord,
  PLACEMENT_SHAPE,
  type PlacementRecord,
  PRESENCE_SHAPE,
  type PresenceRecord,
  RELEASE_SHAPE,
  type ReleaseRecord,
  SET_SHAPE,
  type SetRecord,
  STATUS_SHAPE,
  type StatusRecord,
} from "./registry-records.ts";
import { RolloutEntries } from "./rollout-record.ts";

/** A record that could not be used: named, left alone, and the rest works. */
export interface Quarantined {
  readonly key: string;
  readonly problem: string;
}

export interface SnapshotReading {
  readonly snapshot: ClusterSnapshot;
  readonly quarantined: readonly Quarantined[];
  /** A newer fleet writes here: read only. The highest version met, or null. */
  readonly newerVersion: number | null;
}

/** What entries say, for whoever reads the same ones again: most of a reading's time is their JSON. */
export type KnownEntries = WeakMap<Entry, Decoded<unknown> | Made>;

/** What was made of entries there are thousands of. They are read again at every change of any of them. */
type Made =
  | { readonly kind: "assignment"; readonly value: Assignment }
  | { readonly kind: "placed"; readonly machine: MachineId; readonly value: PlacedUnit }
  | { readonly kind: "status"; readonly value: UnitStatus };

/**
 * Reads a cluster's entries, all at one revision, as one value. Keys of other prefixes (specs, plans, engine) are passed over. `known`
 * is filled, and spares what is in it.
 */
export function snapshotFromEntries(
  keys: RegistryKeys,
  entries: Iterable<Entry>,
  revision: number,
  known: KnownEntries | null = null,
): SnapshotReading {
  const reader = new SnapshotReader(keys, known);
  for (const entry of entries) reader.read(entry);
  return reader.finish(revision);
}

/** How many steps a key of each kind has. One more would be read as the record it hangs under. */
const PATH_LENGTHS: Readonly<Record<string, readonly [number, number]>> = {
  cluster: [1, 1],
  release: [1, 1],
  assign: [2, 2],
  placements: [2, 3],
  members: [2, 2],
  presence: [2, 2],
  kept: [2, 2],
  status: [3, 3],
  rollout: [2, 2],
  "rollout-orders": [2, 2],
};

class SnapshotReader {
  readonly #keys: RegistryKeys;
  readonly #known: KnownEntries | null;
  readonly #quarantined: Quarantined[] = [];
  readonly #members = new Map<MachineId, MemberRecord>();
  readonly #presence = new Map<MachineId, Entry>();
  readonly #assignments: Assignment[] = [];
  readonly #damagedAssignments: DamagedAssignment[] = [];
  readonly #headers = new Map<MachineId, { header: SetHeader | null; modRevision: number; at?: string }>();
  readonly #placements = new Map<MachineId, PlacedUnit[]>();
  readonly #statuses: UnitStatus[] = [];
  readonly #kept: KeptSet[] = [];
  readonly #rollouts = new RolloutEntries();
  #identity: ClusterIdentity | null = null;
  #release: Release | null = null;
  #releaseModRevision = 0;
  #newerVersion: number | null = null;

  constructor(keys: RegistryKeys, known: KnownEntries | null) {
    this.#keys = keys;
    this.#known = known;
  }

  read(entry: Entry): void {
    const known = this.#known?.get(entry);
    if (known !== undefined && this.#take(known)) return;
    const path = entry.key.slice(this.#keys.root.length).split("/");
    const [shortest, longest] = PATH_LENGTHS[path[0]!] ?? [1, Number.POSITIVE_INFINITY];
    if (path.length < shortest || path.length > longest) {
      this.#quarantined.push({ key: entry.key, problem: "no key of fleet's" });
      return;
    }
    switch (path[0]) {
      case "cluster":
        this.#with<ClusterIdentity>(entry, CLUSTER_SHAPE, (record) => {
          this.#identity = record;
        });
        return;
      case "release":
        this.#with<ReleaseRecord>(entry, RELEASE_SHAPE, ({ op: _op, ...release }) => {
          this.#release = release;
          this.#releaseModRevision = entry.modRevision;
        });
        return;
      case "assign":
        this.#readAssignment(entry, path[1]);
        return;
      case "placements":
        if (path.length === 2) this.#readHeader(entry, path[1]);
        else this.#readPlacement(entry, path[1], path[2]);
        return;
      case "members":
        this.#withMachine(entry, path[1], (machine) =>
          this.#with<MemberRecord>(entry, MEMBER_SHAPE, (record) => this.#members.set(machine, record)),
        );
        return;
      case "presence":
        this.#withMachine(entry, path[1], (machine) => this.#presence.set(machine, entry));
        return;
      case "kept":
        this.#withMachine(entry, path[1], (machine) => this.#readKept(entry, machine));
        return;
      case "status":
        this.#readStatus(entry, path[1], path[2]);
        return;
      case "rollout":
        this.#refused(entry, this.#rollouts.readRecord(entry, path[1] ?? ""));
        return;
      case "rollout-orders":
        this.#refused(entry, this.#rollouts.readOrder(entry, path[1] ?? ""));
        return;
      default:
    }
  }

  /** False for what has to be made of its entry each time. */
  #take(made: Decoded<unknown> | Made): boolean {
    if (made.kind === "assignment") this.#assignments.push(made.value);
    else if (made.kind === "status") this.#statuses.push(made.value);
    else if (made.kind === "placed") this.#place(made.machine, made.value);
    else return false;
    return true;
  }

  #make(entry: Entry, made: Made): void {
    this.#known?.set(entry, made);
    this.#take(made);
  }

  #place(machine: MachineId, placed: PlacedUnit): void {
    const placements = this.#placements.get(machine);
    if (placements === undefined) this.#placements.set(machine, [placed]);
    else placements.push(placed);
  }

  finish(revision: number): SnapshotReading {
    const rollouts = this.#rollouts.finish();
    const machines = new Set([...this.#headers.keys(), ...this.#placements.keys()]);
    const having = new Set([...machines, ...this.#assignments.map(({ machine }) => machine)]);
    const unrecorded = [...having].filter((id) => !this.#members.has(id) && parseMachineId(id) !== null);
    return {
      snapshot: {
        revision,
        identity: this.#identity,
        release: this.#release,
        releaseModRevision: this.#releaseModRevision,
        members: [
          ...[...this.#members].map(([id, record]) => this.#member(id, record)),
          ...unrecorded.map((id): Member => ({ ...this.#member(id, { ...UNKNOWN, name: id }), unrecorded: true })),
        ].sort((a, b) => compareText(a.id, b.id)),
        assignments: this.#assignments.sort((a, b) => compareText(a.unit, b.unit)),
        damagedAssignments: this.#damagedAssignments.sort((a, b) => compareText(a.unit, b.unit)),
        sets: [...machines].sort().map((machine) => this.#set(machine)),
        ...(rollouts === null ? {} : { rollouts }),
        ...(this.#kept.length === 0 ? {} : { kept: this.#kept.sort((a, b) => compareText(a.machine, b.machine)) }),
        statuses: this.#statuses.sort((a, b) => compareText(a.unit, b.unit) || compareText(a.machine, b.machine)),
      },
      quarantined: this.#quarantined,
      newerVersion: this.#newerVersion,
    };
  }

  #member(id: MachineId, record: MemberRecord): Member {
    const presence = this.#presence.get(id);
    const presenceRevision = presence?.createRevision ?? 0;
    const heardWithinMs = presence === undefined ? null : heardWithin(presence.value);
    const { foreign: named, holds: held, capacity: told, capabilities: can, cluster, ...rest } = record;
    const foreign = foreignNames(named);
    const holds = readOwnHolds(held, id);
    return {
      ...rest,
      ...(foreign.length === 0 ? {} : { foreign }),
      ...(holds.length === 0 ? {} : { holds }),
      ...(typeof cluster === "string" ? { cluster } : {}),
      ...readMeans(told, can),
      id,
      present: presenceRevision > 0,
      presenceRevision,
      ...(heardWithinMs === null ? {} : { heardWithinMs }),
    };
  }

  #set(machine: MachineId): MachineSet {
    const header = this.#headers.get(machine);
    const placements = this.#placements.get(machine) ?? [];
    return {
      machine,
      header: header?.header ?? null,
      headerModRevision: header?.modRevision ?? 0,
      ...(header?.at === undefined ? {} : { headerAt: header.at }),
      placements: placements.sort((a, b) => compareText(a.unit, b.unit)),
    };
  }

  #readAssignment(entry: Entry, unitText: string | undefined): void {
    this.#withUnit(entry, unitText, (unit) =>
      this.#with<AssignRecord>(
        entry,
        ASSIGN_SHAPE,
        (record) =>
          this.#make(entry, { kind: "assignment", value: { ...record, unit, modRevision: entry.modRevision } }),
        () => this.#damagedAssignments.push({ unit, modRevision: entry.modRevision }),
      ),
    );
  }

  #readHeader(entry: Entry, machineText: string | undefined): void {
    this.#withMachine(entry, machineText, (machine) =>
      this.#with<SetRecord>(
        entry,
        SET_SHAPE,
        ({ epoch, generation, count, digest, at }) =>
          this.#headers.set(machine, {
            header: { epoch, generation, count, digest },
            modRevision: entry.modRevision,
            ...(typeof at === "string" ? { at } : {}),
          }),
        () => this.#headers.set(machine, { header: null, modRevision: entry.modRevision }),
      ),
    );
  }

  #readPlacement(entry: Entry, machineText: string | undefined, unitText: string | undefined): void {
    this.#withMachine(entry, machineText, (machine) =>
      this.#withUnit(entry, unitText, (unit) =>
        this.#with<PlacementRecord>(entry, PLACEMENT_SHAPE, ({ hash, goal }) =>
          this.#make(entry, { kind: "placed", machine, value: { unit, hash, goal } }),
        ),
      ),
    );
  }

  #readKept(entry: Entry, machine: MachineId): void {
    const kept = decodeKept(machine, entry.value);
    if (kept === null) this.#quarantined.push({ key: entry.key, problem: "not what an agent tells" });
    else this.#kept.push(kept);
  }

  #readStatus(entry: Entry, machineText: string | undefined, unitText: string | undefined): void {
    this.#withMachine(entry, machineText, (machine) =>
      this.#withUnit(entry, unitText, (unit) =>
        this.#with<StatusRecord>(entry, STATUS_SHAPE, ({ drift: told, health: asked, ...record }) => {
          const [drift, health] = [readUnitDrift(told), readServiceHealth(asked)];
          const more = { ...(drift === null ? {} : { drift }), ...(health === null ? {} : { health }) };
          this.#make(entry, { kind: "status", value: { ...record, ...more, unit, machine } });
        }),
      ),
    );
  }

  #with<T>(entry: Entry, shape: Shape, use: (record: T) => void, damaged: () => void = () => {}): void {
    const decoded = this.#decode<T>(entry, shape);
    if (decoded.kind === "record") use(decoded.record);
    else this.#refused(entry, decoded);
    if (decoded.kind === "garbage") damaged();
  }

  #refused({ key }: Entry, because: Exclude<Decoded<unknown>, { kind: "record" }> | null): void {
    if (because?.kind === "garbage") this.#quarantined.push({ key, problem: because.problem });
    if (because?.kind === "newer") this.#newerVersion = Math.max(this.#newerVersion ?? 0, because.version);
  }

  /** The key says which shape an entry has, so it never has two. */
  #decode<T>(entry: Entry, shape: Shape): Decoded<T> {
    const known = this.#known?.get(entry);
    if (known !== undefined) return known as Decoded<T>;
    const decoded = decodeRecord<T>(entry.value, shape);
    this.#known?.set(entry, decoded);
    return decoded;
  }

  #withMachine(entry: Entry, text: string | undefined, use: (machine: MachineId) => void): void {
    const machine = parseMachineId(text ?? "");
    if (machine === null) this.#quarantined.push({ key: entry.key, problem: "no machine id in the key" });
    else use(machine);
  }

  #withUnit(entry: Entry, text: string | undefined, use: (unit: UnitName) => void): void {
    const unit = parseUnitName(text ?? "");
    if (unit === null) this.#quarantined.push({ key: entry.key, problem: "no unit name in the key" });
    else use(unit);
  }
}

/** What is known of a machine without its record. */
const UNKNOWN: Omit<MemberRecord, "name"> = {
  ...{ address: "", metadata: {}, bootId: "", version: "", joined: "", acceptedSeq: 0 },
};

/** That it is there is what counts; a record nobody can read only says less of it. */
function heardWithin(presence: string): number | null {
  const decoded = decodeRecord<PresenceRecord>(presence, PRESENCE_SHAPE);
  const ttlMs = decoded.kind === "record" ? decoded.record.ttlMs : undefined;
  return typeof ttlMs === "number" && ttlMs > 0 ? ttlMs : null;
}
