import { type Figures, figuresOf, rounded, type Sizes, timed } from "./figures.ts";
import { LabCluster } from "./lab-cluster.ts";
import { unitTexts } from "./unit-repository.ts";

/** Where the floor's files lie: any of systemd's folders that fleet does not write to. */
const FLOOR_FOLDER = "/run/systemd/system";

/** `fleet apply` of new units until all run, against one `systemctl start` of the same files on each machine at once. */
export async function benchApply(sizes: Sizes): Promise<Figures> {
  const [units, machines] = [sizes.units ?? 300, sizes.machines ?? 4];
  const cluster = await LabCluster.up({ units, machines });
  try {
    // Before and after ours: whatever warms up or grows meanwhile is in the mean of both.
    const before = await floorLeg(cluster, units);
    const ours = await timed(async () => void (await cluster.fleet("apply", "--auto-approve")));
    const perMachine = await activeUnits(cluster);
    const after = await floorLeg(cluster, units, "again-");
    const running = perMachine.reduce((sum, count) => sum + count, 0);
    if (running !== units) throw new Error(`${running} of ${units} units run`);
    const floor = (before + after) / 2;
    return figuresOf(ours, floor, "ms", {
      units,
      machines,
      perMachine,
      floors: [rounded(before), rounded(after)],
      msPerUnit: rounded(ours / units),
    });
  } finally {
    await cluster.down();
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
