import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { mustRun } from "../../src/lab/run-program.ts";
import { ClusterOnLab } from "./cluster-on-lab.ts";
import { eventually, labSkipReason } from "./lab-name.ts";

const MACHINES = 3;
const SERVICE = "[Service]\nExecStart=/bin/sleep infinity\n";
const MANIFEST = `apiVersion: fleet/v1
cluster: hello
admit: any
release: { by: sync }
sync: { interval: 2s }
`;
const FIRST = ["a", "b", "c", "d", "e", "f"].map((name) => `units/${name}.service`);

describe("three machines whose engines follow the branch over HTTP", {
  skip: labSkipReason(),
  concurrency: false,
}, () => {
  let cluster: ClusterOnLab;

  before(async () => {
    cluster = await ClusterOnLab.up("hello", MACHINES);
    await mustRun(["git", "-C", cluster.repository, "config", "user.name", "ann"]);
    await mustRun(["git", "-C", cluster.repository, "config", "user.email", "ann@localhost"]);
    const example = await mustRun(["git", "-C", cluster.repository, "ls-files", "units"]);
    const old = example.split("\n").filter((path) => path !== "");
    await cluster.commit("the engine follows", {
      ...Object.fromEntries(old.map((path) => [path, null])),
      ...Object.fromEntries(FIRST.map((path) => [path, SERVICE])),
      "fleet.yaml": MANIFEST,
    });
    const { code, stderr } = await cluster.fleet("apply", "--auto-approve", "--allow-deletes", "--timeout", "60s");
    assert.equal(code, 0, stderr);
  });

  afterEach(async (context) => {
    if (!(context as { passed?: boolean }).passed) console.error(await cluster.report());
  });

  after(() => cluster?.down());

  const active = async () =>
    (await cluster.status()).units.filter(({ active }) => active === "active").map(({ unit }) => unit);

  test("a commit is pushed, and runs, with nobody typing", async () => {
    const commit = await cluster.commit("one more", { "units/g.service": SERVICE });
    await eventually("the pushed unit runs", async () => (await active()).includes("g.service"));
    const { release } = await cluster.status();
    assert.deepEqual([release?.seq, release?.commit], [2, commit]);
  });

  test("one that stops most units is held and said, and goes once it is approved; what stays is not restarted", async () => {
    const kept = async () =>
      (await cluster.status()).units.filter(({ unit }) => ["e.service", "f.service", "g.service"].includes(unit));
    const before = (await kept()).map(({ invocation }) => invocation);
    const commit = await cluster.commit("fewer", Object.fromEntries(FIRST.slice(0, 4).map((path) => [path, null])));
    await eventually("the status says what is held", async () =>
      (await cluster.fleet("status")).stdout.includes(`commit ${commit.slice(0, 7)} is held`),
    );
    assert.match((await cluster.fleet("status")).stdout, /it stops 4 of 7 units; fleet approve shows it and asks/);
    assert.equal((await active()).length, 7);
    const approved = await cluster.fleet("approve", "--auto-approve");
    assert.equal(approved.code, 0, approved.stderr);
    const looked = await cluster.fleet("sync", "now");
    assert.match(looked.stdout, /^(release 3: commit|nothing new)/, looked.stderr);
    await eventually("four units are gone", async () => (await active()).length === 3);
    assert.equal((await cluster.status()).release?.commit, commit);
    assert.deepEqual(
      (await kept()).map(({ invocation }) => invocation),
      before,
    );
  });
});
