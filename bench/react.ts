import { openRegistry } from "../src/adapters/etcd/open-registry.ts";
import { systemClock } from "../src/adapters/system-clock.ts";
import { registryKeys } from "../src/codec/registry-keys.ts";
import { type Figures, figuresOf, median, rounded, type Sizes } from "./figures.ts";
import { LabCluster } from "./lab-cluster.ts";
import { CLUSTER_NAME, FIRST_UNIT } from "./unit-repository.ts";

/** How many changes the figure is of. */
const ROUNDS = 50;
const FLOOR_UNIT = "floor-react.service";
const FOLDER = "/run/systemd/system";

/**
 * One unit of many changes its command: from the release's move, as the registry tells it, to the start of the unit's new process, as
 * systemd dates it. The floor is what a person does on the machine, in the same rounds: file, daemon-reload, restart.
 */
export async function benchReact(sizes: Sizes): Promise<Figures> {
  const [units, machines] = [sizes.units ?? 1_000, sizes.machines ?? 4];
  const cluster = await LabCluster.up({ units, machines });
  const moves = new ReleaseMoves();
  try {
    await cluster.fleet("apply", "--auto-approve");
    const machine = await machineOf(cluster, FIRST_UNIT);
    await moves.follow(cluster.registry);
    const [ours, floor]: [number[], number[]] = [[], []];
    for (let round = 0; round < ROUNDS; round++) {
      floor.push(await byHand(cluster, machine, round));
      await cluster.repository.changeOne(round);
      await cluster.fleet("apply", "--auto-approve");
      const startedUs = Number(await property(cluster, machine, "ExecMainStartTimestampMonotonic"));
      ours.push(startedUs / 1_000 - moves.lastMs);
    }
    return figuresOf(median(ours), median(floor), "ms", {
      units,
      machines,
      rounds: ROUNDS,
      p99: rounded([...ours].sort((a, b) => a - b)[Math.ceil(ROUNDS * 0.99) - 1]!),
      floorP99: rounded([...floor].sort((a, b) => a - b)[Math.ceil(ROUNDS * 0.99) - 1]!),
    });
  } finally {
    moves.end();
    await cluster.down();
  }
}

/** When the release last moved, by the clock systemd dates starts with: the machines are on this kernel. */
class ReleaseMoves {
  lastMs = 0;
  readonly #end = new AbortController();

  /** Resolves once it listens. */
  async follow(address: string): Promise<void> {
    const registry = await openRegistry(address, { clock: systemClock });
    const key = registryKeys(CLUSTER_NAME).release;
    const { revision } = await registry.list(key);
    void (async () => {
      for await (const message of registry.watch(key, revision, this.#end.signal)) {
        if (
          message.kind === "changes" &&
          message.changes.some((change) => change.kind === "put" && change.entry.key === key)
        )
          this.lastMs = Number(process.hrtime.bigint()) / 1e6;
      }
    })();
  }

  end(): void {
    this.#end.abort();
  }
}

async function machineOf(cluster: LabCluster, unit: string): Promise<string> {
  for (const machine of cluster.machines) {
    if ((await cluster.inside(machine, `systemctl is-active ${unit} || true`)).trim() === "active") return machine;
  }
  throw new Error(`${unit} runs nowhere`);
}

async function property(cluster: LabCluster, machine: string, name: string): Promise<string> {
  return (await cluster.inside(machine, `systemctl show --value -p ${name} ${FIRST_UNIT}`)).trim();
}

/** Milliseconds. */
async function byHand(cluster: LabCluster, machine: string, round: number): Promise<number> {
  const text = `[Service]\\nExecStart=/bin/sleep ${300_000 + round}\\n`;
  const script = `systemctl start ${FLOOR_UNIT} 2>/dev/null; t0=$(date +%s%N); printf '${text}' > ${FOLDER}/${FLOOR_UNIT}
    systemctl daemon-reload; systemctl restart ${FLOOR_UNIT}; echo $(($(date +%s%N) - t0))`;
  return Number(await cluster.inside(machine, script)) / 1e6;
}
