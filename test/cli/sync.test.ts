import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { openLocalGitSource } from "../../src/adapters/git/local-git-source.ts";
import { registryKeys } from "../../src/codec/registry-keys.ts";
import { readApproval } from "../../src/codec/signatures/read-approval.ts";
import { decodeSyncAsk, encodeSyncAnswer } from "../../src/codec/sync-record.ts";
import type { Plan } from "../../src/domain/plan/plan.ts";
import { APPROVALS_PREFIX, judgeApproval } from "../../src/domain/sync/judge-approval.ts";
import { trustOf } from "../trust-of.ts";
import { fleet } from "./fleet-process.ts";
import { type OneWebUnit, oneWebUnit } from "./one-web-unit.ts";

const SERVICE = "[Service]\nExecStart=/bin/true\n";
const MANIFEST = "apiVersion: fleet/v1\ncluster: shop\nadmit: any\n";
const KEYS = registryKeys("shop");
const noSsh = spawnSync("ssh-keygen", ["-?"]).error === undefined ? false : "no ssh-keygen here";

let world: OneWebUnit;
before(async () => {
  world = await oneWebUnit("m1");
});
after(() => world.end());

test("a plain yes does not stop a quarter of the units, nor the last of them", async () => {
  const { repository, cluster, options } = world;
  const four = Object.fromEntries(["a", "b", "c"].map((name) => [`units/${name}.service`, SERVICE]));
  repository.commit(four);
  const applied = await fleet(["apply", "--auto-approve", "--detach"], options);
  assert.equal(applied.code, 0, applied.stderr);
  const { stdout } = await fleet(["show", "1", "--json"], options);
  await cluster.place("shop", JSON.parse(stdout) as Plan);
  repository.commit(Object.fromEntries(Object.keys(four).map((path) => [path, null])));
  const refused = await fleet(["apply", "--auto-approve", "--detach"], options);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /this plan stops 3 of 4 units; nothing was changed \[mass-change\]/);
  repository.git(["reset", "--quiet", "--hard", "HEAD~1"]);
});

test("once a commit says that the engine follows the branch, an apply is refused and says who makes releases", async () => {
  const { repository, options } = world;
  const early = await fleet(["sync", "now"], options);
  assert.match(early.stderr, /made by fleet apply, says release 1 \[other-driver\]/);
  repository.commit({ "fleet.yaml": `${MANIFEST}release: { by: approval }\n` });
  const planned = await fleet(["plan"], options);
  assert.match(planned.stderr, /approval-open/);
  const last = await fleet(["apply", "--auto-approve", "--detach"], options);
  assert.equal(last.code, 0, last.stderr);
  repository.commit({ "units/d.service": SERVICE });
  const refused = await fleet(["apply", "--auto-approve", "--detach"], options);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /nothing was changed \[other-driver\]/);
  assert.match(refused.stderr, /next: push the commit, then fleet approve/);
});

test("a look at the branch is asked for in the registry, and its answer is told", async () => {
  const { cluster, options } = world;
  const unheard = await fleet(["sync", "now", "--timeout", "300ms"], options);
  assert.equal(unheard.code, 1);
  assert.match(unheard.stderr, /no engine has looked within 300ms \[no-answer\]/);
  assert.deepEqual((await cluster.registry.list(KEYS.syncNow)).entries, [], "nobody is left waiting");
  const asking = fleet(["sync", "now"], options);
  for (;;) {
    const entry = (await cluster.registry.list(KEYS.syncNow, { exact: true })).entries[0];
    if (entry === undefined) continue;
    const ask = decodeSyncAsk(entry.value);
    assert.ok(ask.kind === "record");
    const contentId = "c".repeat(64);
    const commit = "abcdef0".padEnd(40, "0") as never;
    const answer = { ask: ask.record.id, kind: "held", commit, reason: { code: "approval", contentId } } as const;
    const value = encodeSyncAnswer(answer);
    await cluster.registry.txn({
      when: [],
      then: [
        { kind: "delete", key: KEYS.syncNow },
        { kind: "put", key: KEYS.syncAnswer, value },
      ],
    });
    break;
  }
  const answered = await asking;
  assert.equal(answered.code, 1);
  assert.equal(answered.stdout, "commit abcdef0 is held: nobody has approved it; fleet approve shows it and asks\n");
});

test("an approval is a ref in the source, unsigned where nobody is named, signed by git's own key where somebody is", {
  skip: noSsh,
}, async () => {
  const { repository, cluster, options } = world;
  repository.git(["config", "user.name", "Ada"]);
  repository.git(["config", "user.email", "ada@example.org"]);
  const gone = ["a", "b", "c", "d"].map((name) => [`units/${name}.service`, null]);
  repository.commit({ ...Object.fromEntries(gone), "units/.keep": "" });
  const many = await fleet(["approve", "HEAD", "--auto-approve"], options);
  assert.match(many.stderr, /it stops more than a quarter of the units, or all of them \[mass-change\]/);
  repository.git(["reset", "--quiet", "--hard", "HEAD~1"]);
  const unasked = await fleet(["approve", "HEAD"], options);
  assert.match(unasked.stderr, /\[not-approved\]/);
  const approved = await fleet(["approve", "HEAD", "--auto-approve", "--json"], options);
  assert.equal(approved.code, 0, approved.stderr);
  const { contentId, signed, ref } = JSON.parse(approved.stdout) as { contentId: string; signed: boolean; ref: string };
  assert.deepEqual([signed, ref], [false, `${APPROVALS_PREFIX}${contentId}`]);
  const planned = JSON.parse((await fleet(["plan", "--json"], options)).stdout) as Plan;
  assert.equal(planned.contentId, contentId);

  const keys = mkdtempSync(join(tmpdir(), "fleet-keys-"));
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(keys, "ada")]);
  const line = `ada@example.org ${readFileSync(join(keys, "ada.pub"), "utf8")}`;
  repository.git(["config", "gpg.format", "ssh"]);
  repository.git(["config", "user.signingkey", join(keys, "ada")]);
  // The release in force decides whose word counts; here it is put on record as if an engine had released it.
  repository.git(["config", "commit.gpgsign", "true"]);
  const trusting = { "fleet.yaml": `${MANIFEST}release: { by: sync }\ntrust: { signers: signers }\n`, signers: line };
  const inForce = repository.commit(trusting) as never;
  const entry = (await cluster.registry.list(KEYS.release, { exact: true })).entries[0]!;
  const value = JSON.stringify({ ...(JSON.parse(entry.value) as object), commit: inForce });
  await cluster.registry.txn({ when: [], then: [{ kind: "put", key: KEYS.release, value }] });
  const by = await fleet(["approve", contentId, "--json"], options);
  assert.equal(by.code, 0, by.stderr);
  assert.equal((JSON.parse(by.stdout) as { signed: boolean }).signed, true);

  const source = openLocalGitSource(repository.path, "main");
  const raw = await source.commitAt!(ref);
  assert.ok(raw !== null);
  const { trust } = await trustOf(source).trustOf(inForce);
  const clusterId = (
    JSON.parse((await cluster.registry.list(KEYS.cluster, { exact: true })).entries[0]!.value) as { id: string }
  ).id;
  const verdict = judgeApproval([readApproval(raw)], { contentId, clusterId, stopsMany: false, rules: [] }, trust!);
  assert.deepEqual(verdict, { kind: "approved", by: ["ada@example.org"] });
  assert.equal(await source.commitAt!(`${APPROVALS_PREFIX}${"0".repeat(64)}`), null);
  await source.close();
  rmSync(keys, { recursive: true });
});
