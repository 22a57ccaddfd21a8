import type { ClientClock } from "../../src/adapters/memory/virtual-clock.ts";
import { UnknownResultError } from "../../src/ports/operation-error.ts";
import type { Compare, Entry, Registry, Txn } from "../../src/ports/registry.ts";
import type { RegistryMemory } from "../../src/usecases/registry-memory.ts";
import { changed, type Defect } from "./defects.ts";

/** What an engine could leave out, of what keeps its writes and its moves safe. */
export const ENGINE_DEFECTS: readonly Defect[] = [
  {
    name: "the engine does not compare the leader's key",
    shownBy: 1,
    faults: ["last words of a leader arrive late, and no engine is there"],
    defects: { engineRegistry: (inner) => without(inner, (key) => key.endsWith("engine/leader")) },
  },
  {
    name: "the engine does not compare the presence of whom it takes from and gives to",
    shownBy: 1,
    faults: ["a machine returns while its loss is being written"],
    defects: { engineRegistry: (inner) => without(inner, (key) => key.includes("/presence/")) },
  },
  {
    name: "the engine compares neither assignments nor headers",
    shownBy: 24,
    faults: ["a leader's orders arrive again later", "power loss"],
    defects: { engineRegistry: (inner) => without(inner, (key) => /\/(assign|placements)\//.test(key)) },
  },
  {
    name: "an engine goes on leading on a registry that was put back to a backup",
    shownBy: 6,
    faults: ["registry put back to a backup", "power loss", "partition"],
    defects: { engineRegistry: withModestMachines, engineMemory: forgiving },
  },
  {
    name: "an engine does not notice that its lease is gone",
    shownBy: 1,
    faults: ["revoked lease"],
    defects: { engineRegistry: neverDeposed },
  },
  {
    name: "waiting is counted by the wall clock",
    shownBy: 29,
    faults: ["wall clock is set", "power loss", "partition"],
    defects: { engineClock: byTheWall, agentClock: byTheWall },
  },
  {
    name: "a write whose answer is lost is sent again, whatever it compares",
    shownBy: 34,
    faults: ["engine pause", "engine crash", "revoked lease"],
    defects: { engineRegistry: sendingAgain },
  },
  {
    name: "a compacted watch goes on as if it had missed nothing",
    shownBy: 5,
    faults: ["partition during which the history is compacted"],
    defects: { engineRegistry: ignoringCompaction, agentRegistry: ignoringCompaction },
  },
  {
    name: "units move in a partial outage",
    shownBy: 28,
    faults: ["50 % of the machines lost"],
    defects: { loss: { outageMin: 1_000 } },
  },
  {
    name: "no hold after an election",
    shownBy: 1,
    faults: ["revoked lease", "engine crash", "power loss"],
    defects: { loss: { agentTtlMs: 0 } },
  },
  {
    name: "no budgets",
    shownBy: 105,
    faults: ["30 % of the machines lost", "power loss"],
    defects: { loss: { lossWindowMs: 0, movesWindowMs: 0 } },
  },
  {
    name: "no hand-off: what is told to go passes for gone",
    shownBy: 9,
    faults: ["slow systemd"],
    defects: { engineRegistry: takingWordsForDeeds },
  },
];

/** Writes of sets with some of their compares left out. */
function without(inner: Registry, isLeftOut: (key: string) => boolean): Registry {
  return changed(inner, {
    txn: (txn) =>
      inner.txn(
        writesSets(txn) ? { ...txn, when: txn.when.filter((compare: Compare) => !isLeftOut(compare.key)) } : txn,
      ),
  });
}

function writesSets(txn: Txn): boolean {
  return txn.then.some((operation) => operation.kind === "put" && operation.key.includes("/placements/"));
}

function byTheWall(inner: ClientClock): ClientClock {
  return changed(inner, { monotonicMs: () => inner.wallMs() });
}

/** And what it compared is left out, for that was true before it was sent for the first time. */
function sendingAgain(inner: Registry): Registry {
  return changed(inner, {
    async txn(txn) {
      for (let when = txn.when; ; when = []) {
        try {
          return await inner.txn({ ...txn, when });
        } catch (error) {
          if (!(error instanceof UnknownResultError) || !writesSets(txn)) throw error;
        }
      }
    },
  });
}

/** No machine says that it has taken a later release. */
function withModestMachines(inner: Registry): Registry {
  const modest = (entry: Entry): Entry =>
    entry.key.includes("/members/")
      ? { ...entry, value: JSON.stringify({ ...(JSON.parse(entry.value) as object), acceptedSeq: 0 }) }
      : entry;
  return changed(inner, {
    async list(prefix, options) {
      const listing = await inner.list(prefix, options);
      return { ...listing, entries: listing.entries.map(modest) };
    },
    async *watch(prefix, after, signal) {
      for await (const message of inner.watch(prefix, after, signal)) {
        if (message.kind !== "changes") yield message;
        else {
          const changes = message.changes.map((change) =>
            change.kind === "put" ? { ...change, entry: modest(change.entry) } : change,
          );
          yield { ...message, changes };
        }
      }
    },
  });
}

/** Whatever it remembers, the registry is the one it knows. */
function forgiving(inner: RegistryMemory): RegistryMemory {
  return changed(inner, {
    judge(shown) {
      inner.judge(shown);
      return null;
    },
  });
}

/** Every renewal succeeds, and nobody says that the leader's key is gone. */
function neverDeposed(inner: Registry): Registry {
  return changed(inner, {
    async keepAlive(lease) {
      await inner.keepAlive(lease);
      return true;
    },
    async *watch(prefix, after, signal) {
      for await (const message of inner.watch(prefix, after, signal)) {
        const isEnd = message.kind === "changes" && message.changes.every(({ kind }) => kind === "delete");
        if (!prefix.endsWith("engine/leader") || !isEnd) yield message;
      }
    },
  });
}

function ignoringCompaction(inner: Registry): Registry {
  return changed(inner, {
    async *watch(prefix, after, signal) {
      for (let from = after; !signal.aborted; ) {
        let isCompacted = false;
        for await (const message of inner.watch(prefix, from, signal)) {
          isCompacted = message.kind === "compacted";
          if (isCompacted) break;
          yield message;
        }
        if (!isCompacted) return;
        from = (await inner.describe()).revision;
      }
    },
  });
}

/** Each status says of its unit that it is down, as of the last placement there is. */
function takingWordsForDeeds(inner: Registry): Registry {
  const told = async (prefix: string) => {
    const { entries, revision } = await inner.list(prefix.replace(/status\/$/, "assign/"));
    const statuses = await inner.list(prefix);
    const lies = statuses.entries.map((entry) => {
      const unit = entry.key.slice(entry.key.lastIndexOf("/") + 1);
      const assigned = entries.find(({ key }) => key.endsWith(`/${unit}`));
      const status = JSON.parse(entry.value) as object;
      return { ...entry, value: JSON.stringify({ ...status, active: "inactive", placed: assigned?.modRevision }) };
    });
    return { entries: lies, revision: Math.max(revision, statuses.revision) };
  };
  return changed(inner, {
    list: (prefix, options) => (prefix.endsWith("/status/") ? told(prefix) : inner.list(prefix, options)),
    async *watch(prefix, after, signal) {
      const root = prefix.endsWith("/status/") ? prefix.replace(/status\/$/, "") : prefix;
      for await (const message of inner.watch(root, after, signal)) {
        if (root === prefix) yield message;
        else {
          const { entries, revision } = await told(prefix);
          yield { kind: "changes", revision, changes: entries.map((entry) => ({ kind: "put", entry })) };
        }
      }
    },
  });
}
