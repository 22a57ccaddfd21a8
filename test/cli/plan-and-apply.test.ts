import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { makeTestRepository, type TestRepository } from "../contract/git-repository.ts";
import { type FleetResult, fleet, prepareFleet } from "./fleet-process.ts";
import { PretendCluster } from "./pretend-cluster.ts";

const MANIFEST = "apiVersion: fleet/v1\ncluster: shop\n";
const SERVICE = "[Service]\nExecStart=/bin/true\n";

interface ShownPlan {
  readonly commit: string;
  readonly changes: readonly { readonly unit: string; readonly to: { machine: string } }[];
  readonly machines: readonly { readonly id: string; readonly name: string }[];
  readonly unknown: readonly string[];
  readonly counts: { readonly actions: { readonly add: number } };
  readonly planId: string;
}

/** One story: each test goes on where the one before it ended. */
describe("plan and apply, by their exit codes and what they print", { concurrency: false }, () => {
  let repository: TestRepository;
  let cluster: PretendCluster;
  let first: string;

  before(async () => {
    await prepareFleet();
    cluster = await PretendCluster.start();
    repository = makeTestRepository();
    first = repository.commit({ "fleet.yaml": MANIFEST, "units/web.service": SERVICE, "units/db.service": SERVICE });
  });

  after(async () => {
    await cluster?.stop();
    repository?.remove();
  });

  const inRepository = (...words: readonly string[]): Promise<FleetResult> => fleet(words, { cwd: repository.path });
  const onCluster = (...words: readonly string[]): Promise<FleetResult> =>
    fleet(words, { cwd: repository.path, registry: cluster.address });
  const planFile = (name: string): string => join(repository.path, ".git", name);

  test("without a registry a plan says what would run, and that is no error", async () => {
    const { code, stdout, stderr } = await inRepository("plan");
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(stdout, /^\+ {2}db\.service\n\+ {2}web\.service$/m);
    assert.match(stdout, /^no cluster yet: 2 units, 0 machines\./m);
    assert.equal((await inRepository("plan", "--detailed-exitcode")).code, 2);
  });

  test("a registry without machines is no error either", async () => {
    const { code, stdout } = await onCluster("plan");
    assert.equal(code, 0);
    assert.match(stdout, /^no cluster yet: 2 units, 0 machines\./m);
  });

  test("with machines it names one for each unit; JSON holds the same", async () => {
    await cluster.join("shop", "m1");
    await cluster.join("shop", "m2");
    const [text, json, detailed] = await Promise.all([
      onCluster("plan"),
      onCluster("plan", "--json"),
      onCluster("plan", "--detailed-exitcode"),
    ]);
    assert.deepEqual([text.code, json.code, detailed.code], [0, 0, 2]);
    assert.equal(detailed.stdout, text.stdout);
    const plan = JSON.parse(json.stdout) as ShownPlan;
    assert.equal(plan.commit, first);
    assert.equal(plan.counts.actions.add, 2);
    const names = new Map(plan.machines.map(({ id, name }) => [id, name]));
    const rows = [...text.stdout.matchAll(/^(?:start +2)? +\+ +(\S+) +(\S+) /gm)].map(([, ...cells]) => cells);
    assert.deepEqual(
      rows,
      plan.changes.map(({ unit, to }) => [unit, names.get(to.machine)]),
    );
  });

  test("the same inputs give the same bytes", async () => {
    const [one, two] = await Promise.all([
      onCluster("plan", "--out", planFile("one")),
      onCluster("plan", "--out", planFile("two")),
    ]);
    assert.equal(one.stdout, two.stdout);
    assert.equal(readFileSync(planFile("one"), "utf8"), readFileSync(planFile("two"), "utf8"));
  });

  test("a saved plan is shown as it was, but for the registry's revision and what only that moment knew", async () => {
    const shown = await inRepository("show", planFile("one"));
    assert.equal(shown.code, 0);
    assert.match(shown.stdout, /^shop {2}commit \w{7} {2}no release yet {2}2 machines$/m);
    const json = await inRepository("show", planFile("one"), "--json");
    assert.deepEqual(JSON.parse(json.stdout), JSON.parse(readFileSync(planFile("one"), "utf8")));
  });

  test("without a terminal somebody must have said yes", async () => {
    const before = await cluster.revision();
    const { code, stderr } = await onCluster("apply", "--detach");
    assert.equal(code, 1);
    assert.match(stderr, /^error: nobody is there to say yes \[not-approved\]\n {2}next: /m);
    assert.equal(await cluster.revision(), before);
  });

  test("a plan whose basis moved ends with 3, says what moved, and changes nothing", async () => {
    await cluster.join("shop", "m3");
    const before = await cluster.revision();
    const { code, stderr } = await onCluster("apply", planFile("one"), "--detach");
    assert.equal(code, 3);
    assert.match(stderr, /^stale plan: .*\n {2}machine m3 joined\nNothing was changed\. Plan again: fleet plan$/m);
    assert.doesNotMatch(stderr, /^ +at /m);
    assert.equal(await cluster.revision(), before);
  });

  test("a plan of the working tree is a view and cannot be applied; a dirty tree is said", async () => {
    writeFileSync(join(repository.path, "units/web.service"), `${SERVICE}Restart=always\n`);
    const dirty = await onCluster("plan");
    assert.match(dirty.stderr, /^the working tree has changes that no commit holds: this is the plan of HEAD/);
    const refused = await onCluster("apply", "--detach");
    assert.match(refused.stderr, /^the working tree has changes that no commit holds: HEAD is applied without them/);
    await onCluster("plan", "--worktree", "--out", planFile("view"));
    const before = await cluster.revision();
    const { code, stderr } = await onCluster("apply", planFile("view"), "--detach");
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^error: this plan shows the working tree only and cannot be applied \[plan-partial\]\n {2}next: /m,
    );
    assert.equal(await cluster.revision(), before);
    writeFileSync(join(repository.path, "units/web.service"), SERVICE);
  });

  test("a plan file edited by hand is refused", async () => {
    await onCluster("plan", "--out", planFile("fresh"));
    const text = readFileSync(planFile("fresh"), "utf8");
    writeFileSync(planFile("edited"), text.replace(/"cluster":"shop"/, '"cluster":"stop"'));
    const { code, stderr } = await onCluster("apply", planFile("edited"), "--detach");
    assert.equal(code, 1);
    assert.match(stderr, /^error: .* \[plan-(altered|refused)\]\n {2}next: /m);
    const shown = await onCluster("show", planFile("edited"));
    assert.match(shown.stderr, /^warning: this plan is not as it was made, and cannot be applied\n$/);
  });

  test("a fresh plan is applied, once; again is harmless", async () => {
    const applied = await onCluster("apply", planFile("fresh"), "--detach", "--json");
    assert.equal(applied.code, 0);
    const { result, release } = JSON.parse(applied.stdout) as {
      result: string;
      release: { seq: number; commit: string };
    };
    assert.deepEqual([result, release.seq, release.commit], ["released", 1, first]);
    const before = await cluster.revision();
    const again = await onCluster("apply", planFile("fresh"), "--detach");
    assert.equal(again.code, 0);
    assert.match(again.stderr, /^already applied as release 1 by /m);
    const byCommit = await onCluster("apply", "--detach");
    assert.equal(byCommit.code, 0, "what is in force needs no yes, whatever is still missing of it");
    assert.match(byCommit.stderr, /^already applied as release 1 by /m);
    assert.equal(await cluster.revision(), before);
  });

  test("the plan of a release is kept", async () => {
    const { code, stdout } = await onCluster("show", "1");
    assert.equal(code, 0);
    assert.match(stdout, /^shop {2}commit \w{7} /);
    const missing = await onCluster("show", "7");
    assert.deepEqual([missing.code, missing.stdout], [1, ""]);
    assert.match(missing.stderr, /^error: there is no release 7 \[release-unknown\]\n {2}next: /m);
  });

  test("what nobody converges ends with 5, and the release stays", async () => {
    const { code, stderr } = await onCluster("apply", "--auto-approve", "--timeout", "1s");
    assert.equal(code, 5);
    assert.doesNotMatch(stderr, /^ +at /m);
    assert.match((await onCluster("plan")).stdout, /was \w{7}/);
  });

  test("status and the lists print JSON that is JSON, and tables without empty ends of lines", async () => {
    for (const command of ["status", "list-machines", "list-units", "list-unit-files"]) {
      const [json, text] = await Promise.all([onCluster(command, "--json"), onCluster(command)]);
      assert.deepEqual([json.code, text.code], [0, 0], `${command}: ${json.stderr}${text.stderr}`);
      assert.doesNotThrow(() => JSON.parse(json.stdout), command);
      assert.doesNotMatch(text.stdout, /[ \t]$/m, command);
    }
  });
});
