/** `command: plan` on a pull request, as a runner runs it, against a server that stands for GitHub. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, afterEach, before, describe, test } from "node:test";
import { parseMarker } from "../../src/action/marker.ts";
import { ActionWorld, planAt, type RunOptions } from "./action-world.ts";

const MANIFEST = "apiVersion: fleet/v1\ncluster: shop\nadmit: any\n";
const service = (text: string) => `[Service]\nExecStart=/bin/echo ${text}\nRestart=always\n`;

describe("plan on a pull request", { concurrency: false }, () => {
  let world: ActionWorld;
  before(async () => {
    world = await ActionWorld.start();
    world.commit({ "fleet.yaml": MANIFEST, "units/web.service": service("one") });
  });
  after(() => world?.stop());
  afterEach(() => world.github.reset());
  const plan = (inputs: RunOptions["inputs"] = {}, rest: Partial<RunOptions> = {}) =>
    world.run({ event: "pull_request", ...rest, inputs: { command: "plan", ...inputs } });

  test("the first run comments, and is green on changes", async () => {
    const { code, outputs, log, summary } = await plan();
    assert.equal(code, 0, log);
    const [comment, ...others] = world.github.own(7);
    assert.equal(others.length, 0);
    assert.match(comment!.body, /^<!-- fleet:plan \{.*\} -->\n### shop: 1 file changes: 0 restarts, 1 start\n/);
    assert.match(summary, /### shop/);
    const written = planAt(outputs["plan-path"]!);
    assert.equal(outputs["content-id"], written.contentId);
    assert.equal(parseMarker(comment!.body)?.contentId, written.contentId);
    assert.deepEqual(
      [outputs.changes, outputs.exitcode, outputs["to-add"], outputs["failure-reason"], outputs.warnings],
      ["true", "2", "1", "", ""],
    );
    assert.match(outputs["comment-url"]!, /^https:/);
    assert.match(readFileSync(outputs["text-plan-path"]!, "utf8"), /web\.service/);
  });
});
