import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { makeTestRepository, type TestRepository } from "../contract/git-repository.ts";
import { fleet, prepareFleet } from "./fleet-process.ts";

const MANIFEST = "apiVersion: fleet/v1\ncluster: check\npaths: [.]\n";
const SERVICE = "[Service]\nExecStart=/bin/true\nStateDirectory=db\n";
const EXPECTED = "machines: 2\nexpect:\n  - { placed: db.service, on: m1 }\n";

describe("fleet test", () => {
  let repository: TestRepository;

  before(async () => {
    await prepareFleet();
    repository = makeTestRepository();
  });
  after(() => repository.remove());

  const run = (...words: string[]) => fleet(["test", ...words], { cwd: repository.path });

  test("a commit without tests is no success", async () => {
    repository.commit({ "fleet.yaml": MANIFEST, "db.service": SERVICE });
    const { code, stderr } = await run();
    assert.equal(code, 1);
    assert.match(stderr, /no tests\/\*\.yaml in this commit/);
  });

  test("what is as expected ends with 0, and says how much that was", async () => {
    repository.commit({ "tests/home.yaml": EXPECTED });
    const { code, stdout } = await run();
    assert.equal(stdout, "ok   tests/home.yaml: 1 of 1 as expected\n\n1 as expected, 0 failed\n");
    assert.equal(code, 0);
  });

  test("the working tree is tested when asked, and what fails there ends with 1", async () => {
    writeFileSync(join(repository.path, "tests/home.yaml"), `${EXPECTED}  - survives: m1\n`);
    assert.equal((await run()).code, 0);
    const { code, stdout } = await run("--worktree", "--json");
    assert.equal(code, 1);
    const { passed, files } = JSON.parse(stdout);
    assert.equal(passed, false);
    assert.deepEqual(
      files[0].judged.flatMap((judged: { failures: unknown[] }) => judged.failures),
      [
        {
          code: "stays-down",
          lost: ["m1"],
          unit: "db.service",
          because: { code: "data-stays", because: "StateDirectory=db" },
        },
      ],
    );
  });
});
