import { readReport } from "../../src/codec/read-report.ts";
import { OperationError } from "../../src/ports/operation-error.ts";
import { adoptionOf, adoptRegistry, hearMachines } from "../../src/usecases/adopt-registry.ts";
import { REGISTRY_REPLACED } from "../../src/usecases/replaced-detail.ts";
import { revoke } from "./engine-faults.ts";
import type { FaultKind, Storm } from "./faults.ts";

/** What befalls the registry, and many machines at once. */
export const REGISTRY_FAULTS: readonly FaultKind[] = [
  {
    name: "registry away",
    lastsMs: [500, 30_000],
    inject: async ({ cluster }) => setAway(cluster, true),
    heal: async ({ cluster }) => setAway(cluster, false),
  },
  {
    name: "registry stands",
    lastsMs: [500, 60_000],
    inject: async ({ cluster }) => cluster.setRegistryStands(true),
    heal: async ({ cluster }) => cluster.setRegistryStands(false),
  },
  {
    name: "every lease revoked",
    async inject(storm) {
      const { keys, machines } = storm.cluster;
      await revoke(storm, [...machines.map(({ id }) => keys.presence(id)), keys.leader]);
    },
    heal: async () => undefined,
  },
  {
    name: "wiped assignments",
    inject: (storm) => wipe(storm, "assign/"),
    heal: async () => undefined,
  },
  {
    name: "compaction",
    weight: 2,
    async inject({ cluster: { store } }) {
      if (store.revision > store.compactedRevision) store.compact(store.revision);
    },
    heal: async () => undefined,
  },
  {
    name: "registry put back to a backup",
    replacesRegistry: true,
    lastsMs: [2_000, 20_000],
    async inject({ cluster, checkers, random, backups }) {
      cluster.registry.restore(random.pick(backups));
      checkers.registryReplaced(true);
    },
    heal: adopt,
  },
  {
    name: "wiped registry",
    replacesRegistry: true,
    weight: 0.5,
    lastsMs: [2_000, 20_000],
    async inject(storm) {
      await wipe(storm, "");
      storm.checkers.registryReplaced(true);
    },
    heal: adopt,
  },
  ...[30, 50, 90].map(
    (percent): FaultKind => ({
      name: `${percent} % of the machines lost`,
      weight: 0.7,
      lastsMs: [5_000, 60_000],
      async inject({ cluster, checkers, random }) {
        const count = Math.max(1, Math.round((cluster.machines.length * percent) / 100));
        const off = random.chance(0.4);
        for (const machine of shuffled(cluster.machines, random).slice(0, count)) {
          if (off) await checkers.excuse(machine, () => machine.powerOff());
          else machine.setPartitioned(true);
        }
      },
      async heal({ cluster }) {
        for (const machine of cluster.machines) {
          machine.setPartitioned(false);
          if (!machine.powered) machine.powerOn(cluster.hasEngine(machine));
        }
      },
    }),
  ),
  {
    name: "flapping machine",
    lastsMs: [40_000, 90_000],
    async inject({ cluster, random }, machine) {
      const flaps = random.fork(machine.name);
      FLAPPING.add(machine);
      void (async () => {
        while (FLAPPING.has(machine)) {
          machine.setPartitioned(!machine.partitioned);
          await cluster.clock.sleep(flaps.between(8_000, 20_000));
        }
      })();
    },
    async heal(_, machine) {
      FLAPPING.delete(machine);
      machine.setPartitioned(false);
    },
  },
  {
    name: "wiped members",
    inject: (storm) => wipe(storm, "members/"),
    heal: async () => undefined,
  },
  {
    name: "a machine that is cut off loses its record",
    lastsMs: [1_000, 30_000],
    async inject({ cluster: { registry, keys } }, machine) {
      machine.setPartitioned(true);
      await registry.txn({ when: [], then: [{ kind: "delete", key: keys.member(machine.id) }] });
    },
    heal: async (_, machine) => machine.setPartitioned(false),
  },
];

const FLAPPING = new WeakSet<object>();

function setAway({ machines }: Storm["cluster"], away: boolean): void {
  for (const machine of machines) machine.setRegistryAway(away);
}

async function wipe({ cluster, checkers }: Storm, prefix: string): Promise<void> {
  const { revision } = await cluster.registry.txn({
    when: [],
    then: [{ kind: "delete-prefix", prefix: `${cluster.keys.root}${prefix}` }],
  });
  checkers.injected(revision, prefix === "");
}

/** An engine says that the registry went back; whoever adopted it while no machine could be heard has to do so again. */
export async function adoptWhereToldSo(storm: Storm): Promise<void> {
  const { registry, keys } = storm.cluster;
  const [report] = (await registry.list(keys.report, { exact: true })).entries;
  if (report === undefined || readReport(report.value)?.problem?.startsWith(REGISTRY_REPLACED) !== true) return;
  storm.checkers.registryReplaced(true);
  await adopt(storm);
}

/** A person runs `fleet registry adopt`; where there is nothing to adopt they are told so, and look again after the storm. */
async function adopt({ cluster, checkers }: Storm): Promise<void> {
  if (!checkers.isRegistryReplaced) return;
  const { registry, keys, clock } = cluster;
  try {
    const { remains } = await hearMachines(registry, keys, clock, 20_000);
    const isDone = await adoptRegistry(registry, keys, remains, adoptionOf(remains), () => cluster.newId());
    if (isDone) checkers.registryReplaced(false);
    cluster.log(`registry adopt: ${isDone ? "done" : "somebody wrote meanwhile"}`);
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    cluster.log(`registry adopt: ${error.message}`);
  }
}

function shuffled<T>(items: readonly T[], random: Storm["random"]): T[] {
  const left = [...items];
  return items.map(() => left.splice(random.between(0, left.length - 1), 1)[0]!);
}
