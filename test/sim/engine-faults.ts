import type { FaultyRegistry } from "../../src/adapters/memory/faulty-registry.ts";
import type { SimMachine } from "../../src/sim/sim-machine.ts";
import type { FaultKind, Storm } from "./faults.ts";

/** A lease and most of the grace; and less than what is left of a leader's lease, in which the machine shows itself again. */
const [LOST_MS, RETURN_MS] = [7_500, 2_500] as const;

const LATE_SETS = { lateRequest: 1, lateOf: "/placements/" } as const;

/** What befalls engines and what they see: each a way to act on a picture that is not true any more. */
export const ENGINE_FAULTS: readonly FaultKind[] = [
  {
    name: "engine pause",
    weight: 2,
    lastsMs: [100, 60_000],
    target: leaderMostly,
    inject: async (_, machine) => machine.setEnginePaused(true),
    heal: async (_, machine) => machine.setEnginePaused(false),
  },
  {
    name: "engine pause between look and write",
    weight: 2,
    lastsMs: [500, 40_000],
    target: leaderMostly,
    inject: async (_, machine) => machine.pauseEngineAtWrite(),
    heal: async (_, machine) => machine.setEnginePaused(false),
  },
  {
    name: "a machine returns while its loss is being written",
    async inject({ cluster, checkers }, machine) {
      const leader = cluster.machines.find(({ id }) => id === checkers.leader);
      if (leader === undefined || leader === machine) return;
      machine.setPartitioned(true);
      await cluster.clock.sleep(LOST_MS);
      leader.pauseEngineAtWrite(() => {
        machine.setPartitioned(false);
        void cluster.clock.sleep(RETURN_MS).then(() => leader.setEnginePaused(false));
      });
    },
    heal: async (_, machine) => machine.setPartitioned(false),
  },
  {
    name: "partition during which the history is compacted",
    inject: async (_, machine) => machine.setPartitioned(true),
    async heal({ cluster: { store } }, machine) {
      if (store.revision > store.compactedRevision) store.compact(store.revision);
      machine.setPartitioned(false);
    },
  },
  {
    name: "engine sees the past",
    lastsMs: [2_000, 30_000],
    target: leaderMostly,
    inject: async ({ random }, machine) => lag(machine.engineRegistry, random.between(100, 1_000)),
    heal: async (_, machine) => lag(machine.engineRegistry, 0),
  },
  {
    name: "agent sees the past",
    lastsMs: [2_000, 30_000],
    inject: async ({ random }, machine) => lag(machine.agentRegistry, random.between(100, 5_000)),
    heal: async (_, machine) => lag(machine.agentRegistry, 0),
  },
  {
    name: "last words of a leader arrive late, and no engine is there",
    lastsMs: [4_000, 20_000],
    target: leaderMostly,
    async inject(storm, machine) {
      const { cluster, release } = storm;
      // Of what a release needs before its sets nothing is lost, or those would not be written at all.
      if (machine.engineRegistry !== null) Object.assign(machine.engineRegistry.faults, LATE_SETS);
      await release();
      await cluster.clock.sleep(1_500);
      for (const other of cluster.machines) other.crashEngine();
      await revoke(storm, [cluster.keys.leader]);
    },
    heal: async ({ cluster }) => {
      for (const machine of cluster.machines) if (cluster.hasEngine(machine)) machine.startEngine();
    },
  },
  {
    name: "engine without its memory",
    async inject({ checkers }, machine) {
      machine.crashEngine();
      checkers.forgot(machine);
      await machine.engineFiles.remove("/var/lib/fleet-engine/registry.json");
    },
    heal: async ({ cluster }, machine) => {
      if (cluster.hasEngine(machine)) machine.startEngine();
    },
  },
  {
    name: "wall clock is set",
    async inject({ random }, machine) {
      const byMs = random.pick([-1, 1]) * random.between(1_000, 3_600_000);
      for (const clock of [machine.clock, machine.engineClock]) clock.jump(byMs);
    },
    heal: async () => undefined,
  },
  {
    name: "agent pause",
    inject: async (_, machine) => machine.setAgentPaused(true),
    heal: async (_, machine) => machine.setAgentPaused(false),
  },
];

/** Of what a leader writes half is taken for lost, written again, and arrives once more when other orders have been given. */
export const LATE_ORDERS: FaultKind = {
  name: "a leader's orders arrive again later",
  weight: 2,
  lastsMs: [5_000, 30_000],
  target: leaderMostly,
  async inject(_, { engineRegistry }) {
    if (engineRegistry !== null) engineRegistry.faults.lateRequest = 0.5;
  },
  async heal(_, { engineRegistry, noise }) {
    if (engineRegistry !== null) engineRegistry.faults.lateRequest = noise.lateRequest;
  },
};

/** Ends the leases these keys hang on. */
export async function revoke({ cluster }: Storm, keys: readonly string[]): Promise<void> {
  for (const key of keys) {
    const lease = (await cluster.registry.list(key, { exact: true })).entries[0]?.lease ?? null;
    if (lease !== null) await cluster.registry.revokeLease(lease);
  }
}

/** An engine that follows has little to do wrong. */
function leaderMostly({ cluster, checkers, random }: Storm): SimMachine {
  const leader = cluster.machines.find(({ id }) => id === checkers.leader);
  return leader !== undefined && random.chance(0.8) ? leader : random.pick(cluster.machines);
}

function lag(registry: FaultyRegistry | null, lagMs: number): void {
  if (registry !== null) registry.faults.lagMs = lagMs;
}
