import { openRegistry } from "../../src/adapters/etcd/open-registry.ts";
import { systemClock } from "../../src/adapters/system-clock.ts";
import { EtcdProcess } from "./etcd-process.ts";
import type { RegistryWorld } from "./registry.contract.ts";

/** The contract's world on a real etcd of that version. */
export async function etcdWorld(version: "3.4" | "3.5"): Promise<RegistryWorld> {
  const etcd = await EtcdProcess.start(version);
  return {
    connect: () => openRegistry(etcd.address, { clock: systemClock }),
    compact: (revision) => etcd.compact(revision),
    close: () => etcd.remove(),
  };
}
