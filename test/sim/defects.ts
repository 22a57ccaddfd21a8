import type { UnitName } from "../../src/domain/names.ts";
import type { Registry, WatchMessage } from "../../src/ports/registry.ts";
import type { Defects } from "../../src/sim/sim-machine.ts";
import { absenceAsOrder } from "./absence-as-order.ts";

/** A defect put between a daemon and its ports; the product knows nothing of it. */
export interface Defect {
  readonly name: string;
  /** The first seed in which a checker noticed it; tries begin there, so that a test costs about one run. */
  readonly shownBy: number;
  readonly defects: Defects;
  /** Only these befall a cluster then, by name: what it takes for the defect to show. All where it says nothing. */
  readonly faults?: readonly string[];
}

/** What the simulator must be able to notice; one that survives is a defect of the simulator. */
export const DEFECTS: readonly Defect[] = [
  {
    name: "the engine compares nothing when it writes sets",
    shownBy: 45,
    defects: { engineRegistry: (inner) => withoutCompares(inner) },
  },
  {
    name: "the agent takes what it sees for a whole set: absence is an order",
    shownBy: 4,
    defects: { agentRegistry: absenceAsOrder },
  },
  {
    name: "the agent hears only every second message",
    shownBy: 4,
    defects: { agentRegistry: (inner) => changed(inner, { watch: (...call) => lossy(inner.watch(...call)) }) },
  },
  {
    name: "a lease that is gone passes for held",
    shownBy: 8,
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
    shownBy: 3,
    defects: { manager: (inner) => changed(inner, { reload: async () => undefined }) },
  },
  {
    name: "a stop is not waited for",
    shownBy: 92,
    faults: ["slow systemd", "agent crash"],
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
    name: "the texts that run are not remembered, so that a change of a description restarts",
    shownBy: 13,
    defects: { files: (inner) => changed(inner, { write: forgetting(inner.write.bind(inner), "units/") }) },
  },
  {
    name: "what systemd is made to read again is restarted",
    shownBy: 3,
    defects: {
      manager: (inner) =>
        changed(inner, {
          async reload() {
            await inner.reload();
            const held = await inner.list(["s1.service", "zoned.service", "everywhere.service"] as UnitName[]);
            for (const { name } of held.filter((unit) => unit.active === "active")) {
              await inner.stop(name);
              await inner.start(name);
            }
          },
        }),
    },
  },
  {
    name: "units are told to reload themselves, and do not",
    shownBy: 1,
    defects: { manager: (inner) => changed(inner, { reloadUnit: async () => "done" }) },
  },
  {
    name: "what the agent installed is not remembered",
    shownBy: 1,
    defects: { files: (inner) => changed(inner, { write: forgetting(inner.write.bind(inner), "owned.json") }) },
  },
];

/** Seen once as a defect of the product, mended since: an agent without its memory of what it accepted must stop nothing. */
export const FORGETFUL: Defects = {
  files: (inner) => changed(inner, { write: forgetting(inner.write.bind(inner), "state.json") }),
};

type WriteFile = (path: string, text: string, options?: { mode?: number; durable?: boolean }) => Promise<void>;

/** Writes of that file, or of those in that folder, are lost. */
function forgetting(write: WriteFile, name: string): WriteFile {
  return async (path, ...rest) =>
    path.includes(`/agent/${name}`) || path.endsWith(`/${name}`) ? undefined : write(path, ...rest);
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

/** Writes of sets happen whoever leads, and whatever was there. */
function withoutCompares(inner: Registry): Registry {
  return changed(inner, {
    txn(txn) {
      const writesSets = txn.then.some(
        (operation) => operation.kind === "put" && operation.key.includes("/placements/"),
      );
      return inner.txn(writesSets ? { ...txn, when: [] } : txn);
    },
  });
}

async function* lossy(messages: AsyncIterable<WatchMessage>): AsyncGenerator<WatchMessage> {
  let count = 0;
  for await (const message of messages) if (++count % 2 !== 0) yield message;
}
