import { CORRECTIONS_MAX } from "../../src/domain/drift/judge-drift.ts";
import type { Random } from "../../src/sim/random.ts";
import type { SimCluster } from "../../src/sim/sim-cluster.ts";
import type { SimMachine } from "../../src/sim/sim-machine.ts";
import type { Backup } from "../../src/sim/switched-registry.ts";
import type { Checkers } from "./checkers.ts";

/** The slowest start or stop of a slow systemd: within an agent's patience with its stops. */
const SLOW_JOB_MS = 4_000;
/** One kind of fault: what it does now and, some time later, what ends it. */
export interface FaultKind {
  readonly name: string;
  /** How often it is drawn, beside 1 for the rest. */
  readonly weight?: number;
  /** How long it lasts at least and at most; else half a second to 25. */
  readonly lastsMs?: readonly [number, number];
  /** Whom it befalls, where not anybody. */
  readonly target?: (storm: Storm) => SimMachine;
  /** Needs a person who adopts what is left. Only in seeds from `SOAK_SEEDS` on: with all else at once, one in 300 does not come to rest yet. */
  readonly replacesRegistry?: boolean;
  inject(storm: Storm, machine: SimMachine): Promise<void>;
  heal(storm: Storm, machine: SimMachine): Promise<void>;
}

export interface Storm {
  readonly cluster: SimCluster;
  readonly checkers: Checkers;
  readonly random: Random;
  /** Backups of the registry so far; never none. */
  readonly backups: Backup[];
  /** Commits something new and makes it the release. */
  readonly release: () => Promise<void>;
}

/** Dead by now or not, it is dead then, and a new one starts. */
async function again(machine: SimMachine): Promise<void> {
  if (!machine.powered) return;
  machine.crashAgent();
  machine.startAgent();
}

const nothing = async (): Promise<void> => undefined;

export const SLOW_SYSTEMD: FaultKind = {
  name: "slow systemd",
  async inject({ random }, machine) {
    const faults = random.fork(machine.name);
    machine.manager.reloadMs = random.between(0, 3_000);
    machine.manager.faults = () => (faults.chance(0.6) ? { kind: "delay", ms: faults.between(10, SLOW_JOB_MS) } : null);
  },
  async heal(_, machine) {
    machine.manager.reloadMs = 0;
    machine.manager.faults = () => null;
  },
};

/**
 * Somebody at the machine masks units, in place of our file or in /etc, and stops some: never one so often that its agent gives it up, and
 * never with a text of their own, which might run before it is found.
 */
export const MEDDLER: FaultKind = {
  name: "meddler",
  async inject({ cluster, checkers, random }, machine) {
    const units = [...machine.manager.running().keys()];
    if (!machine.powered || machine.systemdAway || units.length === 0) return;
    const unit = random.pick(units);
    const meddled = MEDDLED.get(machine) ?? [];
    if (meddled.filter((one) => one === unit).length === CORRECTIONS_MAX) return;
    MEDDLED.set(machine, [...meddled, unit]);
    if (random.chance(0.8)) machine.files.mask(`${random.pick(["/run", "/etc"])}/systemd/system/${unit}`);
    if (random.chance(0.5)) await machine.manager.reload();
    if (random.chance(0.7)) return;
    await checkers.excuse(machine, async () => {
      // A start of what requires it, by the agent, cancels the wait and not the stop: it goes down all the same and comes up
      // again, each in a slow job at most.
      if ((await machine.manager.stop(unit)) === "canceled") await cluster.clock.sleep(2 * SLOW_JOB_MS);
    });
  },
  // Of a unit that left the machine meanwhile the mask in /etc is a conflict, and its owner's to take away.
  async heal(_, machine) {
    for (const unit of MEDDLED.get(machine) ?? []) machine.files.unmask(`/etc/systemd/system/${unit}`);
  },
};
const MEDDLED = new WeakMap<SimMachine, readonly string[]>();

/** A seed enables some of these: with all at once, one hides the other. */
export const FAULTS: readonly FaultKind[] = [
  {
    name: "power loss",
    async inject({ checkers }, machine) {
      await checkers.excuse(machine, () => machine.powerOff());
    },
    heal: async ({ cluster }, machine) => {
      if (!machine.powered) machine.powerOn(cluster.hasEngine(machine));
    },
  },
  {
    name: "agent crash",
    inject: async (_, machine) => machine.crashAgent(),
    heal: async (_, machine) => machine.startAgent(),
  },
  {
    name: "agent crash between two steps",
    inject: async ({ random }, machine) => machine.crashAgentSoon({ calls: random.between(0, 40) }),
    heal: (_, machine) => again(machine),
  },
  {
    name: "agent crash in a write",
    inject: async ({ random }, machine) => machine.crashAgentSoon({ diskSteps: random.between(1, 40) }),
    heal: (_, machine) => again(machine),
  },
  {
    name: "power loss in a write",
    async inject({ cluster, checkers, random }, machine) {
      machine.crashAgentSoon({ diskSteps: random.between(1, 10) });
      await cluster.clock.sleep(random.between(0, 2_000));
      await checkers.excuse(machine, () => machine.powerOff());
    },
    heal: async ({ cluster }, machine) => {
      if (!machine.powered) machine.powerOn(cluster.hasEngine(machine));
    },
  },
  SLOW_SYSTEMD,
  {
    name: "revoked lease",
    async inject({ cluster, random }, machine) {
      const { leader, presence } = cluster.keys;
      const key = random.chance(0.5) ? leader : presence(machine.id);
      const lease = (await cluster.registry.list(key, { exact: true })).entries[0]?.lease ?? null;
      if (lease !== null) await cluster.registry.revokeLease(lease);
    },
    heal: nothing,
  },
  {
    name: "deleted headers",
    async inject({ cluster, checkers }) {
      const { revision } = await cluster.registry.txn({
        when: [],
        then: cluster.machines.map(({ id }) => ({ kind: "delete", key: cluster.keys.set(id) })),
      });
      checkers.injected(revision);
    },
    heal: nothing,
  },
  { name: "agent stop", inject: (_, machine) => machine.stopAgent(), heal: async (_, machine) => machine.startAgent() },
  {
    name: "engine crash",
    inject: async (_, machine) => machine.crashEngine(),
    heal: async ({ cluster }, machine) => {
      if (cluster.hasEngine(machine)) machine.startEngine();
    },
  },
  {
    name: "partition",
    inject: async (_, machine) => machine.setPartitioned(true),
    heal: async (_, machine) => machine.setPartitioned(false),
  },
  {
    name: "pause",
    inject: async (_, machine) => machine.setPaused(true),
    heal: async (_, machine) => machine.setPaused(false),
  },
  {
    name: "git down",
    inject: async (_, machine) => {
      machine.source.down = true;
    },
    heal: async (_, machine) => {
      machine.source.down = false;
    },
  },
  {
    name: "wiped placements",
    async inject({ cluster, checkers }) {
      const { revision } = await cluster.registry.txn({
        when: [],
        then: [{ kind: "delete-prefix", prefix: `${cluster.keys.root}placements/` }],
      });
      checkers.injected(revision);
    },
    heal: nothing,
  },
  {
    name: "deleted header",
    async inject({ cluster, checkers }, machine) {
      const { revision } = await cluster.registry.txn({
        when: [],
        then: [{ kind: "delete", key: cluster.keys.set(machine.id) }],
      });
      checkers.injected(revision);
    },
    heal: nothing,
  },
  {
    name: "deleted presence",
    async inject({ cluster }, machine) {
      await cluster.registry.txn({ when: [], then: [{ kind: "delete", key: cluster.keys.presence(machine.id) }] });
    },
    heal: nothing,
  },
  {
    name: "D-Bus away",
    inject: async (_, machine) => machine.setSystemdAway(true),
    heal: async (_, machine) => machine.setSystemdAway(false),
  },
];
