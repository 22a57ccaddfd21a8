import { expireLeases } from "../../src/adapters/mvcc/expire-leases.ts";
import { MvccRegistry } from "../../src/adapters/mvcc/mvcc-registry.ts";
import { MvccStore } from "../../src/adapters/mvcc/mvcc-store.ts";
import { systemClock } from "../../src/adapters/system-clock.ts";
import { registryContract } from "./registry.contract.ts";

registryContract("mvcc", async () => {
  const store = new MvccStore();
  const end = new AbortController();
  const expiring = expireLeases(store, systemClock, end.signal);
  return {
    connect: async () => new MvccRegistry(store, systemClock),
    compact: async (revision) => store.compact(revision),
    close: async () => {
      end.abort();
      await expiring;
    },
  };
});
