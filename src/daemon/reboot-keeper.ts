import { decodeGrants, decodeLocks, encodeGrant } from "../codec/lock-records.ts";
import type { RegistryKeys } from "../codec/registry-keys.ts";
import type { ClusterSnapshot } from "../domain/cluster/cluster-snapshot.ts";
import type { Machine } from "../domain/cluster/machine.ts";
import {
  DEFAULT_REBOOTS,
  judgeReboots,
  leavingMachines,
  type RebootInput,
  type RebootJudgement,
} from "../domain/locks/judge-reboots.ts";
import { type Grant, type Lock, REBOOT_LOCK, type Slot } from "../domain/locks/lock.ts";
import type { RebootState } from "../domain/locks/reboot.ts";
import { type MachineId, parseMachineId } from "../domain/names.ts";
import { isOpen } from "../domain/rollout/window.ts";
import type { ClusterSpec, RebootPolicy } from "../domain/spec/cluster-spec.ts";
import type { Clock, RandomId } from "../ports/clock.ts";
import { info, type Log } from "../ports/log.ts";
import type { Compare, Registry } from "../ports/registry.ts";
import { LapseWatch } from "../usecases/lapse-watch.ts";
import { writeLock } from "../usecases/write-lock.ts";
import { RegistryMirror } from "./registry-mirror.ts";

export interface RebootKeeperPorts {
  readonly registry: Registry;
  readonly clock: Clock;
  readonly newId: RandomId;
  readonly log: Log;
}

/** What a pass knows of the cluster. */
export interface RebootView extends Pick<RebootInput, "replicas" | "changing" | "isSaidSince"> {
  readonly snapshot: ClusterSnapshot;
}

const NO_LOCK: Lock = { name: REBOOT_LOCK, revision: 0, slots: null, held: [], waiting: [] };

/**
 * Which machines may restart, as one leader has it; and, because it looks all the time, the end of slots of any lock whose holders are
 * gone. Every write compares that it leads, and what it decided by.
 */
export class RebootKeeper {
  readonly #keys: RegistryKeys;
  readonly #leads: Compare;
  readonly #ports: RebootKeeperPorts;
  readonly #locks: RegistryMirror;
  readonly #grants: RegistryMirror;
  readonly #lapses: LapseWatch;
  /** Never decide on a view older than our own last write. */
  #written = { locks: 0, grants: 0 };
  #seen = { changes: -1, locks: [] as readonly Lock[], grants: [] as readonly Grant[] };
  #policy: RebootPolicy = DEFAULT_REBOOTS;
  #isOpen = true;
  #leaving: ReadonlySet<MachineId> = new Set();
  /** Since when each is as it must be for a while, by the monotonic clock. */
  #holding: ReadonlyMap<string, number> = new Map();
  #waitsForTime = false;

  constructor(keys: RegistryKeys, leads: Compare, ports: RebootKeeperPorts, wake: () => void, signal: AbortSignal) {
    this.#keys = keys;
    this.#leads = leads;
    this.#ports = ports;
    this.#lapses = new LapseWatch(ports.clock);
    this.#locks = new RegistryMirror(ports.registry, [keys.locks], ports.clock, wake);
    this.#grants = new RegistryMirror(ports.registry, [keys.grants], ports.clock, wake);
    void this.#locks.run(signal);
    void this.#grants.run(signal);
  }

  /** At every pass. False: it does not know enough yet, or has written something, and the pass is over. */
  async look(spec: ClusterSpec): Promise<boolean> {
    if (!this.#locks.complete || !this.#grants.complete) return false;
    if (this.#locks.revision < this.#written.locks || this.#grants.revision < this.#written.grants) return false;
    const changes = this.#locks.changes + this.#grants.changes;
    if (changes !== this.#seen.changes) {
      const locks = decodeLocks(this.#keys, this.#locks.entries());
      this.#seen = { changes, locks, grants: decodeGrants(this.#keys, this.#grants.entries()) };
    }
    this.#policy = spec.reboots ?? DEFAULT_REBOOTS;
    const { window } = this.#policy;
    this.#isOpen = window === null || isOpen(window, this.#ports.clock.wallMs());
    this.#leaving = leavingMachines(this.#lock.held, this.#seen.grants);
    for (const lock of this.#seen.locks) if (!(await this.#endLapsed(lock))) return false;
    return this.#tellSlots();
  }

  /** Somebody has a slot, or had one: how units are decides what becomes of it. */
  get isActive(): boolean {
    return this.#lock.held.length + this.#seen.grants.length > 0;
  }

  /** As long as this is the same, so is what it decides by. */
  get moment(): string {
    return `${this.#seen.changes} ${this.#isOpen}`;
  }

  get waitsForTime(): boolean {
    return this.#waitsForTime;
  }

  readonly isLeaving = (machine: MachineId): boolean => this.#leaving.has(machine);

  /** Nothing new comes to one that leaves; where the commit says so, what may move goes before. */
  machines(machines: readonly Machine[]): readonly Machine[] {
    if (!this.isActive) return machines;
    const wants = new Set(this.#lock.held.map(({ holder }) => holder));
    const drains = ({ id }: Machine) => this.#policy.drain && wants.has(id) && (this.#isOpen || this.#leaving.has(id));
    return machines.map((machine) =>
      drains(machine)
        ? { ...machine, drain: true }
        : this.#leaving.has(machine.id)
          ? { ...machine, cordon: true }
          : machine,
    );
  }

  /** Grants and ends what is due. Null: something was written, or could not be, and the pass is over. */
  async judge({ snapshot, ...view }: RebootView): Promise<readonly RebootState[] | null> {
    this.#waitsForTime = false;
    if (!this.isActive) return [];
    const slots = this.#lock.held.flatMap((slot) => {
      const machine = parseMachineId(slot.holder);
      return machine === null ? [] : [{ ...slot, machine }];
    });
    const judgement = judgeReboots({
      ...view,
      policy: this.#policy,
      isWindowOpen: this.#isOpen,
      ...{ slots, grants: this.#seen.grants },
      boots: new Map(snapshot.members.flatMap(({ id, present, bootId }) => (present ? [[id, bootId]] : []))),
      members: new Set(snapshot.members.map(({ id }) => id)),
      isSteady: (machine, what) => this.#isSteady(machine, what, view.replicas),
    });
    this.#keepHolding(judgement);
    return (await this.#carryOut(judgement)) ? judgement.states : null;
  }

  get #lock(): Lock {
    return this.#seen.locks.find(({ name }) => name === REBOOT_LOCK) ?? NO_LOCK;
  }

  #isSteady(machine: MachineId, what: string, { spec, before }: RebootView["replicas"]): boolean {
    const sinceMs = this.#holding.get(`${what} ${machine}`);
    if (sinceMs === undefined) return false;
    const times = spec.units.flatMap(({ name, goal, rollout }) =>
      goal === "launched" && before.get(name)?.some((side) => side.machine === machine) === true
        ? [rollout.minHealthyTimeMs]
        : [],
    );
    return this.#ports.clock.monotonicMs() - sinceMs >= Math.max(0, ...times);
  }

  #keepHolding({ holding, states }: RebootJudgement): void {
    const nowMs = this.#ports.clock.monotonicMs();
    const keys = holding.map(({ machine, what }) => `${what} ${machine}`);
    this.#holding = new Map(keys.map((key) => [key, this.#holding.get(key) ?? nowMs]));
    const counted = states.filter(({ wait }) => wait.code !== "granted" && wait.code !== "going");
    this.#waitsForTime = holding.some(({ machine }) => counted.some((state) => state.machine === machine));
  }

  /** Whether there was nothing to do. */
  async #carryOut({ granted, over }: RebootJudgement): Promise<boolean> {
    const { grants } = this.#seen;
    const { held } = this.#lock;
    const isNew = (one: { machine: MachineId; slot: string }) =>
      !grants.some(({ machine, slot }) => machine === one.machine && slot === one.slot);
    const missing = granted.filter(isNew);
    const stale = grants.filter(
      (grant) =>
        !granted.some(({ machine, slot }) => machine === grant.machine && slot === grant.slot) &&
        !over.some(({ machine }) => machine === grant.machine),
    );
    for (const grant of stale)
      await this.#withdraw(
        grant,
        held.find(({ holder }) => holder === grant.machine),
      );
    for (const { machine, because } of over) {
      const slot = held.find(({ holder }) => holder === machine)!;
      await this.#endSlots(this.#lock, [slot], because);
      // The next one's would compare the header as it was.
      return false;
    }
    for (const { machine, down } of missing) {
      const slot = held.find(({ holder }) => holder === machine)!;
      await this.#grant({ machine, slot: slot.id, at: new Date(this.#ports.clock.wallMs()).toISOString(), down }, slot);
    }
    return missing.length + stale.length === 0;
  }

  async #grant(grant: Omit<Grant, "modRevision">, { modRevision }: Slot): Promise<void> {
    const { machine } = grant;
    const before = this.#seen.grants.find((other) => other.machine === machine)?.modRevision ?? 0;
    const key = this.#keys.grant(machine);
    const { succeeded, revision } = await this.#ports.registry.txn({
      when: [
        this.#leads,
        { key: this.#keys.lock(REBOOT_LOCK, machine), target: "mod", is: "=", value: modRevision },
        { key, target: "mod", is: "=", value: before },
      ],
      then: [{ kind: "put", key, value: encodeGrant(grant) }],
    });
    if (!succeeded) return;
    this.#written = { ...this.#written, grants: revision };
    this.#ports.log(info(`machine ${machine} may restart`));
  }

  /** Of a slot that is there it is compared: a machine that has gone on meanwhile keeps its grant. */
  async #withdraw({ machine, slot: id, modRevision }: Grant, slot: Slot | undefined): Promise<void> {
    const key = this.#keys.grant(machine);
    const slotKey = this.#keys.lock(REBOOT_LOCK, machine);
    const { succeeded, revision } = await this.#ports.registry.txn({
      when: [
        this.#leads,
        { key, target: "mod", is: "=", value: modRevision },
        ...(slot?.id === id ? [{ key: slotKey, target: "mod", is: "=", value: slot.modRevision } as const] : []),
      ],
      then: [{ kind: "delete", key }],
    });
    if (!succeeded) return;
    this.#written = { ...this.#written, grants: revision };
    this.#ports.log(info(`machine ${machine} may not restart any more`));
  }

  async #endLapsed(lock: Lock): Promise<boolean> {
    this.#lapses.look(lock.name, lock.held, lock.waiting);
    const lapsed = lock.held.filter((slot) => this.#lapses.isLapsed(lock.name, slot));
    const gone = lock.waiting.filter((waiter) => this.#lapses.isGone(lock.name, waiter));
    if (lapsed.length + gone.length === 0) return true;
    const waiting = lock.waiting.filter((waiter) => !gone.includes(waiter));
    await this.#endSlots({ ...lock, waiting }, lapsed, "deadline");
    return false;
  }

  async #endSlots(lock: Lock, slots: readonly Slot[], because: string): Promise<void> {
    const { registry, newId, log } = this.#ports;
    const slotKey = ({ holder }: Slot) => this.#keys.lock(lock.name, holder);
    const isOver = ({ machine }: Grant) => lock.name === REBOOT_LOCK && slots.some(({ holder }) => holder === machine);
    const grants = this.#seen.grants.filter(isOver);
    const result = await writeLock(registry, this.#keys, {
      ...{ lock, waiting: lock.waiting, op: newId() },
      when: [
        this.#leads,
        ...slots.map((slot): Compare => ({ key: slotKey(slot), target: "mod", is: "=", value: slot.modRevision })),
      ],
      then: [...slots.map(slotKey), ...grants.map(({ machine }) => this.#keys.grant(machine))].map((key) => ({
        kind: "delete",
        key,
      })),
    });
    if (result.kind !== "written") return;
    const { revision } = result;
    this.#written = { locks: revision, grants: grants.length > 0 ? revision : this.#written.grants };
    for (const { holder } of slots) log(info(`the slot of ${holder} of lock ${lock.name} ends: ${because}`));
  }

  /** Machines read no commit to restart: how many may at once, they read here. */
  async #tellSlots(): Promise<boolean> {
    const lock = this.#lock;
    if ((lock.slots ?? DEFAULT_REBOOTS.slots) === this.#policy.slots) return true;
    const { registry, newId } = this.#ports;
    const { waiting } = lock;
    const { slots } = this.#policy;
    const write = { lock, waiting, slots, when: [this.#leads], op: newId() };
    const result = await writeLock(registry, this.#keys, write);
    if (result.kind === "written") this.#written = { ...this.#written, locks: result.revision };
    return false;
  }
}
