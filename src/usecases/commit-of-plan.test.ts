import assert from "node:assert/strict";
import { test } from "node:test";
import { trustOf } from "../../test/trust-of.ts";
import { MemoryGitSource, MemoryRepository } from "../adapters/memory/memory-git-source.ts";
import { VirtualClock } from "../adapters/memory/virtual-clock.ts";
import { MvccRegistry } from "../adapters/mvcc/mvcc-registry.ts";
import { MvccStore } from "../adapters/mvcc/mvcc-store.ts";
import { sha256 } from "../adapters/sha256.ts";
import { encodeRecord } from "../codec/record.ts";
import { registryKeys } from "../codec/registry-keys.ts";
import type { CommitId, MachineId } from "../domain/names.ts";
import { planChanges } from "../domain/plan/plan-changes.ts";
import { OperationError } from "../ports/operation-error.ts";
import { applyPlan } from "./apply-plan.ts";
import { commitOfPlan } from "./commit-of-plan.ts";
import { commitCompiler } from "./compile-commit.ts";
import { planCommit } from "./plan-commit.ts";
import { readPlan } from "./read-plan.ts";

const MANIFEST = "apiVersion: fleet/v1\ncluster: prod\n";
const keys = registryKeys("prod");
const MACHINE = "1".repeat(32) as MachineId;
const unitFile = (text: string) => `[Service]\nExecStart=/bin/echo ${text}\n`;

const BASE = { "fleet.yaml": MANIFEST, "units/web.service": unitFile("one"), "units/db.service": unitFile("one") };
/** What the reviewed branch does. */
const CHANGED = { ...BASE, "units/web.service": unitFile("two") };
const UNRELATED = { "README.md": "how we work" };

/** `main` with a release of BASE, and a plan of a commit on a branch made from there. */
async function reviewed() {
  const clock = new VirtualClock();
  const registry = new MvccRegistry(new MvccStore(), clock);
  const repository = new MemoryRepository();
  const source = new MemoryGitSource(repository, "main");
  const compile = commitCompiler({ source, manifestPath: "fleet.yaml", sha256 });
  const cluster = { registry, keysOf: registryKeys };
  const trust = trustOf(source);
  const place = { source, sourceName: "https://git.example/r", branch: "main", trust };
  let ids = 0;
  const plan = async (commit: CommitId) => {
    const planned = await planCommit({ commit, compile, cluster, partial: null, sha256 });
    if (planned.kind !== "planned") throw new Error(JSON.stringify(planned.diagnostics));
    return planned;
  };
  const member = { name: "m1", address: "", metadata: {}, bootId: "", version: "", joined: "", acceptedSeq: 0 };
  await registry.txn({
    when: [],
    then: [
      { kind: "put", key: keys.member(MACHINE), value: encodeRecord(member) },
      { kind: "put", key: keys.presence(MACHINE), value: encodeRecord({ bootId: "", op: "" }) },
    ],
  });
  const release = async (input: Pick<Parameters<typeof applyPlan>[0], "plan" | "spec" | "commit">) =>
    applyPlan({
      ...place,
      ...input,
      registry,
      keys,
      manifest: "fleet.yaml",
      by: "ann",
      clock,
      newId: () => `id${++ids}`,
      sha256,
    });
  const base = repository.push("main", BASE, "base");
  await release(await plan(base));
  const branch = repository.commit(CHANGED, { parents: [base], subject: "reviewed" });
  const saved = await plan(branch);
  const find = (revision: string | null = null) =>
    commitOfPlan({ ...place, plan: saved.plan, cluster, compile, revision, sha256 });
  return { registry, repository, source, base, branch, saved, find, release };
}

type Reviewed = Awaited<ReturnType<typeof reviewed>>;

/** What somebody does to main, and which commit is then released: the plan's own, or main's tip. */
const TAKEN: readonly [string, "own" | "tip", (world: Reviewed) => void][] = [
  [
    "a fast-forward to it: the branch's own commit",
    "own",
    ({ repository, branch }) => repository.setBranch("main", branch),
  ],
  [
    "a merge commit: the branch's own commit, which is part of main now",
    "own",
    ({ repository, base, branch }) =>
      repository.setBranch("main", repository.commit(CHANGED, { parents: [base, branch], subject: "merge" })),
  ],
  [
    "a merge that also brings another change of units: the branch's own commit, as it was reviewed",
    "own",
    ({ repository, base, branch }) => {
      const other = repository.commit({ ...BASE, "units/db.service": unitFile("two") }, { parents: [base] });
      const both = { ...CHANGED, "units/db.service": unitFile("two") };
      repository.setBranch("main", repository.commit(both, { parents: [other, branch], subject: "merge" }));
    },
  ],
  ["a squash: main's tip", "tip", ({ repository }) => void repository.push("main", CHANGED, "reviewed (#7)")],
  [
    "a rebase onto a main that went on elsewhere: main's tip",
    "tip",
    ({ repository }) => {
      repository.push("main", { ...BASE, ...UNRELATED }, "unrelated");
      repository.push("main", { ...CHANGED, ...UNRELATED }, "reviewed");
    },
  ],
  [
    "a cherry-pick, and an unrelated file after it: main's tip",
    "tip",
    ({ repository }) => {
      repository.push("main", CHANGED, "picked");
      repository.push("main", { ...CHANGED, ...UNRELATED }, "unrelated");
    },
  ],
];

for (const [what, which, take] of TAKEN) {
  test(`a reviewed plan is applied after ${what}`, async () => {
    const world = await reviewed();
    take(world);
    const { saved, repository, registry } = world;
    const { commit, spec } = await world.find();
    assert.equal(commit, which === "own" ? world.branch : repository.branches.get("main"));
    const applied = await world.release({ plan: saved.plan, spec, commit });
    assert.ok(applied.kind === "released");
    const { planId, contentId, specHash } = saved.plan;
    assert.deepEqual(
      [applied.release.commit, applied.release.planId, applied.release.contentId, applied.release.specHash],
      [commit, planId, contentId, specHash],
    );
    assert.deepEqual(await readPlan(registry, keys, planId), saved.plan, "the reviewed plan is kept");
    const again = await world.release({ plan: saved.plan, spec, commit });
    assert.ok(again.kind === "already");
    assert.equal(again.release.seq, 2);
  });
}

async function refusal(run: Promise<unknown>): Promise<{ code: string; message: string }> {
  return run.then(
    () => ({ code: "nothing", message: "" }),
    (error: unknown) => {
      if (!(error instanceof OperationError)) throw error;
      return { code: error.code, message: error.message };
    },
  );
}

const REFUSED: readonly [string, RegExp, (world: Reviewed) => void][] = [
  [
    "main has not taken it yet",
    /the tip of main: commit \w{12} differs from the plan in web\.service$/,
    () => undefined,
  ],
  [
    "main took it and another change of units",
    /is not on branch main .*; the tip of main: commit \w{12} differs from the plan in db\.service, new\.service$/,
    ({ repository }) => {
      const more = { "units/db.service": unitFile("two"), "units/new.service": unitFile("new") };
      repository.push("main", { ...CHANGED, ...more }, "squash");
    },
  ],
  [
    "main took it, and its manifest says something else of the rollout",
    /differs from the plan in what its manifest says of placement and rollout$/,
    ({ repository }) =>
      void repository.push("main", { ...CHANGED, "fleet.yaml": `${MANIFEST}loss: { grace: 5m }\n` }, "squash"),
  ],
  [
    "main's tip does not compile",
    /the tip of main: commit \w{12} has 1 error$/,
    ({ repository }) => void repository.push("main", { ...CHANGED, "fleet.yaml": `${MANIFEST}no: key\n` }, "squash"),
  ],
];

for (const [what, message, move] of REFUSED) {
  test(`a reviewed plan is refused where ${what}, and it is said what differs`, async () => {
    const world = await reviewed();
    move(world);
    const refused = await refusal(world.find());
    assert.equal(refused.code, "not-on-branch");
    assert.match(refused.message, message);
  });
}

test("where main went on after a squash, the squash can be named", async () => {
  const world = await reviewed();
  const squash = world.repository.push("main", CHANGED, "squash");
  world.repository.push("main", { ...CHANGED, "units/db.service": unitFile("three") }, "next");
  assert.equal((await refusal(world.find())).code, "not-on-branch");
  assert.equal((await world.find("main~1")).commit, squash);
  const elsewhere = world.repository.commit(CHANGED, { parents: [world.base], subject: "elsewhere" });
  assert.match((await refusal(world.find(elsewhere))).message, /; the commit named: commit \w+ is not on branch main/);
  assert.equal((await refusal(world.find("v9"))).code, "commit-unknown");
});

test("where nobody can tell whether main has the reviewed commit, a squash at its tip is taken all the same", async () => {
  const world = await reviewed();
  const squash = world.repository.push("main", CHANGED, "squash");
  world.source.shallow = true;
  assert.equal((await world.find()).commit, squash);
  world.repository.push("main", { ...CHANGED, "units/db.service": unitFile("three") }, "next");
  assert.match((await refusal(world.find())).message, /^cannot tell whether .*; the tip of main: .* in db\.service$/);
});

test("a branch that was rewritten behind the release is refused by that name", async () => {
  const world = await reviewed();
  const rewritten = world.repository.commit(CHANGED, { subject: "without its past" });
  world.repository.setBranch("main", rewritten);
  const refused = await refusal(world.find());
  assert.match(refused.message, /; the tip of main: commit \w+ does not descend from \w+, the commit of release 1/);
});

test("a plan made where the release's commit was not known is applied: it knew fewer effects, and decided the same", async () => {
  const world = await reviewed();
  const { spec, snapshot, machines } = world.saved;
  const input = { spec, snapshot, machines, released: null, commit: world.branch, partial: null, sha256 };
  const { plan } = { plan: planChanges(input) };
  world.repository.setBranch("main", world.branch);
  const applied = await world.release({ plan, spec });
  assert.equal(applied.kind, "released");
});
