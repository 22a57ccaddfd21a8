/** `command: apply` after a merge: what was reviewed, or nothing. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { parseMarker, printMarker } from "../../src/action/marker.ts";
import { randomId } from "../../src/adapters/random-id.ts";
import { systemClock } from "../../src/adapters/system-clock.ts";
import { registryKeys } from "../../src/codec/registry-keys.ts";
import { APPLY_LOCK, APPLY_LOCK_MS } from "../../src/domain/locks/lock.ts";
import { LapseWatch } from "../../src/usecases/lapse-watch.ts";
import { releaseLock } from "../../src/usecases/release-lock.ts";
import { takeLock } from "../../src/usecases/take-lock.ts";
import { serveGitRepository } from "../contract/git-http-server.ts";
import { ActionWorld, type RunOptions, type RunResult } from "./action-world.ts";
import { BOT } from "./github-server.ts";
import { PretendEngine } from "./pretend-engine.ts";

const MANIFEST = "apiVersion: fleet/v1\ncluster: shop\nadmit: any\n";
const service = (text: string) => `[Service]\nExecStart=/bin/echo ${text}\nRestart=always\n`;
const PULL = 7;

describe("apply after a merge", { concurrency: false }, () => {
  let world: ActionWorld;
  let engine: PretendEngine;
  let changes = 0;
  before(async () => {
    world = await ActionWorld.start();
    engine = new PretendEngine(world.cluster);
    world.commit({ "fleet.yaml": MANIFEST, "units/web.service": service("one"), "units/db.service": service("one") });
    const first = await apply({ "auto-approve": "true" });
    assert.deepEqual([first.code, first.outputs.release], [0, "1"], first.log);
  });
  after(async () => {
    await engine?.stop();
    await world?.stop();
  });
  beforeEach(() => {
    engine.mood = "runs";
  });
  afterEach(() => world.github.reset());

  const apply = (inputs: RunOptions["inputs"] = {}, rest: Partial<RunOptions> = {}) =>
    world.run({ ...rest, inputs: { command: "apply", timeout: "20s", ...inputs } });
  const git = (...words: readonly string[]) => world.repository.git(words);

  /** A pull request with a change, planned as on GitHub: what main would be with it. */
  async function review(
    files: Record<string, string | null> = { "units/web.service": service(`change-${++changes}`) },
  ): Promise<RunResult> {
    git("checkout", "--quiet", "-B", "reviewed", "main");
    world.repository.commit(files);
    const planned = await world.run({ event: "pull_request", number: PULL, inputs: { command: "plan" } });
    assert.equal(planned.code, 0, planned.log);
    return planned;
  }

  /** Main takes the branch and is pushed; GitHub knows which pull request the commit came from. */
  function merge(how: keyof typeof MERGES = "squash"): void {
    git("checkout", "--quiet", "main");
    MERGES[how](git);
    world.push();
    knowPull();
  }

  function knowPull(): void {
    const sha = git("rev-parse", "HEAD");
    world.github.pulls.set(sha, [
      { number: 3, base: { ref: "other" }, merged_at: "2026-02-01T00:00:00Z", merge_commit_sha: "e".repeat(40) },
      { number: PULL, base: { ref: "main" }, merged_at: "2026-01-01T00:00:00Z", merge_commit_sha: "f".repeat(40) },
    ]);
  }

  for (const how of ["fast-forward", "merge commit", "squash", "rebase"] as const) {
    test(`what was reviewed is applied after a ${how}, waited for, written into its comment, and closed`, async () => {
      const planned = await review();
      merge(how);
      const applied = await apply();
      assert.equal(applied.code, 0, applied.log);
      const { release, exitcode, "failure-reason": why, "content-id": content } = applied.outputs;
      assert.deepEqual([exitcode, why, content], ["0", "", planned.outputs["content-id"]]);
      assert.match(applied.log, /this is the plan that was reviewed: https:/);
      const [comment, ...others] = world.github.own(PULL);
      assert.equal(others.length, 0);
      assert.equal(parseMarker(comment!.body)?.closed, true);
      assert.match(comment!.body, new RegExp(`\\*\\*Applied as release ${release}\\*\\*`));
      assert.match(comment!.body, /converged: 2 of 2 as wanted[\s\S]*### shop: 1 file changes/);

      const revision = await world.cluster.revision();
      const again = await apply();
      assert.deepEqual([again.code, again.outputs.release], [0, release], again.log);
      assert.match(again.log, /already applied as release/);
      assert.equal(await world.cluster.revision(), revision, "a second run writes nothing");
      assert.equal((comment!.body.match(/Applied as release/g) ?? []).length, 1, "nor the result twice");
    });
  }

  test("the run of an old merge, started again, changes nothing although another release is in force", async () => {
    await review();
    merge();
    const old = git("rev-parse", "HEAD");
    assert.equal((await apply()).code, 0);
    world.commit({ "units/web.service": service(`later-${++changes}`) });
    assert.equal((await apply({ "auto-approve": "true" })).code, 0);
    const revision = await world.cluster.revision();
    git("checkout", "--quiet", "--detach", old);
    world.github.pulls.set(old, [{ number: PULL, base: { ref: "main" }, merged_at: "2026-01-01T00:00:00Z" }]);
    const again = await apply({ branch: "main" });
    git("checkout", "--quiet", "main");
    assert.equal(again.code, 0, again.log);
    assert.match(again.log, /already applied/);
    assert.equal(await world.cluster.revision(), revision);
  });

  test("another plan than the reviewed one is refused with what differs, and nothing is changed", async () => {
    await review();
    merge();
    world.commit({ "units/db.service": service(`unreviewed-${++changes}`) });
    knowPull();
    const revision = await world.cluster.revision();
    const refused = await apply();
    assert.deepEqual([refused.code, refused.outputs["failure-reason"]], [1, "plan-changed"]);
    assert.match(refused.log, /^\+ change db\.service on m\d: restart \([0-9a-f]{7}\)$/m);
    assert.doesNotMatch(refused.log, /^[+-] .*web\.service/m);
    assert.equal(await world.cluster.revision(), revision);
    const { body } = world.github.own(PULL)[0]!;
    assert.equal(parseMarker(body)?.closed, false);
    assert.match(body, /\*\*Not applied\*\*[\s\S]*\+ change db\.service[\s\S]*### shop/);
    const meant = await apply({ "auto-approve": "true" });
    assert.equal(meant.code, 0, meant.log);
    assert.match(world.github.own(PULL)[0]!.body, /\*\*Applied as release/);
    assert.doesNotMatch(world.github.own(PULL)[0]!.body, /Not applied/);
  });

  test("a machine that went away between review and merge makes it another plan", async () => {
    await review({ "units/extra.service": service("extra") });
    merge();
    await world.cluster.join("shop", "m3");
    const refused = await apply();
    assert.deepEqual([refused.code, refused.outputs["failure-reason"]], [1, "plan-changed"]);
    assert.match(refused.log, /^- add extra\.service on m\d/m);
    assert.match(refused.log, /^\+ add extra\.service on m3/m);
    assert.equal((await apply({ "auto-approve": "true" })).code, 0);
  });

  const UNREVIEWED: readonly { readonly name: string; readonly given: () => void; readonly why: string }[] = [
    { name: "no comment", given: () => world.github.comments.clear(), why: "not-reviewed" },
    {
      name: "a comment that somebody else made to look like ours",
      given: () => {
        const { body } = world.github.own(PULL)[0]!;
        world.github.comments.clear();
        world.github.comment(PULL, body, "mallory");
      },
      why: "not-reviewed",
    },
    {
      name: "a comment that was cut",
      given: () => {
        const comment = world.github.own(PULL)[0]!;
        comment.body = `${printMarker({ ...parseMarker(comment.body)!, truncated: true })}\n`;
      },
      why: "review-truncated",
    },
    {
      name: "a comment of a commit that could not be planned",
      given: () => {
        const comment = world.github.own(PULL)[0]!;
        comment.body = `${printMarker({ ...parseMarker(comment.body)!, contentId: null })}\n`;
      },
      why: "not-reviewed",
    },
    { name: "no pull request", given: () => world.github.pulls.clear(), why: "not-reviewed" },
    {
      name: "a pull request that is not merged",
      given: () =>
        world.github.pulls.set(git("rev-parse", "HEAD"), [{ number: PULL, base: { ref: "main" }, merged_at: null }]),
      why: "not-reviewed",
    },
    {
      name: "GitHub does not let it look",
      given: () => world.github.script({ method: "GET", path: /pulls/, status: 403, body: { message: "no" } }),
      why: "forge-forbidden",
    },
    {
      name: "GitHub asks it to come back in an hour",
      given: () =>
        world.github.script({ method: "GET", path: /pulls/, status: 429, headers: { "retry-after": "3600" } }),
      why: "forge-rate-limited",
    },
    {
      name: "the comment is of another cluster of the repository",
      given: () => {
        const comment = world.github.own(PULL)[0]!;
        comment.body = `${printMarker({ ...parseMarker(comment.body)!, manifest: "west/fleet.yaml" })}\n`;
      },
      why: "not-reviewed",
    },
  ];
  test("what nobody reviewed is refused, and nothing is changed", async (t) => {
    await review();
    merge();
    const comments = structuredClone(world.github.own(PULL));
    for (const { name, given, why } of UNREVIEWED) {
      await t.test(name, async () => {
        world.github.comments.set(PULL, structuredClone(comments));
        knowPull();
        given();
        const revision = await world.cluster.revision();
        const refused = await apply();
        assert.deepEqual([refused.code, refused.outputs["failure-reason"]], [1, why], refused.log);
        assert.equal(await world.cluster.revision(), revision);
      });
    }
    assert.equal((await apply({ "auto-approve": "true" })).code, 0);
  });

  test("auto-approve alone does not remove units; a review does", async () => {
    world.commit({ "units/gone.service": service("gone") });
    assert.equal((await apply({ "auto-approve": "true" })).code, 0);
    await review({ "units/gone.service": null });
    merge();
    const refused = await apply({ "auto-approve": "true" });
    assert.deepEqual([refused.code, refused.outputs["failure-reason"]], [1, "deletes-not-allowed"]);
    const applied = await apply();
    assert.equal(applied.code, 0, applied.log);
    assert.equal(applied.outputs["to-remove"], "1");
  });

  test("a plan file is applied as it is, once main has taken its commit, and refused once it is stale", async () => {
    const file = join(world.repository.path, ".git", "reviewed-plan");
    git("checkout", "--quiet", "-B", "reviewed", "main");
    world.repository.commit({ "units/web.service": service(`file-${++changes}`) });
    await world.run({ inputs: { command: "plan", out: file } });
    merge();
    const applied = await apply({ "plan-file": file });
    assert.equal(applied.code, 0, applied.log);
    const stale = join(world.repository.path, ".git", "stale-plan");
    world.commit({ "units/web.service": service(`file-${++changes}`) });
    await world.run({ inputs: { command: "plan", out: stale } });
    world.commit({ "units/web.service": service(`file-${++changes}`) });
    git("reset", "--quiet", "--hard", "HEAD~1");
    git("reset", "--quiet", "--hard", "HEAD~1");
    world.commit({ "units/db.service": service(`file-${++changes}`) });
    assert.equal((await apply({ "auto-approve": "true" })).code, 0);
    const refused = await apply({ "plan-file": stale });
    assert.deepEqual([refused.code, refused.outputs["failure-reason"]], [3, "stale-plan"], refused.log);
    const missing = await apply({ "plan-file": "no-such-file" });
    assert.deepEqual([missing.code, missing.outputs["failure-reason"]], [1, "plan-unreadable"]);
  });

  test("while somebody else applies it says who, and changes nothing", async () => {
    const keys = registryKeys("shop");
    const ports = { registry: world.cluster.registry, keys, clock: systemClock, newId: randomId };
    const wish = {
      name: APPLY_LOCK,
      holder: "other",
      by: "bob",
      reason: "commit abc",
      slots: 1,
      forMs: APPLY_LOCK_MS,
      queues: false,
    };
    await takeLock(ports, wish, new LapseWatch(systemClock));
    await review();
    merge();
    const locked = await apply({ "lock-timeout": "0s" });
    assert.deepEqual([locked.code, locked.outputs["failure-reason"]], [4, "lock-held"], locked.log);
    assert.deepEqual(
      (JSON.parse(locked.outputs["lock-info"]!) as { by: string }[]).map(({ by }) => by),
      ["bob"],
    );
    await releaseLock(ports, APPLY_LOCK, "other");
    assert.equal((await apply()).code, 0);
  });

  test("what does not run in time is red with 5, and what comes of it later is its own business", async () => {
    engine.mood = "sleeps";
    await review();
    merge();
    const late = await apply({ timeout: "100ms" });
    assert.deepEqual([late.code, late.outputs["failure-reason"]], [5, "not-converged"]);
    assert.match(world.github.own(PULL)[0]!.body, /is applied and does not run everywhere yet/);
    engine.mood = "runs";
    assert.equal((await apply()).code, 0, "to run it again waits for it");
  });

  test("wound 13: what is rolled back is red, and says so", async () => {
    engine.mood = "rolls back";
    await review();
    merge();
    const failed = await apply();
    assert.deepEqual([failed.code, failed.outputs["failure-reason"]], [1, "rolled-back"], failed.log);
    assert.match(failed.outputs.summary!, /rolled back/);
    assert.match(world.github.own(PULL)[0]!.body, /failed and was rolled back/);
  });

  test("no cluster to apply to is an error with a next step", async () => {
    const refused = await apply({ registry: "none" });
    assert.deepEqual([refused.code, refused.outputs["failure-reason"]], [1, "no-registry"]);
  });

  test("a result that cannot be written into the comment is a warning: it is applied all the same", async () => {
    world.commit({ "units/web.service": service(`unwritten-${++changes}`) });
    knowPull();
    world.github.comment(
      PULL,
      `${printMarker({ manifest: "fleet.yaml", label: "", contentId: "x", clusterId: null, commit: "y", truncated: false, closed: false, changes: null })}\n`,
      BOT,
    );
    world.github.script({ method: "PATCH", path: /comments/, status: 403, body: { message: "read only" } });
    const applied = await apply({ "auto-approve": "true" });
    assert.equal(applied.code, 0, applied.log);
    assert.match(applied.outputs.warnings!, /^the result was not written into the comment: .*read only/);
  });

  test("a source on the forge is fetched with the token, which is no part of the cluster's record, and goes nowhere else", async () => {
    const server = await serveGitRepository(world.remote.path);
    const cache = mkdtempSync(join(tmpdir(), "fleet-cache-"));
    const { XDG_CACHE_HOME: before } = process.env;
    process.env.XDG_CACHE_HOME = cache;
    try {
      world.commit({ "units/web.service": service(`remote-${++changes}`) });
      const inputs = { "auto-approve": "true", source: server.url };
      const applied = await apply(inputs, { env: { GITHUB_SERVER_URL: new URL(server.url).origin } });
      assert.equal(applied.code, 0, applied.log);
      const sent = `Basic ${Buffer.from("x-access-token:canary-of-the-token").toString("base64")}`;
      assert.equal(server.lastHeaders.authorization, sent);
      const { entries } = await world.cluster.registry.list("/fleet/");
      assert.ok(entries.every(({ value }) => !value.includes("canary")));
      assert.ok(!applied.all.includes("canary"));
      world.commit({ "units/web.service": service(`remote-${++changes}`) });
      assert.equal((await apply(inputs)).code, 0);
      assert.equal(server.lastHeaders.authorization, undefined);
    } finally {
      if (before === undefined) delete process.env.XDG_CACHE_HOME;
      else process.env.XDG_CACHE_HOME = before;
      rmSync(cache, { recursive: true });
      await server.close();
    }
  });
});

/** What GitHub does with a reviewed branch, in a clone that stands on main. */
const MERGES = {
  "fast-forward": (git: Git) => git("merge", "--quiet", "--ff-only", "reviewed"),
  "merge commit": (git: Git) => git("merge", "--quiet", "--no-ff", "--no-edit", "reviewed"),
  squash: (git: Git) => {
    git("merge", "--quiet", "--squash", "reviewed");
    git("commit", "--quiet", "--message", "squashed");
  },
  rebase: (git: Git) => {
    git("commit", "--quiet", "--allow-empty", "--message", "unrelated");
    git("cherry-pick", "reviewed");
  },
} as const;

type Git = (...words: readonly string[]) => string;
