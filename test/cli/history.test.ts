import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Plan } from "../../src/domain/plan/plan.ts";
import { makeTestRepository } from "../contract/git-repository.ts";
import { fleet } from "./fleet-process.ts";
import { type OneWebUnit, oneWebUnit } from "./one-web-unit.ts";

describe("what was, who did it, and the way back", { concurrency: false }, () => {
  let world: OneWebUnit;
  before(async () => {
    world = await oneWebUnit("m1");
    world.repository.git(["config", "user.name", "Ada Author"]);
    world.repository.git(["config", "user.email", "ada@example.org"]);
  });
  after(() => world?.end());

  const run = (...words: readonly string[]) => fleet(words, world.options);
  const apply = async () => {
    const planned = await run("plan", "--json");
    const { code, stderr } = await run("apply", "--auto-approve", "--detach");
    assert.equal(code, 0, stderr);
    await world.cluster.place("shop", JSON.parse(planned.stdout) as Pick<Plan, "placements">);
  };

  test("history and diff know releases by number, blame the line's commit and release", async () => {
    await apply();
    world.repository.commit({ "units/web.service": "[Service]\nExecStart=/bin/true\nNice=5\n" }, "be nice");
    await apply();
    const [history, diff, blame] = await Promise.all([
      run("history"),
      run("diff", "@1", "@2"),
      run("blame", "web@m1", "--json"),
    ]);
    assert.deepEqual([history.code, diff.code, blame.code], [0, 0, 0], history.stderr + diff.stderr + blame.stderr);
    assert.match(history.stdout, /^@2 .* ~1 .* be nice$/m);
    assert.match(history.stdout, /^@1 .* \+1 .* change$/m);
    assert.match(diff.stdout, /^restart {2}1 {2}~ {2}web\.service .*Nice= changed$/m);
    assert.match(diff.stdout, /^\+Nice=5$/m);
    const { units } = JSON.parse(blame.stdout) as {
      units: {
        machine: string;
        directives: {
          text: string;
          at: unknown;
          origin: { facts: { subject: string }; applied: { release: { seq: number } } };
        }[];
      }[];
    };
    assert.equal(units[0]?.machine, "m1");
    assert.deepEqual(
      units[0]?.directives.map(({ text, at, origin }) => [text, at, origin.facts.subject, origin.applied.release.seq]),
      [
        ["ExecStart=/bin/true", { path: "units/web.service", line: 2, lastLine: 2 }, "change", 1],
        ["Nice=5", { path: "units/web.service", line: 3, lastLine: 3 }, "be nice", 2],
      ],
    );
  });

  test("without a registry git alone is asked, and that is said", async () => {
    const away = { cwd: world.repository.path };
    const [history, blame, diff] = await Promise.all([
      fleet(["history"], away),
      fleet(["blame", "web"], away),
      fleet(["diff", "HEAD~1"], away),
    ]);
    assert.deepEqual([history.code, blame.code, diff.code], [0, 0, 0]);
    assert.match(history.stderr, /no registry was asked which of them were applied/);
    assert.match(history.stdout, /^\w{8} +Ada Author .* ~1 +be nice$/m);
    assert.match(blame.stdout, /units\/web\.service:3 +\[Service\] Nice=5 .* \? +be nice$/m);
  });

  test("rollback refuses a dirty tree, and what HEAD does not come after", async () => {
    const { repository, options } = world;
    const file = join(repository.path, "units/web.service");
    const text = readFileSync(file, "utf8");
    writeFileSync(file, `${text}# mine\n`);
    const dirty = await run("rollback", "1");
    assert.equal(dirty.code, 1);
    assert.match(dirty.stderr, /worktree-dirty/);
    writeFileSync(file, text);
    repository.git(["switch", "--quiet", "--create", "old", "HEAD~1"]);
    const other = await fleet(["rollback", "main"], options);
    assert.match(other.stderr, /not-a-descendant/);
    const same = await fleet(["rollback", "HEAD"], options);
    assert.match(same.stderr, /nothing-to-undo/);
    repository.git(["switch", "--quiet", "main"]);
  });

  test("rollback commits the tree of the release before on top, shows its plan, and pushes only when asked", async () => {
    const { repository } = world;
    const remote = makeTestRepository({ bare: true });
    try {
      repository.git(["remote", "add", "origin", remote.path]);
      const tip = repository.git(["rev-parse", "HEAD"]);
      const back = await run("rollback", "-m", "too nice");
      assert.equal(back.code, 0, back.stderr);
      assert.match(back.stdout, /^restart +1 +~ +web\.service /m);
      assert.match(back.stderr, /nothing is pushed or applied/);
      assert.equal(repository.git(["rev-parse", "HEAD~1"]), tip);
      assert.equal(repository.git(["diff", "--stat", "HEAD", "HEAD~2"]), "", "its tree is the earlier one");
      assert.equal(repository.git(["status", "--porcelain"]), "");
      const message = repository.git(["log", "-1", "--format=%B"]);
      assert.match(message, /^Roll back to release 1 \(\w{12}\)$/m);
      assert.match(message, /^Why: too nice$/m);
      assert.match(message, /^- \w{12} be nice$/m);
      assert.equal(remote.git(["branch", "--list"]), "");
      const forth = await run("rollback", tip, "--push");
      assert.equal(forth.code, 0, forth.stderr);
      assert.equal(remote.git(["rev-parse", "main"]), repository.git(["rev-parse", "HEAD"]));
    } finally {
      remote.remove();
    }
  });
});
