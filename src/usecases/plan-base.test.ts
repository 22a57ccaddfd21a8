import assert from "node:assert/strict";
import { test } from "node:test";
import { compileRepository } from "../../test/compile-repository.ts";
import type { Release } from "../domain/cluster/cluster-snapshot.ts";
import type { CommitId } from "../domain/names.ts";
import type { ReleaseId, RolloutPhase, RolloutRecord } from "../domain/rollout/rollout-record.ts";
import type { ClusterSpec } from "../domain/spec/cluster-spec.ts";
import { OperationError } from "../ports/operation-error.ts";
import { planBase } from "./plan-base.ts";

/** Commits of this repository: each a spec of its own. */
const [OLD, FORCE, NEXT] = ["old", "force", "next"].map((text) => specOf(text)) as [
  ClusterSpec,
  ClusterSpec,
  ClusterSpec,
];
const COMMITS = new Map([
  ["0", OLD],
  ["1", FORCE],
]);

function specOf(text: string, rings = 'rings: [{ match: "*" }]\n'): ClusterSpec {
  const { spec } = compileRepository({
    "fleet.yaml": `apiVersion: fleet/v1\ncluster: test\n${rings}`,
    "units/a.service": `[Service]\nExecStart=/bin/${text}\n`,
  });
  assert.ok(spec);
  return spec;
}

async function compile(commit: CommitId) {
  const spec = COMMITS.get(commit);
  if (spec === undefined) throw new OperationError("commit-unknown", `no commit ${commit}`);
  return { spec, diagnostics: [] };
}

function release(seq: number, spec: ClusterSpec, commit = String(seq - 1)): ReleaseId {
  return { seq, commit: commit as CommitId, specHash: spec.specHash };
}

function inForce(phase: RolloutPhase, base: ReleaseId | null) {
  const id = release(2, FORCE);
  const record: RolloutRecord = {
    release: id,
    base,
    phase,
    openRings: 1,
    soakedMs: 0,
    bakes: [],
    failures: [],
    orderRevision: 0,
    since: "2026-11-21T00:00:00Z",
  };
  return { release: id as Release, rollouts: { records: [{ seq: 2, record, modRevision: 1 }], orders: [] } };
}

test("after a release that ended well that one is the base", async () => {
  const { base } = await planBase(compile, NEXT, inForce("done", release(1, OLD)));
  assert.deepEqual(base, FORCE);
});

test("after one that did not, it is the last one before that did", async () => {
  for (const phase of ["rolling", "held", "rolled-back", "aborted"] as const) {
    const { base } = await planBase(compile, NEXT, inForce(phase, release(1, OLD)));
    assert.deepEqual(base, OLD);
  }
  assert.deepEqual(await planBase(compile, NEXT, inForce("rolling", null)), { base: null });
});

test("a plan of the release in force has that release's own base", async () => {
  const { base } = await planBase(compile, FORCE, inForce("done", release(1, OLD)));
  assert.deepEqual(base, OLD);
});

test("a base whose commit is not here, or is another than was released, is not known", async () => {
  const gone = await planBase(compile, NEXT, inForce("held", release(1, OLD, "9")));
  const other = await planBase(compile, NEXT, inForce("held", { ...release(1, OLD), specHash: NEXT.specHash }));
  assert.deepEqual([gone, other], [{ base: "unknown" }, { base: "unknown" }]);
});

test("what runs still in the version before is known, whatever the commit asks for", async () => {
  for (const spec of [specOf("next", ""), FORCE]) {
    assert.deepEqual(await planBase(compile, spec, inForce("paused", release(1, OLD))), { base: OLD });
  }
});

test("nothing is compiled where nobody asks for a base, or nothing is known of rollouts", async () => {
  const never = () => Promise.reject(new Error("compiled"));
  assert.deepEqual(await planBase(never, specOf("next", ""), inForce("done", release(1, OLD))), {});
  assert.deepEqual(await planBase(never, NEXT, { release: null }), {});
});
