import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fleet } from "./fleet-process.ts";
import { type OneWebUnit, oneWebUnit } from "./one-web-unit.ts";

describe("fleetctl's verbs as edits of the repository", { concurrency: false }, () => {
  let world: OneWebUnit;
  const drafts = mkdtempSync(join(tmpdir(), "fleet-drafts-"));
  before(async () => {
    world = await oneWebUnit("m1");
    world.repository.git(["config", "user.name", "Ada Author"]);
    world.repository.git(["config", "user.email", "ada@example.org"]);
  });
  after(() => {
    rmSync(drafts, { recursive: true, force: true });
    return world?.end();
  });

  const run = (...words: readonly string[]) => fleet(words, world.options);
  const read = (path: string) => readFileSync(join(world.repository.path, path), "utf8");
  const dirt = () => world.repository.git(["status", "--porcelain"]).trim();

  test("a word shows the diff and the plan, and writes the working tree only", async () => {
    const { code, stdout, stderr } = await run("stop", "web");
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^\+units:\n\+ {2}web\.service: \{ state: loaded \}$/m);
    assert.match(stdout, /web\.service/);
    assert.match(stderr, /written to the working tree; next: git commit/);
    assert.equal(dirt(), "M fleet.yaml");
    assert.equal((await run("start", "web.service")).code, 0);
    assert.match(read("fleet.yaml"), /web\.service: \{ state: launched \}/);
    world.repository.git(["checkout", "-q", "."]);
  });

  test("a file at hand comes in and is committed, alone and with a reason", async () => {
    const file = join(drafts, "api@.service");
    writeFileSync(file, "[Service]\nExecStart=/bin/sleep 1d\n");
    const { code, stdout, stderr } = await run(
      "start",
      join(drafts, "api@1.service"),
      "--commit",
      "-m",
      "We need one.",
    );
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^start .* api@1\.service {2}m1 /m);
    assert.equal(dirt(), "");
    assert.equal(read("units/api@.service"), "[Service]\nExecStart=/bin/sleep 1d\n");
    const message = world.repository.git(["log", "-1", "--format=%B"]);
    assert.equal(message.trim(), "Start api@1.service\n\nWe need one.");
    const scaled = await run("scale", "api=3", "--commit");
    assert.equal(scaled.code, 0, scaled.stderr);
    assert.match(read("fleet.yaml"), /api@\.service: \{ instances: 3 \}/);
    const gone = await run("destroy", "api@.service", "--commit");
    assert.equal(gone.code, 0, gone.stderr);
    assert.equal(existsSync(join(world.repository.path, "units/api@.service")), false);
    assert.doesNotMatch(read("fleet.yaml"), /api@/);
  });

  test("what cannot be done changes nothing, and each unit is told", async () => {
    const head = world.repository.git(["rev-parse", "HEAD"]);
    const refused = await run("stop", "wep.service", "nix.service", "--commit");
    assert.equal(refused.code, 1);
    assert.match(
      refused.stderr,
      /there is no unit wep\.service .*\[unit-unknown\]\n {2}next: did you mean web\.service\?/,
    );
    assert.match(refused.stderr, /there is no unit nix\.service/);
    writeFileSync(join(drafts, "bad.service"), "ExecStart=/bin/true\n");
    const bad = await run("start", join(drafts, "bad.service"), "--commit");
    assert.equal(bad.code, 1);
    assert.match(bad.stderr, /^units\/bad\.service:1:\d+: error: /m);
    assert.deepEqual([dirt(), world.repository.git(["rev-parse", "HEAD"])], ["", head]);
    writeFileSync(join(world.repository.path, "note.txt"), "mine\n");
    const dirty = await run("restart", "web.service", "--commit");
    assert.match(dirty.stderr, /\[worktree-dirty\]/);
    assert.equal(dirt(), "?? note.txt");
  });

  test("a restart is planned as one, and JSON says the same", async () => {
    const { code, stdout, stderr } = await run("restart", "web.service", "--json");
    assert.equal(code, 0, stderr);
    const shown = JSON.parse(stdout) as { files: unknown; commit: unknown; plan: { plan?: unknown } };
    assert.deepEqual(shown.files, [{ path: "fleet.yaml", change: "written" }]);
    assert.equal(shown.commit, null);
    assert.ok(shown.plan !== null);
    assert.match(read("fleet.yaml"), /web\.service: \{ restartedAfter: \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ \}/);
  });

  test("units of another tool come in, and what is not in order is put in order", async () => {
    world.repository.git(["checkout", "-q", "."]);
    rmSync(join(world.repository.path, "note.txt"), { force: true });
    const dump = join(drafts, "units.json");
    const options = [{ section: "Service", name: "ExecStart", value: "/bin/sleep 1d" }];
    writeFileSync(dump, JSON.stringify({ units: [{ name: "old.service", desiredState: "loaded", options }] }));
    const imported = await run("import", dump, "--adopt", "--commit");
    assert.equal(imported.code, 0, imported.stderr);
    assert.equal(read("units/old.service"), "[Service]\nExecStart=/bin/sleep 1d\n");
    assert.match(read("fleet.yaml"), /^defaults: \{ adopt: true \}\nunits:\n {2}old\.service: \{ state: loaded \}$/m);
    const folder = mkdtempSync(join(drafts, "etc-"));
    writeFileSync(join(folder, "db.service"), "[Service]\n  ExecStart = /bin/sleep 2d \n\n\n");
    const [none, some] = [await run("import", folder, "--only", "x*"), await run("import", folder, "--commit")];
    assert.match(none.stderr, /no such units \[nothing-found\]\n {2}next: it has db\.service/);
    assert.equal(some.code, 0, some.stderr);
    const check = await run("fmt", "--check");
    assert.deepEqual([check.code, check.stdout], [1, "units/db.service\n"]);
    assert.equal((await run("fmt")).code, 0);
    assert.equal(read("units/db.service"), "[Service]\nExecStart=/bin/sleep 2d\n");
    assert.deepEqual(await run("fmt", "--check"), { code: 0, stdout: "", stderr: "" });
  });
});
