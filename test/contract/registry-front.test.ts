import { expireLeases } from "../../src/adapters/mvcc/expire-leases.ts";
import { MvccRegistry } from "../../src/adapters/mvcc/mvcc-registry.ts";
import { MvccStore } from "../../src/adapters/mvcc/mvcc-store.ts";
import { systemClock } from "../../src/adapters/system-clock.ts";
import { HubWorld } from "./hub-world.ts";
import { registryContract } from "./registry.contract.ts";

// Through all there is between an agent and the registry: relay, TLS, front.
registryContract("an engine's front", async () => {
  const store = new MvccStore();
  const end = new AbortController();
  const expiring = expireLeases(store, systemClock, end.signal);
  const registry = new MvccRegistry(store, systemClock);
  const world = await HubWorld.start(1, { registry, root: "" });
  return {
    connect: async () => (await world.connect()).registry,
    compact: async (revision) => {
      store.compact(revision);
      // What it keeps itself is history as well.
      world.fronts[0]!.front.mirror.forgetBefore(revision);
    },
    close: async () => {
      await world.close();
      end.abort();
      await expiring;
    },
  };
});
