/** What stands beside a commit, and the comment on a fork's pull request by a run that may write one. */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { parseMarker } from "../../src/action/marker.ts";
import { ActionWorld, type RunOptions } from "./action-world.ts";

const MANIFEST = "apiVersion: fleet/v1\ncluster: shop\nadmit: any\n";
const service = (text: string) => `[Service]\nExecStart=/bin/echo ${text}\n`;

describe("commit statuses", { concurrency: false }, () => {
  let world: ActionWorld;
  let head: string;
  before(async () => {
    world = await ActionWorld.start();
    head = world.commit({
      "fleet.yaml": MANIFEST,
      "units/web.service": service("one"),
      "west/fleet.yaml": MANIFEST.replace("shop", "west"),
      "west/units/db.service": service("db"),
    });
  });
  after(() => world?.stop());
  afterEach(() => world.github.reset());
  const run = (inputs: RunOptions["inputs"] = {}, rest: Partial<RunOptions> = {}) =>
    world.run({ ...rest, inputs: { command: "plan", status: "true", ...inputs } });

  test("a plan's has the cluster in its context, says what it came to, and where to read more", async () => {
    const result = await run();
    assert.equal(result.code, 0, result.log);
    const [status, ...others] = world.github.statuses;
    assert.deepEqual(others, []);
    assert.deepEqual(status, {
      ...{ sha: head, state: "success", context: "fleet/shop/plan", description: result.outputs.summary },
      target_url: "https://github.example/acme/infra/actions/runs/99",
    });
  });

  test("none is posted unless asked for, and what GitHub refuses is a warning", async () => {
    assert.equal((await run({ status: "false" })).code, 0);
    assert.deepEqual(world.github.statuses, []);
    world.github.script({ method: "POST", path: /statuses/, status: 403, body: { message: "not accessible" } });
    const refused = await run();
    assert.deepEqual([refused.code, refused.outputs["failure-reason"]], [0, ""]);
    assert.match(refused.outputs.warnings!, /^no commit status was posted: .*give the job the permission/);
    assert.match((await run({ "github-token": "" })).outputs.warnings!, /github-token is empty/);
  });

  test("wound 19: two clusters, and two labels, on one commit have a context each", async () => {
    const each: Record<string, string>[] = [{}, { manifest: "west/fleet.yaml" }, { label: "eu" }];
    for (const inputs of each) await run(inputs);
    assert.deepEqual(
      world.github.statuses.map(({ context }) => context),
      ["fleet/shop/plan", "fleet/west/plan", "fleet/shop/plan/eu"],
    );
  });

  test("of a pull request it stands on its branch's last commit, and not on the merge nobody sees", async () => {
    await run({}, { event: "pull_request", sha: "a".repeat(40) });
    assert.deepEqual(
      world.github.statuses.map(({ sha }) => sha),
      [head],
    );
  });

  test("what is red is a failure in the same context, in at most 140 characters", async () => {
    world.commit({ "units/web.service": "no section\n" });
    assert.equal((await run()).code, 1);
    const long = `${"x".repeat(150)}.service`;
    world.commit({ "units/web.service": `${service("one")}[X-Fleet]\nMachineOf=${long}\n` });
    await run({ command: "validate" });
    await run({ registry: "unix:/nowhere/at/all.sock" });
    assert.deepEqual(
      world.github.statuses.map(({ state, context }) => [state, context]),
      [
        ["failure", "fleet/shop/plan"],
        ["failure", "fleet/shop/validate"],
        ["failure", "fleet/shop/plan"],
      ],
    );
    for (const { description } of world.github.statuses) assert.ok(description.length <= 140 && description !== "");
    world.commit({ "fleet.yaml": "cluster: [\n" });
    await run();
    assert.equal(world.github.statuses.at(-1)?.context, "fleet/fleet.yaml/plan");
    world.commit({ "fleet.yaml": MANIFEST, "units/web.service": service("one") });
  });

  test("a fork's pull request gets its comment from the run that follows its own", async () => {
    const sha = world.repository.git(["rev-parse", "HEAD"]);
    world.github.open.set("mallory:evil", { number: 9, sha });
    const result = await run({}, { event: "workflow_run" });
    assert.deepEqual([result.code, result.outputs.warnings], [0, ""], result.log);
    assert.equal(parseMarker(world.github.own(9)[0]!.body)?.contentId, result.outputs["content-id"]);
    assert.equal(world.github.statuses[0]?.sha, sha);
  });

  test("nothing is commented on where that pull request has moved on, or where something else is checked out", async () => {
    world.github.open.set("mallory:evil", { number: 9, sha: "b".repeat(40) });
    const moved = await run({}, { event: "workflow_run" });
    assert.equal(moved.code, 0, moved.log);
    assert.match(moved.outputs.warnings!, /no open pull request at this commit any more/);
    const other = await run({}, { event: "workflow_run", headSha: "c".repeat(40) });
    assert.deepEqual([other.code, other.outputs["failure-reason"]], [1, "usage"], other.log);
    assert.deepEqual(world.github.own(9), []);
  });
});
