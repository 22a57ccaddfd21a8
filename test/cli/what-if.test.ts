import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { makeTestRepository, type TestRepository } from "../contract/git-repository.ts";
import { fleet, prepareFleet } from "./fleet-process.ts";
import { PretendCluster } from "./pretend-cluster.ts";

const MANIFEST = "apiVersion: fleet/v1\ncluster: shop\n";
const SERVICE = "[Service]\nExecStart=/bin/true\n";
const DB = `${SERVICE}StateDirectory=db\n[X-Fleet]\nMachineMetadata=role=storage\n`;

describe("what if machines are lost, as a check", () => {
  let repository: TestRepository;
  let cluster: PretendCluster;

  before(async () => {
    await prepareFleet();
    cluster = await PretendCluster.start();
    repository = makeTestRepository();
    repository.commit({ "fleet.yaml": MANIFEST, "units/web.service": SERVICE, "units/db.service": DB });
    await cluster.join("shop", "nas", { role: "storage", zone: "a" });
    await cluster.join("shop", "pi", { zone: "b" });
  });
  after(async () => {
    await cluster?.stop();
    repository?.remove();
  });

  const plan = (...words: readonly string[]) =>
    fleet(["plan", ...words], { cwd: repository.path, registry: cluster.address });

  test("a loss that everything survives ends with 0", async () => {
    const { code, stdout } = await plan("--without", "zone=b");
    assert.equal(code, 0, stdout);
    assert.match(stdout, /a view of the loss of pi: cannot be applied/);
    assert.match(stdout, /^lose pi: 1 moves\n {2}moves {2}web\.service: pi -> nas\n\nsurvives it/m);
  });

  test("one that leaves something down ends with 1, says why, and JSON has the same", async () => {
    const { code, stdout } = await plan("--n-1");
    assert.equal(code, 1);
    assert.match(stdout, /^lose nas: 1 stays down/m);
    assert.match(stdout, /^does not survive 1 of 2 losses$/m);
    const json = await plan("--without", "nas", "--without", "pi", "--json");
    assert.equal(json.code, 1);
    const { whatIf, partial } = JSON.parse(json.stdout);
    assert.equal(partial, "the loss of nas, pi");
    assert.deepEqual(
      whatIf[0].down.map(({ unit, because }: { unit: string; because: { code: string } }) => [unit, because.code]),
      [
        ["db.service", "data-stays"],
        ["web.service", "nothing-fits"],
      ],
    );
  });

  test("a name of no machine is an error that names those there are", async () => {
    const { code, stderr } = await plan("--without", "nax");
    assert.equal(code, 1);
    assert.match(stderr, /no machine matches nax[\s\S]*there are nas, pi/);
  });

  test("a plan that assumes a loss is a view, and apply refuses it", async () => {
    const file = join(repository.path, ".git", "without.plan");
    await plan("--without", "pi", "--out", file);
    const { code } = await fleet(["apply", file, "--yes"], { cwd: repository.path, registry: cluster.address });
    assert.equal(code, 1);
    assert.equal(JSON.parse((await plan("--json")).stdout).base.releaseSeq, 0);
  });
});
