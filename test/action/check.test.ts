/** `command: check` on a schedule: one issue for as long as the cluster is not as its repository says. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ActionWorld, type RunOptions } from "./action-world.ts";
import { BOT } from "./github-server.ts";
import { PretendEngine } from "./pretend-engine.ts";

const MANIFEST = "apiVersion: fleet/v1\ncluster: shop\nadmit: any\n";
const service = (text: string) => `[Service]\nExecStart=/bin/echo ${text}\n`;

describe("check on a schedule", { concurrency: false }, () => {
  let world: ActionWorld;
  let engine: PretendEngine;
  before(async () => {
    world = await ActionWorld.start();
    engine = new PretendEngine(world.cluster);
    world.commit({ "fleet.yaml": MANIFEST, "units/web.service": service("one") });
    const applied = await world.run({ inputs: { command: "apply", "auto-approve": "true", timeout: "20s" } });
    assert.equal(applied.code, 0, applied.log);
  });
  after(async () => {
    await engine?.stop();
    await world?.stop();
  });
  const check = (inputs: RunOptions["inputs"] = {}) =>
    world.run({ event: "schedule", inputs: { command: "check", ...inputs } });
  const written = () => world.github.requests.filter((request) => !/^GET|graphql/.test(request));

  test("where all is as it should be there is no issue, and none is opened", async () => {
    const result = await check();
    assert.deepEqual([result.code, result.outputs.exitcode, result.outputs.drift], [0, "0", "0"], result.log);
    assert.equal(result.outputs.summary, "shop: no changes; no drift");
    assert.deepEqual([world.github.issues, written()], [[], []]);
  });

  test("what differs opens one issue, also behind pages of others, and beside one that only looks like ours", async () => {
    world.commit({ "units/web.service": service("two") });
    const kept = { login: "alice", body: "talk", state: "open", minimized: false } as const;
    for (let number = 1; number <= 100; number++)
      world.github.issues.push({ ...kept, number, ...(number % 2 === 0 ? { pull_request: {} } : {}) });
    const result = await check();
    assert.deepEqual(
      [result.code, result.outputs.exitcode, result.outputs["failure-reason"]],
      [0, "2", ""],
      result.log,
    );
    const [issue, ...others] = world.github.issues.filter(({ login }) => login === BOT);
    assert.equal(others.length, 0);
    assert.equal(issue!.title, "shop is not as its repository says");
    assert.match(issue!.body, /### shop: 1 file changes: 1 restart/);
    assert.match(result.outputs["issue-url"]!, new RegExp(`#${issue!.number}$`));
    world.github.issues.push({ ...kept, number: 101, body: issue!.body });
  });

  test("nothing is written while nothing is new", async () => {
    world.github.requests.length = 0;
    assert.equal((await check()).code, 0);
    assert.deepEqual(written(), []);
  });

  test("news edits it", async () => {
    world.commit({ "units/web.service": service("three"), "units/db.service": service("one") });
    assert.equal((await check()).code, 0);
    const [issue] = world.github.issues.filter(({ login }) => login === BOT);
    assert.match(issue!.body, /### shop: 2 files change/);
  });

  test("another label has another issue", async () => {
    await check({ label: "west" });
    const own = world.github.issues.filter(({ login }) => login === BOT);
    assert.deepEqual(
      own.map(({ title }) => title),
      ["shop is not as its repository says", "shop (west) is not as its repository says"],
    );
    own[1]!.state = "closed";
  });

  const REDS: readonly [Record<string, string>, number, string][] = [
    [{ "fail-on-changes": "true" }, 1, "drift"],
    [{ "detailed-exitcode": "true" }, 2, "drift"],
  ];
  for (const [inputs, code, why] of REDS) {
    test(`it is red only if asked: ${JSON.stringify(inputs)}`, async () => {
      const result = await check({ ...inputs, comment: "false" });
      assert.deepEqual([result.code, result.outputs["failure-reason"]], [code, why]);
    });
  }

  test("what GitHub refuses is a warning", async () => {
    world.github.script({ method: "GET", path: /issues/, status: 410, body: { message: "Issues are disabled" } });
    const result = await check();
    assert.equal(result.code, 0);
    assert.match(result.outputs.warnings!, /the issue about drift was not written: .*Issues are disabled/);
  });

  test("once it is gone the issue is closed, and says since which commit", async () => {
    const applied = await world.run({ inputs: { command: "apply", "auto-approve": "true", timeout: "20s" } });
    assert.equal(applied.code, 0, applied.log);
    const result = await check();
    assert.equal(result.outputs.summary, "shop: no changes; no drift");
    const own = world.github.issues.filter(({ login }) => login === BOT);
    assert.deepEqual(
      own.map(({ state }) => state),
      ["closed", "closed"],
    );
    const [comment] = world.github.comments.get(own[0]!.number)!;
    assert.match(comment!.body, /^As it should be again at `[0-9a-f]{7}`\.$/);
    assert.equal(
      world.github.issues.find(({ number }) => number === 101)!.state,
      "open",
      "somebody else's is not ours",
    );
  });

  test("what somebody did on a machine is drift, although the commit changes nothing", async () => {
    engine.mood = "sleeps";
    await engine.stopsUnit("web.service");
    const result = await check();
    assert.deepEqual(
      [result.outputs.changes, result.outputs.drift, result.outputs.exitcode],
      ["false", "1", "2"],
      result.log,
    );
    const issue = world.github.issues.findLast(({ login }) => login === BOT)!;
    assert.match(issue.body, /- web\.service on m\d: is inactive \\\(dead\\\)/);
  });

  test("a cluster that cannot be asked is an error, and its issue stays", async () => {
    const result = await check({ registry: "unix:/nowhere.sock" });
    assert.equal(result.code, 1);
    assert.equal(world.github.issues.findLast(({ login }) => login === BOT)!.state, "open");
  });
});
