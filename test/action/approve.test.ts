/** `command: approve` on merge: the job holds no credential of the cluster, and says which plan was reviewed. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { parseMarker, printMarker } from "../../src/action/marker.ts";
import { readAllowedSigners } from "../../src/codec/signatures/allowed-signers.ts";
import { readApproval } from "../../src/codec/signatures/read-approval.ts";
import { judgeApproval } from "../../src/domain/sync/judge-approval.ts";
import { NO_TRUST, type Trust } from "../../src/domain/trust/trust-policy.ts";
import { ActionWorld, type RunOptions } from "./action-world.ts";
import { PretendEngine } from "./pretend-engine.ts";

const MANIFEST = "apiVersion: fleet/v1\ncluster: shop\nadmit: any\n";
const service = (text: string) => `[Service]\nExecStart=/bin/echo ${text}\n`;
const PULL = 7;

describe("approve after a merge", { concurrency: false }, () => {
  let world: ActionWorld;
  let engine: PretendEngine;
  let contentId: string;
  before(async () => {
    world = await ActionWorld.start();
    engine = new PretendEngine(world.cluster);
    world.commit({ "fleet.yaml": MANIFEST, "units/web.service": service("one") });
    const applied = await world.run({ inputs: { command: "apply", "auto-approve": "true", timeout: "20s" } });
    assert.equal(applied.code, 0, applied.log);
    const sha = world.commit({ "units/web.service": service("two") });
    const planned = await world.run({ event: "pull_request", number: PULL, inputs: { command: "plan" } });
    contentId = planned.outputs["content-id"]!;
    world.github.pulls.set(sha, [{ number: PULL, base: { ref: "main" }, merged_at: "2026-01-01T00:00:00Z" }]);
  });
  after(async () => {
    await engine?.stop();
    await world?.stop();
  });
  const approve = (inputs: RunOptions["inputs"] = {}, env: Record<string, string> = {}) =>
    world.run({
      inputs: { command: "approve", registry: "none", ...inputs },
      env: { PATH: process.env.PATH ?? "", ...env },
    });
  const approvals = () =>
    world.remote.git(["for-each-ref", "--format=%(refname)", "refs/fleet/"]).split("\n").filter(Boolean);

  /** What is not in the comment cannot be approved. */
  const CHANGES: readonly [string, object, string][] = [
    ["a comment that was cut", { truncated: true }, "review-truncated"],
    ["a commit that could not be planned", { contentId: null }, "not-reviewed"],
    ["a plan without a cluster", { clusterId: null }, "no-cluster"],
    ["an id that is none", { contentId: "../heads/main" }, "not-reviewed"],
  ];
  test("what nobody reviewed is not approved", async (t) => {
    const comment = world.github.own(PULL)[0]!;
    const { body } = comment;
    for (const [name, change, why] of CHANGES) {
      await t.test(name, async () => {
        comment.body = `${printMarker({ ...parseMarker(body)!, ...change })}\n`;
        const refused = await approve();
        assert.deepEqual([refused.code, refused.outputs["failure-reason"]], [1, why], refused.log);
        assert.deepEqual(approvals(), []);
      });
    }
    comment.body = body;
  });

  test("a source that takes no push is an error with a next step, and the comment stays open", async () => {
    const refused = await approve({ source: "/nowhere/at/all" });
    assert.deepEqual([refused.code, refused.outputs["failure-reason"]], [1, "approval-not-pushed"], refused.log);
    assert.equal(parseMarker(world.github.own(PULL)[0]!.body)?.closed, false);
  });

  test("the reviewed content has a ref, of a commit on no branch that names content and cluster", async () => {
    const approved = await approve();
    assert.equal(approved.code, 0, approved.log);
    assert.deepEqual(approvals(), [`refs/fleet/approvals/${contentId}`]);
    const raw = world.remote.git(["cat-file", "commit", approvals()[0]!]);
    const { clusterId } = parseMarker(world.github.own(PULL)[0]!.body)!;
    assert.match(raw, /^author alice <alice@users\.noreply\.github\.com> /m);
    assert.equal(raw.slice(raw.indexOf("\n\n") + 2), `fleet approve ${contentId}\n\ncluster ${clusterId}`);
    assert.doesNotMatch(raw, /^(parent|gpgsig)/m);
    assert.match(world.github.own(PULL)[0]!.body, /\*\*Approved [0-9a-f]{12}\*\* by \[a run\]/);
    assert.equal(parseMarker(world.github.own(PULL)[0]!.body)?.closed, true);
    assert.doesNotMatch(approved.all, /canary/);
  });

  test("a token that may not comment: approved all the same, and said as a warning", async () => {
    world.github.own(PULL)[0]!.body = world.github.own(PULL)[0]!.body.replace('"closed":true', '"closed":false');
    world.github.script({ method: "PATCH", path: /comments/, status: 403, body: { message: "read only" } });
    const approved = await approve();
    assert.equal(approved.code, 0, approved.log);
    assert.match(approved.outputs.warnings!, /^the approval was not written into the comment: .*read only/);
  });

  test("with a key it is signed, and to approve again is harmless", async () => {
    const key = join(world.repository.path, ".git", "key");
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "ops", "-f", key]);
    const text = readFileSync(key, "utf8");
    const approved = await approve({ "signing-key": text });
    assert.equal(approved.code, 0, approved.log);
    assert.match(world.remote.git(["cat-file", "commit", approvals()[0]!]), /^gpgsig -----BEGIN SSH SIGNATURE-----$/m);
    assert.ok(!approved.all.includes(text.split("\n")[2]!), "the key is nowhere to be read");
    assert.equal(approvals().length, 1);
    const [line] = readFileSync(`${key}.pub`, "utf8").trim().split("\n");
    const { signers } = readAllowedSigners("signers", Buffer.from(`ops ${line}\n`));
    const oid = world.remote.git(["rev-parse", approvals()[0]!]);
    const raw = execFileSync("git", ["cat-file", "commit", oid], { cwd: world.remote.path });
    const { clusterId } = parseMarker(world.github.own(PULL)[0]!.body)!;
    const wanted = { contentId, clusterId: clusterId!, stopsMany: false, rules: [] };
    const trust: Trust = { ...NO_TRUST, mode: "range", signers };
    assert.deepEqual(judgeApproval([readApproval(raw)], wanted, trust), { kind: "approved", by: ["ops"] });
    const bobs = await approve({ "signing-key": text, "allow-deletes": "true" }, { GITHUB_ACTOR: "bob" });
    assert.equal(bobs.code, 0, bobs.log);
    assert.deepEqual(approvals(), [`refs/fleet/approvals/${contentId}`, `refs/fleet/approvals/${contentId}.2`]);
    assert.equal(world.remote.git(["rev-parse", approvals()[0]!]), oid, "nobody's takes the place of another's");
    const broken = await approve({ "signing-key": "no key" });
    assert.deepEqual([broken.code, broken.outputs["failure-reason"]], [1, "approval-not-made"]);
  });
});
