import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { makeTestRepository, type TestRepository } from "../contract/git-repository.ts";
import { fleet, prepareFleet } from "./fleet-process.ts";

const service = (fleetLines: string) => `[Service]\nExecStart=/bin/true\n[X-Fleet]\n${fleetLines}\n`;

describe("fleet plan --machine", () => {
  let repository: TestRepository;
  before(async () => {
    await prepareFleet();
    repository = makeTestRepository();
    repository.commit({
      "fleet.yaml":
        "apiVersion: fleet/v1\ncluster: edge\nadmit: any\nmachines: { site-1: { metadata: { site: a } } }\n",
      "units/web.service": service("Global=true"),
      "units/free.service": service(""),
    });
    repository.commit({ "units/probe.service": service("MachineMetadata=ring=canary\nMachineMetadata=site=a") });
  });
  after(() => repository.remove());

  const plan = (words: readonly string[]) => fleet(["plan", "--machine", "site-1", ...words], { cwd: repository.path });

  test("says from git alone what a machine would run, and what changes there from the commit before", async () => {
    const { code, stdout } = await plan(["--metadata", "ring=canary", "--detailed-exitcode"]);
    assert.equal(code, 2);
    assert.match(stdout, /^site-1 would run 2 units of [0-9a-f]{12} \(ring=canary,site=a\)$/m);
    assert.match(stdout, /start +1 +\+ +probe\.service +site-1/);
    assert.match(stdout, /^unchanged: web\.service$/m);
    assert.match(stdout, /^not for standalone:\n {2}free\.service {2}nothing says on which machine it runs$/m);
  });

  test("a machine without that metadata is given nothing new", async () => {
    const { code, stdout } = await plan(["--json", "--detailed-exitcode"]);
    const { changes, set } = JSON.parse(stdout);
    assert.deepEqual([code, changes, set.placements.length], [0, [], 1]);
  });

  test("no parent and --against a commit that is none are told apart", async () => {
    const first = await plan(["--revision", "HEAD~1"]);
    assert.match(first.stdout, /changes from a machine that runs nothing yet/);
    const none = await plan(["--against", "nowhere"]);
    assert.deepEqual([none.code, none.stdout], [1, ""]);
    assert.match(none.stderr, /there is no commit nowhere/);
  });
});
