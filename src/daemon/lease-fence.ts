import { decodeRecord } from "../codec/record.ts";
import type { RegistryKeys } from "../codec/registry-keys.ts";
import { SET_SHAPE, type SetRecord } from "../codec/registry-records.ts";
import type { StatusProblem } from "../domain/cluster/cluster-snapshot.ts";
import { fenceToken } from "../domain/cluster/fence-token.ts";
import type { AcceptedSet } from "../domain/cluster/judge-set.ts";
import type { MachineId, Sha256, UnitName } from "../domain/names.ts";
import {
  type AtMostOnce,
  atMostOnce,
  heldBackWith,
  type SingleUnit,
  tooShortFor,
} from "../domain/tasks/at-most-once.ts";
import type { WantedUnit } from "../domain/tasks/task.ts";
import type { Clock } from "../ports/clock.ts";
import type { LeaseHolder } from "../ports/lease-holder.ts";
import { type Log, refusal } from "../ports/log.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { LeaseId, Registry } from "../ports/registry.ts";
import type { UnitManager } from "../ports/unit-manager.ts";
import type { AgentFiles } from "../usecases/agent-files.ts";
import { findWantedUnits } from "../usecases/find-wanted-units.ts";
import { forgetLapsed } from "../usecases/forget-lapsed.ts";
import type { UnitJobs } from "../usecases/unit-jobs.ts";
import type { LeaseKeeper } from "./lease-keeper.ts";
import type { RegistryMirror } from "./registry-mirror.ts";

interface FencePorts {
  readonly registry: Registry;
  readonly clock: Clock;
  readonly holder: LeaseHolder;
  readonly manager: UnitManager;
  readonly files: AgentFiles;
  readonly wake: () => void;
  readonly log: Log;
}

/** An acknowledged renewal: of which lease, when it was sent, and how long that lease lasts from then on. */
interface Renewal {
  readonly lease: LeaseId;
  readonly sentMs: number;
  readonly ttlMs: number;
}

/** What may not run on this machine now. */
export interface HeldBack {
  /** Left alone in this pass, whatever state they are in: systemd stops what must stop. */
  readonly units: ReadonlySet<UnitName>;
  /** Why, for those that are not merely dragged along. */
  readonly problems: ReadonlyMap<UnitName, StatusProblem>;
}

/**
 * Lets units that run at most once run, and no longer than they may: hands each acknowledged renewal of the presence lease over to those
 * who stop them (`LeaseHolder`), and starts them only while the last of these is fresh.
 *
 * A lease alone says nothing of who owns what: while it was gone, units may have been given away. So renewals count only from when
 * our presence is known to hang on the lease, and our set was found to be the registry's after that: who takes a unit from us compares
 * our presence in the same transaction.
 */
export class LeaseFence {
  readonly #machine: MachineId;
  readonly #keys: RegistryKeys;
  readonly #keeper: LeaseKeeper;
  readonly #mirror: RegistryMirror;
  readonly #ports: FencePorts;
  #single: AtMostOnce = { units: [], leaseMs: 0, stoppable: [] };
  #tooShort: ReadonlySet<UnitName> = new Set();
  #policyMs: number | null = null;
  #basis = "";
  /** The lease and the incarnation of our presence for which the set was found to be the registry's. */
  #confirmed: string | null = null;
  #sent: Renewal | null = null;
  /** The last renewal that was handed over. */
  #handed: Renewal | null = null;
  readonly #tokens = new Map<UnitName, string>();
  #trouble: string | null = null;
  #leases: ReadonlySet<UnitName> = new Set();
  /** Lease units that nothing is bound to any more. */
  #unused: UnitName[] = [];
  #back: { readonly key: string; readonly units: ReadonlySet<UnitName> } = { key: "", units: new Set() };

  constructor(machine: MachineId, keys: RegistryKeys, keeper: LeaseKeeper, mirror: RegistryMirror, ports: FencePorts) {
    this.#machine = machine;
    this.#keys = keys;
    this.#keeper = keeper;
    this.#mirror = mirror;
    this.#ports = ports;
    keeper.onRenewed = (lease, sentMs, ttlMs) => {
      this.#sent = { lease, sentMs, ttlMs };
      const wasFresh = this.#single.units.every((unit) => this.#isFresh(unit));
      void this.#handOver().then(() => wasFresh || this.#ports.wake());
    };
  }

  /** The revision at which a unit was placed here, as far as the registry was heard. */
  placedAt(unit: UnitName): number | null {
    return this.#mirror.get(this.#keys.placement(this.#machine, unit))?.modRevision ?? null;
  }

  /** In every pass, with the set the pass is about: what of it is to be left alone. */
  async judge(wanted: readonly WantedUnit[], set: AcceptedSet | null, jobs: UnitJobs): Promise<HeldBack> {
    await this.#endUnused();
    this.#learn(wanted);
    const { units } = this.#single;
    if (units.length === 0 || set === null) return NOTHING;
    await this.#orLog(() => this.#confirm(set));
    await this.#handOver();
    await forgetLapsed(units, { ...this.#ports, jobs });
    await this.#endOutliving(jobs);
    const tooShort = this.#tooShort;
    // What is only loaded is stopped like any other, and started by nobody here.
    const placed = new Set(set.placements.map(({ unit }) => unit));
    const launched = new Set(wanted.filter(({ goal }) => goal === "launched").map(({ name }) => name));
    const back: UnitName[] = [];
    for (const unit of units) {
      // An agent that has gone back to an earlier set may have given it away by the one that was confirmed.
      const mayRun = placed.has(unit.name) && !tooShort.has(unit.name) && this.#isFresh(unit);
      const isReady = mayRun && (await this.#writeToken(unit, set.epoch));
      if (!isReady && launched.has(unit.name)) back.push(unit.name);
    }
    return {
      units: this.#withOthers(back, wanted),
      problems: new Map(back.map((name) => [name, problemOf(tooShort.has(name), this.#keeper.ttlMs)])),
    };
  }

  /**
   * How long our lease is to last, but for units of our set that need more: those were promised more when they started, whatever a newer
   * manifest says, or whoever says nothing yet. Null: it lasts as long as it does.
   */
  lastFor(policyMs: number | null): void {
    this.#policyMs = policyMs;
    if (policyMs !== null) this.#keeper.lastFor(Math.max(policyMs, this.#single.leaseMs));
    this.#tooShort = tooShortFor(this.#single, this.#keeper.ttlMs);
  }

  /** Before the first lease is taken: it must be long enough for what ran under an agent before this one. */
  async recall(set: AcceptedSet | null, self: { machine: MachineId; name: string }, sha256: Sha256): Promise<void> {
    this.#learn((await findWantedUnits(set?.placements ?? [], self, null, this.#ports.files, sha256)).wanted);
  }

  #learn(wanted: readonly WantedUnit[]): void {
    const basis = wanted.map(({ name, hash }) => `${name} ${hash}`).join("\n");
    if (basis === this.#basis) return;
    this.#basis = basis;
    this.#single = atMostOnce(wanted);
    this.lastFor(this.#policyMs);
    const { units } = this.#single;
    const leases = new Set(units.map(({ lease }) => lease));
    this.#unused = [...this.#leases].filter((lease) => !leases.has(lease));
    this.#leases = leases;
    this.#keeper.mustShowWithin(units.length === 0 ? null : Math.min(...units.map(({ stopAfterMs }) => stopAfterMs)));
  }

  /** In the pass after the one that stopped what was bound to them. */
  async #endUnused(): Promise<void> {
    const unused = this.#unused.splice(0);
    for (const lease of unused) await this.#orLog(async () => void (await this.#ports.manager.stop(lease)));
  }

  /** Where our lease is too short for one it may be started elsewhere before it ends here: rather it does not run. */
  async #endOutliving(jobs: UnitJobs): Promise<void> {
    const units = this.#single.units.filter(({ name }) => this.#tooShort.has(name) && !jobs.isBusy(name));
    if (units.length === 0) return;
    const seen = await this.#ports.manager.list(units.map(({ service }) => service));
    const up = new Set(seen.filter(({ active }) => active === "active").map(({ name }) => name));
    for (const { name, service } of units.filter((unit) => up.has(unit.service))) {
      void this.#orLog(async () => void (await jobs.stop(name, service)));
    }
  }

  /** Reads all texts, so it is asked only where the answer may be another one. */
  #withOthers(back: readonly UnitName[], wanted: readonly WantedUnit[]): ReadonlySet<UnitName> {
    const key = `${back.join(" ")}\n${this.#basis}`;
    if (this.#back.key !== key) this.#back = { key, units: new Set(heldBackWith(back, wanted)) };
    return this.#back.units;
  }

  #isFresh({ stopAfterMs }: SingleUnit): boolean {
    const handed = this.#handed;
    // One of a lease that was to last shorter is no promise for those that need the longer one.
    if (handed === null || handed.ttlMs < this.#keeper.ttlMs) return false;
    return this.#ports.clock.monotonicMs() < handed.sentMs + stopAfterMs;
  }

  /** Null where our presence does not hang on the lease, as far as is known here. */
  #incarnation(): string | null {
    const lease = this.#keeper.lease;
    const presence = this.#mirror.get(this.#keys.presence(this.#machine));
    return lease === null || presence?.lease !== lease ? null : `${lease} ${presence.createRevision}`;
  }

  async #confirm(set: AcceptedSet): Promise<void> {
    const incarnation = this.#incarnation();
    if (incarnation === null || incarnation === this.#confirmed) return;
    const key = this.#keys.set(this.#machine);
    // Asked for, because watches of two keys tell in no order: the mirror may know of our presence and not yet what went before.
    const { entries } = await this.#ports.registry.list(key, { exact: true });
    const header = entries[0] === undefined ? null : decodeRecord<SetRecord>(entries[0].value, SET_SHAPE);
    if (header?.kind !== "record") return;
    const { epoch, generation } = header.record;
    if (epoch === set.epoch && generation === set.generation) this.#confirmed = incarnation;
  }

  async #handOver(): Promise<void> {
    const sent = this.#sent;
    if (this.#single.units.length === 0 || sent === null || sent === this.#handed) return;
    if (this.#confirmed === null || this.#confirmed !== this.#incarnation() || sent.lease !== this.#keeper.lease)
      return;
    await this.#orLog(async () => {
      await this.#ports.holder.renewed(sent.sentMs);
      this.#handed = sent;
    });
  }

  /** False where it is not known yet: without it the unit does not start. */
  async #writeToken({ name, service }: SingleUnit, epoch: number): Promise<boolean> {
    const revision = this.placedAt(name);
    if (revision === null) return false;
    const token = fenceToken(epoch, revision);
    if (this.#tokens.get(name) !== token) await this.#ports.files.writeFenceToken(service, token);
    this.#tokens.set(name, token);
    return true;
  }

  /** What the world refuses is tried again with the next renewal or pass; said once. */
  async #orLog(act: () => Promise<void>): Promise<void> {
    try {
      await act();
      this.#trouble = null;
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      if (this.#trouble !== error.message) this.#ports.log(refusal(error));
      this.#trouble = error.message;
    }
  }
}

const NOTHING: HeldBack = { units: new Set(), problems: new Map() };

function problemOf(isTooShort: boolean, ttlMs: number): StatusProblem {
  const detail = isTooShort
    ? `this machine's lease of ${ttlMs / 1_000} s is too short for the time it takes to stop`
    : "runs at most once, and waits until this machine's lease is known to be current";
  return { code: isTooShort ? "lease-too-short" : "no-lease", detail, journal: [] };
}
