import { expireLeases } from "../../src/adapters/mvcc/expire-leases.ts";
import { MvccRegistry } from "../../src/adapters/mvcc/mvcc-registry.ts";
import { MvccStore } from "../../src/adapters/mvcc/mvcc-store.ts";
import { systemClock } from "../../src/adapters/system-clock.ts";
import { ANYTHING, FrontWorld } from "./front-world.ts";
import { registryContract } from "./registry.contract.ts";

registryContract("an engine's front", async () => {
  const store = new MvccStore();
  const end = new AbortController();
  const expiring = expireLeases(store, systemClock, end.signal);
  const registry = new MvccRegistry(store, systemClock);
  const world = await FrontWorld.start({ registry, root: "" });
  return {
    connect: () => world.connect({ name: "anybody", scope: ANYTHING }),
    compact: async (revision) => {
      store.compact(revision);
      // What it keeps itself is history as well.
      world.front.mirror.forgetBefore(revision);
    },
    close: async () => {
      await world.close();
      end.abort();
      await expiring;
    },
  };
});
