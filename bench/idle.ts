import { setTimeout as sleep } from "node:timers/promises";
import { EtcdProcess } from "../test/contract/etcd-process.ts";
import { type Figures, figuresOf, type Sizes } from "./figures.ts";
import { LabCluster } from "./lab-cluster.ts";

/** After an apply the last statuses are still on their way: counted from the first window of this length without a proposal. */
const QUIET_MS = 5_000;
const SETTLE_LIMIT_MS = 120_000;

/** Proposals a real etcd commits while nothing happens; lease keepalives are none, so it must be 0. */
export async function benchIdle(sizes: Sizes): Promise<Figures> {
  const [units, machines, seconds] = [sizes.units ?? 100, sizes.machines ?? 3, sizes.seconds ?? 60];
  const etcd = await EtcdProcess.start("3.4");
  try {
    const cluster = await LabCluster.up({ units, machines, registry: etcd.address });
    try {
      await cluster.fleet("apply", "--auto-approve");
      const settleMs = await settle(etcd);
      const before = await countersOf(etcd);
      await sleep(seconds * 1_000);
      const after = await countersOf(etcd);
      return figuresOf(after.proposals - before.proposals, null, "proposals", {
        units,
        machines,
        seconds,
        target: 0,
        settleMs: Math.round(settleMs),
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

async function settle(etcd: EtcdProcess): Promise<number> {
  const started = performance.now();
  for (let last = -1; ; ) {
    const { proposals } = await countersOf(etcd);
    if (proposals === last) return performance.now() - started;
    // What never settles is what this bench is there to show.
    if (performance.now() - started > SETTLE_LIMIT_MS) return performance.now() - started;
    last = proposals;
    await sleep(QUIET_MS);
  }
}

async function countersOf(etcd: EtcdProcess): Promise<{ proposals: number; revision: number; keys: string[] }> {
  const base = etcd.address.replace("etcd:", "http:");
  const metrics = await (await fetch(`${base}/metrics`)).text();
  const proposals = Number(/^etcd_server_proposals_committed_total (\S+)$/m.exec(metrics)?.[1] ?? Number.NaN);
  const body = JSON.stringify({ key: btoa("/fleet/"), range_end: btoa("/fleet0"), keys_only: true });
  const range = (await (await fetch(`${base}/v3/kv/range`, { method: "POST", body })).json()) as {
    header: { revision: string };
    kvs?: { key: string; mod_revision: string }[];
  };
  const keys = (range.kvs ?? []).map(({ key, mod_revision }) => `${atob(key)}@${mod_revision}`);
  return { proposals, revision: Number(range.header.revision), keys };
}
