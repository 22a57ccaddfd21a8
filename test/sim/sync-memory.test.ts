/** What an engine that follows the branch does again at each look, and what only once. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryGitSource } from "../../src/adapters/memory/memory-git-source.ts";
import { sha256 } from "../../src/adapters/sha256.ts";
import { SimCluster } from "../../src/sim/sim-cluster.ts";
import { commitCompiler } from "../../src/usecases/compile-commit.ts";
import { LapseWatch } from "../../src/usecases/lapse-watch.ts";
import { type SyncMemory, syncBranch } from "../../src/usecases/sync-branch.ts";
import { trustOf } from "../trust-of.ts";

const files = (driver: string, units: number, text = "/bin/sleep infinity") => ({
  "fleet.yaml": `apiVersion: fleet/v1\ncluster: sim\nadmit: any\nrelease: { by: ${driver} }\n`,
  ...Object.fromEntries(
    Array.from({ length: units }, (_, at) => [`units/u${at}.service`, `[Service]\nExecStart=${text}\n`]),
  ),
});

test("a commit that is held is planned again only once the commit, or what its plan read of the cluster, is another", async () => {
  const sim = new SimCluster({ seed: 1, machines: 3, engines: 1, cluster: "sim" });
  sim.start();
  await sim.clock.advance(3_000);
  await sim.apply(sim.commit(files("approval", 2), "first"));
  await sim.clock.advance(10_000);
  // The engine itself looks once a minute; here somebody else does, who leads as well.
  const source = new MemoryGitSource(sim.repository, "main");
  const compiled: string[] = [];
  const inner = commitCompiler({ source, manifestPath: "fleet.yaml", sha256 });
  const memory: SyncMemory = { made: null };
  const look = async () => {
    const { release, identity } = await sim.snapshot();
    const outcome = await syncBranch(
      {
        ...{ keys: sim.keys, policy: { by: "approval", intervalMs: 60_000 }, release: release!, identity: identity! },
        ...{ by: `engine-${"e".repeat(32)}`, when: [], watch: new LapseWatch(sim.clock), memory },
      },
      {
        ...{
          registry: sim.registry,
          source,
          trust: trustOf(source),
          clock: sim.clock,
          newId: () => sim.newId(),
          sha256,
        },
        compile: (commit) => {
          compiled.push(commit);
          return inner(commit);
        },
      },
    );
    assert.equal(outcome.kind, "held");
    return compiled.splice(0).length;
  };
  sim.commit(files("approval", 3), "second");
  const once = await look();
  assert.ok(once > 0);
  for (let at = 0; at < 3; at++) assert.equal(await look(), 0, "nothing has changed");
  sim.commit(files("approval", 4), "third");
  assert.equal(await look(), once, "another tip");
  assert.equal(await look(), 0);
  sim.machines[2]!.powerOff();
  await sim.clock.advance(30_000);
  assert.equal(await look(), once, "a machine is gone");
  assert.equal(await look(), 0);
  sim.commit({ ...files("approval", 4), "fleet.yaml": "cluster: [" }, "broken");
  assert.equal(await look(), 1, "it does not compile");
  assert.equal(await look(), 0, "nor does it a minute later");
  await sim.end();
});
