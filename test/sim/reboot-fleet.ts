/** Simulated machines with a reboot guard each, and what must hold while they restart. */
import { FaultyRegistry, NO_FAULTS } from "../../src/adapters/memory/faulty-registry.ts";
import { MemoryFileStore } from "../../src/adapters/memory/memory-file-store.ts";
import { decodeGrants, decodeLock } from "../../src/codec/lock-records.ts";
import { RebootGuard } from "../../src/daemon/reboot-guard.ts";
import { leavingMachines } from "../../src/domain/locks/judge-reboots.ts";
import { REBOOT_LOCK } from "../../src/domain/locks/lock.ts";
import type { UnitName } from "../../src/domain/names.ts";
import { OperationError } from "../../src/ports/operation-error.ts";
import { Random } from "../../src/sim/random.ts";
import { SimCluster } from "../../src/sim/sim-cluster.ts";
import type { Defects, SimMachine } from "../../src/sim/sim-machine.ts";

export const LOOK_MS = 250;
const MACHINES = 5;
const ENGINES = 2;
/** How long a machine takes to stop, and is off. */
const STOP_MS = [1_000, 12_000] as const;
const OFF_MS = [3_000, 25_000] as const;
/** Long enough for a restart to be seen beside a machine that is off. */
const START_MS = 3_000;
const WEB = 3;

interface Guarded {
  readonly machine: SimMachine;
  readonly files: MemoryFileStore;
  boots: number;
  wants: boolean;
  /** Since it asked systemd, until it is back. */
  isDown: boolean;
  reboots: number;
  abort: AbortController;
  registry: FaultyRegistry | null;
}

export interface RebootFleetOptions {
  readonly seed: number;
  readonly slots: number;
  /** What else the manifest says of restarts. */
  readonly policy?: string;
  /** Its machines restart without asking. */
  readonly isImpatient?: true;
  /** What stands between the daemons, guards among them, and their ports. */
  readonly defects?: Defects;
}

export class RebootFleet {
  readonly sim: SimCluster;
  readonly random: Random;
  readonly violations: string[] = [];
  readonly guarded: readonly Guarded[];
  /** Budgets are held against what is planned: not while somebody pulls a plug. */
  checksBudgets = true;
  /** Messages of guards get lost. */
  stormy = true;
  readonly #options: RebootFleetOptions;
  readonly #lost = new Set<Guarded>();
  #version = 0;

  constructor(options: RebootFleetOptions) {
    this.#options = options;
    this.random = new Random(options.seed).fork("reboots");
    // A machine that restarts is no loss: its units wait for it here, as they do with real times.
    const loss = { graceMs: 60_000 };
    const { seed, defects = {} } = options;
    this.sim = new SimCluster({ seed, machines: MACHINES, engines: ENGINES, cluster: "sim", loss, defects });
    this.guarded = this.sim.machines.map((machine) => ({
      ...{ machine, files: new MemoryFileStore(), boots: 0, wants: false, isDown: false, reboots: 0 },
      ...{ abort: new AbortController(), registry: null },
    }));
  }

  async start(): Promise<void> {
    for (const { manager } of this.sim.machines) {
      manager.faults = (_, job) => (job === "start" ? { kind: "delay", ms: START_MS } : null);
    }
    this.sim.start();
    await this.sim.clock.advance(2_000);
    await this.release();
    await this.sim.clock.advance(20_000);
    for (const one of this.guarded) this.startGuard(one);
  }

  async release(): Promise<void> {
    this.#version += 1;
    const service = (lines = "") =>
      `[Service]\nExecStart=/bin/sleep infinity\nEnvironment=VERSION=${this.#version}\n${lines}`;
    const commit = this.sim.commit(
      {
        "fleet.yaml": `apiVersion: fleet/v1\ncluster: sim\nadmit: any\nreboots: { slots: ${this.#options.slots}${this.#options.policy ?? ""} }\nloss: { agentTtl: 6s, grace: 60s }\nunits: { web@.service: { instances: ${WEB}, rollout: { minHealthyTime: 1s } }, each.service: { rollout: { minHealthyTime: 1s } } }\n`,
        "units/web@.service": service(),
        "units/each.service": service("[X-Fleet]\nGlobal=true\n"),
      },
      `commit ${this.#version}`,
    );
    try {
      await this.sim.apply(commit);
    } catch (error) {
      // While a machine is off a plan may have no room left in a budget.
      if (!(error instanceof OperationError)) throw error;
      this.sim.log(`not applied: ${error.message}`);
    }
  }

  startGuard(one: Guarded): void {
    const { machine } = one;
    one.abort = new AbortController();
    const { signal } = one.abort;
    const registry = new FaultyRegistry(this.sim.registry, machine.clock, () => this.random.next());
    const noise = this.stormy ? { dropRequest: 0.05, dropReply: 0.1, lateRequest: 0.05, delayMs: 60 } : {};
    registry.faults = { ...NO_FAULTS, ...noise };
    one.registry = registry;
    const boot = one.boots;
    const guard = new RebootGuard(
      { machine: machine.id, by: "guard", memoryPath: "/var/lib/fleet/reboot", condition: () => undefined },
      {
        ...{ keys: this.sim.keys, clock: machine.clock, files: one.files },
        registry: this.#options.defects?.agentRegistry?.(registry, machine.id) ?? registry,
        newId: () => this.sim.newId(),
        log: ({ message }) => this.sim.log(`${machine.name} guard: ${message}`),
        host: {
          bootId: `boot-${boot}`,
          reason: async () => {
            if (this.#options.isImpatient && one.wants && !one.isDown) void this.#reboot(one);
            return one.wants ? { text: "a new kernel", mark: "" } : null;
          },
          reboot: async () => {
            if (!signal.aborted && one.boots === boot) void this.#reboot(one);
          },
        },
      },
    );
    void guard.run(signal);
  }

  stopGuard(one: Guarded): void {
    one.abort.abort();
    one.registry?.setPartitioned(true);
  }

  async #reboot(one: Guarded): Promise<void> {
    if (one.isDown) return;
    one.isDown = true;
    one.reboots += 1;
    this.sim.log(`${one.machine.name} restarts`);
    await this.sim.clock.sleep(this.random.between(...STOP_MS));
    this.powerOff(one);
    await this.sim.clock.sleep(this.random.between(...OFF_MS));
    one.isDown = false;
    if (this.#lost.has(one)) return;
    one.wants = false;
    this.powerOn(one);
  }

  /** It does not come back from its restart. */
  keepsOff(one: Guarded): void {
    this.#lost.add(one);
  }

  powerOff(one: Guarded): void {
    this.stopGuard(one);
    one.machine.powerOff();
  }

  powerOn(one: Guarded): void {
    one.boots += 1;
    one.machine.powerOn(this.sim.hasEngine(one.machine));
    this.startGuard(one);
  }

  /** Never more than its slots between grant and the slot's end, and never fewer up than the budgets allow. */
  async look(): Promise<void> {
    const { keys, registry } = this.sim;
    const [locks, grants] = await Promise.all([registry.list(keys.locks), registry.list(keys.grants)]);
    const { held } = decodeLock(keys, REBOOT_LOCK, locks.entries);
    const leaving = leavingMachines(held, decodeGrants(keys, grants.entries));
    const { slots } = this.#options;
    if (leaving.size > slots) this.#violation(`${leaving.size} machines may restart at once`);
    for (const { machine, isDown } of this.guarded) {
      if (isDown && !leaving.has(machine.id)) this.#violation(`${machine.name} restarts and has no grant`);
    }
    if (!this.checksBudgets) return;
    const web = new Set<string>();
    let each = 0;
    for (const { powered, manager } of this.sim.machines) {
      if (!powered) continue;
      for (const unit of manager.running().keys()) if (unit.startsWith("web@")) web.add(unit);
      if (manager.running().has("each.service" as UnitName)) each += 1;
    }
    if (web.size < WEB - 1) this.#violation(`${web.size} of ${WEB} of web run`);
    if (each < MACHINES - 1) this.#violation(`${each} of ${MACHINES} of each.service run`);
  }

  async pass(milliseconds: number, act: () => Promise<void> | void = () => undefined): Promise<void> {
    for (let passed = 0; passed < milliseconds; passed += LOOK_MS) {
      await this.sim.clock.advance(LOOK_MS);
      await this.look();
      await act();
    }
  }

  #violation(text: string): void {
    this.sim.log(`VIOLATION ${text}`);
    if (!this.violations.includes(text)) this.violations.push(text);
  }

  async end(): Promise<void> {
    for (const one of this.guarded) this.stopGuard(one);
    await this.sim.end();
  }
}
