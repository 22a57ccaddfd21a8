import { setTimeout as sleep } from "node:timers/promises";
import { EtcdProcess } from "../test/contract/etcd-process.ts";
import { daemonCost } from "./daemon-cost.ts";
import { type EtcdCounters, etcdCounters } from "./etcd-counters.ts";
import { type Figures, figuresOf, rounded, type Sizes } from "./figures.ts";
import { LabCluster } from "./lab-cluster.ts";

/** After an apply the last statuses are still on their way: counted from the first window of this length without a proposal. */
const QUIET_MS = 5_000;
/** A machine starts some 40 units a second here; 3,000 of them, on two cores that others use as well, take minutes. */
const SETTLE_LIMIT_MS = 420_000;

/**
 * A lab's leases last 3 s, so that its machines are missed soon. What is measured here is the product: leases as in a manifest that says
 * nothing (30 s), of which each renewal costs an agent about 2 ms.
 */
const AS_SHIPPED = `for role in agent engine; do
  mkdir -p /run/systemd/system/fleet-$role.service.d
  printf '[Service]\nUnsetEnvironment=FLEET_AGENT_TTL FLEET_GRACE\n' > /run/systemd/system/fleet-$role.service.d/90-as-shipped.conf
done
systemctl daemon-reload && systemctl restart fleet-agent fleet-engine`;

/**
 * What the daemons cost while nothing happens. The value is the proposals a real etcd commits (lease keepalives are none): it must be
 * 0. Beside it each agent's and engine's share of a core, in percent, and memory.
 */
export async function benchIdle(sizes: Sizes): Promise<Figures> {
  const [units, machines, seconds] = [sizes.units ?? 100, sizes.machines ?? 3, sizes.seconds ?? 60];
  const etcd = await EtcdProcess.start("3.4");
  try {
    const cluster = await LabCluster.up({ units, machines, registry: etcd.address });
    try {
      for (const machine of cluster.machines) await cluster.inside(machine, AS_SHIPPED);
      await cluster.fleet("apply", "--auto-approve", "--detach");
      const settleMs = await settle(etcd, units);
      const before = await etcdCounters(etcd);
      const costBefore = await daemonCost(cluster);
      const started = performance.now();
      await sleep(seconds * 1_000);
      const costAfter = await daemonCost(cluster);
      const elapsedMs = performance.now() - started;
      const after = await etcdCounters(etcd);
      const share = (role: "agent" | "engine") =>
        rounded(((costAfter[role].cpuMs - costBefore[role].cpuMs) / elapsedMs / machines) * 100);
      return figuresOf(after.proposals - before.proposals, null, "proposals", {
        units,
        machines,
        seconds,
        target: 0,
        percentOfACore: { agent: share("agent"), engine: share("engine") },
        rssMiB: { agent: rounded(costAfter.agent.rssMiB), engine: rounded(costAfter.engine.rssMiB) },
        settleMs: Math.round(settleMs),
        unitsWithStatus: statusesIn(after),
        revisions: after.revision - before.revision,
        keysWritten: after.keys.filter((key) => !before.keys.includes(key)),
      });
    } finally {
      await cluster.down();
    }
  } finally {
    await etcd.remove();
  }
}

/** Until every unit has a status, and then nobody has had anything to say for a while. */
async function settle(etcd: EtcdProcess, units: number): Promise<number> {
  const started = performance.now();
  for (let last = -1; ; ) {
    const counters = await etcdCounters(etcd);
    if (counters.proposals === last && statusesIn(counters) >= units) return performance.now() - started;
    // What never settles is what this bench is there to show.
    if (performance.now() - started > SETTLE_LIMIT_MS) return performance.now() - started;
    last = counters.proposals;
    await sleep(QUIET_MS);
  }
}

function statusesIn({ keys }: EtcdCounters): number {
  return keys.filter((key) => key.includes("/status/")).length;
}
