import type { Registry, WatchMessage } from "../../src/ports/registry.ts";
import type { Defects } from "../../src/sim/sim-machine.ts";
import { absenceAsOrder } from "./absence-as-order.ts";

/** A defect put between a daemon and its ports; the product knows nothing of it. */
export interface Defect {
  readonly name: string;
  /** Within so many seeds, from 1, a checker must notice it. Measured, then doubled. */
  readonly withinSeeds: number;
  readonly defects: Defects;
}

/** What the simulator must be able to notice; one that survives is a defect of the simulator. */
export const DEFECTS: readonly Defect[] = [
  {
    name: "the engine does not compare the leader key",
    withinSeeds: 60,
    defects: { engineRegistry: (inner) => without(inner, (key) => key.endsWith("/engine/leader")) },
  },
  {
    name: "the engine compares nothing when it writes sets",
    withinSeeds: 40,
    defects: { engineRegistry: (inner) => without(inner, () => true) },
  },
  {
    name: "the agent takes what it sees for a whole set: absence is an order",
    withinSeeds: 20,
    defects: { agentRegistry: absenceAsOrder },
  },
  {
    name: "the agent hears only every second message",
    withinSeeds: 20,
    defects: { agentRegistry: (inner) => changed(inner, { watch: (...call) => lossy(inner.watch(...call)) }) },
  },
  {
    name: "a lease that is gone passes for held",
    withinSeeds: 20,
    defects: {
      agentRegistry: (inner) =>
        changed(inner, {
          keepAlive: async (lease) => {
            await inner.keepAlive(lease);
            return true;
          },
        }),
    },
  },
  {
    name: "systemd is never reloaded",
    withinSeeds: 20,
    defects: { manager: (inner) => changed(inner, { reload: async () => undefined }) },
  },
  {
    name: "a stop is not waited for",
    withinSeeds: 40,
    defects: {
      manager: (inner) =>
        changed(inner, {
          async stop(name) {
            // Whatever comes of it, nobody asks.
            inner.stop(name).catch(() => "failed");
            return "done";
          },
        }),
    },
  },
  {
    name: "what the agent installed is not remembered",
    withinSeeds: 20,
    defects: { files: (inner) => changed(inner, { write: forgetting(inner.write.bind(inner), "owned.json") }) },
  },
  {
    name: "what the agent accepted is not remembered",
    withinSeeds: 20,
    defects: { files: (inner) => changed(inner, { write: forgetting(inner.write.bind(inner), "state.json") }) },
  },
];

type WriteFile = (path: string, text: string, options?: { mode?: number; durable?: boolean }) => Promise<void>;

function forgetting(write: WriteFile, name: string): WriteFile {
  return async (path, ...rest) => (path.endsWith(`/${name}`) ? undefined : write(path, ...rest));
}

/** The port with some of its calls replaced. */
export function changed<Port extends object>(inner: Port, calls: Partial<Port>): Port {
  return new Proxy(inner, {
    get(target, call) {
      const own = calls[call as keyof Port];
      const value = own ?? (target[call as keyof Port] as unknown);
      return typeof value === "function" ? value.bind(own === undefined ? target : calls) : value;
    },
  });
}

/** Writes of sets lose their comparisons of such keys. */
function without(inner: Registry, isDropped: (key: string) => boolean): Registry {
  return changed(inner, {
    txn(txn) {
      const writesSets = txn.then.some(
        (operation) => operation.kind === "put" && operation.key.includes("/placements/"),
      );
      return inner.txn(writesSets ? { ...txn, when: txn.when.filter(({ key }) => !isDropped(key)) } : txn);
    },
  });
}

async function* lossy(messages: AsyncIterable<WatchMessage>): AsyncGenerator<WatchMessage> {
  let count = 0;
  for await (const message of messages) if (++count % 2 !== 0) yield message;
}
