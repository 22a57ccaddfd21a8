import type { CommitId } from "../../src/domain/names.ts";
import type { SimCluster } from "../../src/sim/sim-cluster.ts";
import { AGENT_FOLDERS } from "../../src/usecases/agent-files.ts";
import type { FaultKind } from "./faults.ts";

/** Where the branch was before somebody set it back. */
const before = new WeakMap<SimCluster, CommitId>();

/** What a repository, or whoever serves it, does to a cluster that follows it; and machines that have forgotten how far they had come. */
export const SOURCE_FAULTS: readonly FaultKind[] = [
  {
    name: "the branch is set back behind the release",
    async inject({ cluster }) {
      const { release } = await cluster.snapshot();
      const tip = cluster.repository.branches.get("main");
      const [older] = release === null ? [] : (cluster.repository.commits.get(release.commit)?.parents ?? []);
      if (older === undefined || tip === undefined || before.has(cluster)) return;
      before.set(cluster, tip);
      cluster.repository.setBranch("main", older);
    },
    heal: ({ cluster }) => restore(cluster),
  },
  {
    name: "the branch is gone",
    async inject({ cluster }) {
      const tip = cluster.repository.branches.get("main");
      if (tip === undefined || before.has(cluster)) return;
      before.set(cluster, tip);
      cluster.repository.setBranch("main", null);
    },
    heal: ({ cluster }) => restore(cluster),
  },
  {
    name: "an engine is served an old state",
    async inject({ cluster, random }, { engineSource }) {
      engineSource.stale = random.pick(pastOf(cluster));
    },
    heal: async (_, { engineSource }) => {
      engineSource.stale = null;
    },
  },
  {
    name: "a machine is served an old state",
    async inject({ cluster, random }, { source }) {
      source.stale = random.pick(pastOf(cluster));
    },
    heal: async (_, { source }) => {
      source.stale = null;
    },
  },
  {
    name: "a machine's state is deleted",
    async inject(_, machine) {
      await machine.stopAgent();
      if (machine.agentUp) return;
      // Whoever deletes it is not the process that was to die in a write.
      machine.files.restartProcess();
      await machine.files.remove(`${AGENT_FOLDERS.state}/state.json`);
    },
    heal: async (_, machine) => machine.startAgent(),
  },
];

async function restore(cluster: SimCluster): Promise<void> {
  const tip = before.get(cluster);
  if (tip === undefined) return;
  before.delete(cluster);
  cluster.repository.setBranch("main", tip);
}

/** The commits on the way to the tip, the oldest last. */
function pastOf({ repository }: SimCluster): readonly CommitId[] {
  const past: CommitId[] = [];
  for (let at = repository.branches.get("main") ?? null; at !== null; ) {
    past.push(at);
    at = repository.commits.get(at)?.parents[0] ?? null;
  }
  return past.length === 0 ? [...repository.commits.keys()].slice(-1) : past;
}

/** Whatever a source showed and whoever forgot: what a machine took descends from what it took before (I4). By the daemons' own words. */
export function notForward({ trace, repository }: SimCluster): readonly string[] {
  const last = new Map<string, CommitId>();
  const violations: string[] = [];
  for (const line of trace) {
    const [, machine, commit] = /^\S+ (\S+) agent: accepted release \d+, commit ([0-9a-f]{40})$/.exec(line) ?? [];
    if (machine === undefined) continue;
    const known = last.get(machine);
    if (known !== undefined && !leadsTo(known, commit as CommitId))
      violations.push(`${machine} took commit ${commit}, which does not descend from ${known}`);
    last.set(machine, commit as CommitId);
  }
  return violations;

  function leadsTo(ancestor: CommitId, commit: CommitId): boolean {
    const seen = new Set([commit]);
    for (const one of seen) for (const parent of repository.commits.get(one)?.parents ?? []) seen.add(parent);
    return seen.has(ancestor);
  }
}
