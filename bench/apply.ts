import { EtcdProcess } from "../test/contract/etcd-process.ts";
import { daemonCost } from "./daemon-cost.ts";
import { etcdCounters } from "./etcd-counters.ts";
import { type Figures, figuresOf, rounded, type Sizes, timed } from "./figures.ts";
import { LabCluster } from "./lab-cluster.ts";
import { unitTexts } from "./unit-repository.ts";

/** Where the floor's files lie: any of systemd's folders that fleet does not write to. */
const FLOOR_FOLDER = "/run/systemd/system";

/**
 * `fleet apply` of new units until all run, against one `systemctl start` of the same files on each machine at once. Beside it what it
 * cost: processor time of our daemons on all machines, and proposals of a real etcd, both also for each unit.
 */
export async function benchApply(sizes: Sizes): Promise<Figures> {
  const [units, machines] = [sizes.units ?? 300, sizes.machines ?? 4];
  const etcd = await EtcdProcess.start("3.4");
  try {
    const cluster = await LabCluster.up({ units, machines, registry: etcd.address });
    try {
      // Before and after ours: whatever warms up or grows meanwhile is in the mean of both.
      const before = await floorLeg(cluster, units);
      const [costBefore, etcdBefore] = [await daemonCost(cluster), await etcdCounters(etcd)];
      const ours = await timed(async () => void (await cluster.fleet("apply", "--auto-approve")));
      const [costAfter, etcdAfter] = [await daemonCost(cluster), await etcdCounters(etcd)];
      const perMachine = await activeUnits(cluster);
      const after = await floorLeg(cluster, units, "again-");
      const running = perMachine.reduce((sum, count) => sum + count, 0);
      if (running !== units) throw new Error(`${running} of ${units} units run`);
      const floor = (before + after) / 2;
      const cpuMs = (role: "agent" | "engine") => costAfter[role].cpuMs - costBefore[role].cpuMs;
      return figuresOf(ours, floor, "ms", {
        units,
        machines,
        perMachine,
        floors: [rounded(before), rounded(after)],
        msPerUnit: rounded(ours / units),
        cpuMsPerUnit: { agents: rounded(cpuMs("agent") / units), engines: rounded(cpuMs("engine") / units) },
        proposalsPerUnit: rounded((etcdAfter.proposals - etcdBefore.proposals) / units),
      });
    } finally {
      await cluster.down();
    }
  } finally {
    await etcd.remove();
  }
}

/** Writes the same units under other names, dealt out in turn, and times starting them; takes them away again. */
async function floorLeg(cluster: LabCluster, units: number, prefix = ""): Promise<number> {
  const texts = [...unitTexts(units)];
  const shares = cluster.machines.map((machine, at) => ({
    machine,
    files: texts
      .filter((_, index) => index % cluster.machines.length === at)
      .map(([name, text]) => [`floor-${prefix}${name}`, text] as const),
  }));
  const inAll = (script: (files: readonly (readonly [string, string])[]) => string) =>
    Promise.all(shares.map(({ machine, files }) => cluster.inside(machine, script(files))));
  await inAll((files) => files.map(([name, text]) => `printf '%s' '${text}' > ${FLOOR_FOLDER}/${name}`).join("\n"));
  const started = await timed(async () => void (await inAll((files) => `systemctl start ${namesOf(files)}`)));
  await inAll((files) => `systemctl stop ${namesOf(files)}; cd ${FLOOR_FOLDER} && rm ${namesOf(files)}`);
  return started;
}

function namesOf(files: readonly (readonly [string, string])[]): string {
  return files.map(([name]) => name).join(" ");
}

function activeUnits(cluster: LabCluster): Promise<number[]> {
  const count = "systemctl list-units --no-legend --plain --state=active 'bench-*.service' | wc -l";
  return Promise.all(cluster.machines.map(async (machine) => Number(await cluster.inside(machine, count))));
}
