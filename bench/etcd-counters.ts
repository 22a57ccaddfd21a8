import type { EtcdProcess } from "../test/contract/etcd-process.ts";

export interface EtcdCounters {
  /** Committed by its consensus since it started. */
  readonly proposals: number;
  readonly revision: number;
  /** `key@revision`. */
  readonly keys: readonly string[];
}

/** From its metrics, and which keys fleet has in it at which revision. */
export async function etcdCounters(etcd: EtcdProcess): Promise<EtcdCounters> {
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
