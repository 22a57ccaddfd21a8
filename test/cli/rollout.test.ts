import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { encodeRecord } from "../../src/codec/record.ts";
import { registryKeys } from "../../src/codec/registry-keys.ts";
import { encodeRollout } from "../../src/codec/rollout-record.ts";
import type { UnitName } from "../../src/domain/names.ts";
import type { Plan } from "../../src/domain/plan/plan.ts";
import type { RolloutRecord } from "../../src/domain/rollout/rollout-record.ts";
import { startRollout } from "../../src/domain/rollout/start-rollout.ts";
import { readSnapshot } from "../../src/usecases/read-snapshot.ts";
import type { TestRepository } from "../contract/git-repository.ts";
import { eventually } from "../e2e/lab-name.ts";
import { pretendId } from "../pretend-machine.ts";
import { type FleetResult, fleet, shell } from "./fleet-process.ts";
import { type OneWebUnit, oneWebUnit } from "./one-web-unit.ts";
import type { PretendCluster } from "./pretend-cluster.ts";

const keys = registryKeys("shop");
const M1 = pretendId("m1");
const WEB = "web.service" as UnitName;
const SINCE = new Date().toISOString();
const FAILURE = { unit: WEB, machine: M1, because: { code: "failed", detail: "exit-code" } } as const;

describe("a rollout as people follow and steer it", { concurrency: false }, () => {
  let world: OneWebUnit;
  let repository: TestRepository;
  let cluster: PretendCluster;

  before(async () => {
    world = await oneWebUnit("m1");
    ({ repository, cluster } = world);
  });
  after(async () => world?.end());

  const options = () => world.options;
  const run = (...words: readonly string[]): Promise<FleetResult> => fleet(words, options());
  const put = (key: string, value: string) => cluster.registry.txn({ when: [], then: [{ kind: "put", key, value }] });

  /** What the leading engine would have written. */
  async function roll(changes: Partial<RolloutRecord>): Promise<void> {
    const { release } = (await readSnapshot(cluster.registry, keys)).snapshot;
    await put(keys.rollout(release!.seq), encodeRollout({ ...startRollout(release!, null, SINCE), ...changes }));
  }

  async function say(active: string, sub: string, journal: readonly string[]): Promise<void> {
    const { sets } = (await readSnapshot(cluster.registry, keys)).snapshot;
    const hash = sets[0]!.placements[0]!.hash;
    const problem = active === "failed" ? { code: "failed", detail: "exit-code", journal } : null;
    const status = { load: "loaded", active, sub, hash, since: "", result: "", invocation: "", started: true, problem };
    await put(keys.status(M1, WEB), encodeRecord(status));
  }

  test("before a release, and before an engine has taken it up, there is none, and what to do is said", async () => {
    const nothing = await run("rollout");
    assert.equal(nothing.code, 1);
    assert.match(nothing.stderr, /nothing has been released to this cluster yet/);
    assert.equal((await run("apply", "--auto-approve", "--detach")).code, 0);
    const { code, stderr } = await run("rollout");
    assert.equal(code, 1);
    assert.match(stderr, /no engine has begun the rollout of release 1\b[\s\S]*next: fleet doctor/);
  });

  test("an order with its reason is shown until an engine has heard it, and after", async () => {
    await roll({});
    const refused = await run("rollout", "resume");
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /is rolling, and cannot be told to resume\b[\s\S]*next: it goes on as it is/);
    const { code, stderr } = await run("rollout", "pause", "--reason", "a look at the graphs");
    assert.equal(code, 0, stderr);
    const given = (await run("rollout", "status")).stdout;
    assert.match(given, /^said +pause by \S+ at .*, and no engine has heard it yet: a look at the graphs$/m);
    await roll({ phase: "paused", orderRevision: await cluster.revision() });
    const [text, json] = await Promise.all([run("rollout"), run("rollout", "--json")]);
    assert.match(text.stdout, /^release 1 {2}commit [0-9a-f]{7} {2}paused since /);
    assert.match(text.stdout, /^now +paused by \S+ \(a look at the graphs\): no further wave begins$/m);
    assert.match(text.stdout, /^next +fleet rollout resume, or fleet rollout abort$/m);
    const status = JSON.parse(json.stdout) as { phase: string; order: { reason: string; obeyed: boolean } };
    assert.deepEqual(
      [status.phase, status.order.reason, status.order.obeyed],
      ["paused", "a look at the graphs", true],
    );
  });

  test("an apply of what is paused says so at once, and ends with 5 once its time is up", async () => {
    const { code, stderr } = await run("apply", "--auto-approve", "--timeout", "2s");
    assert.equal(code, 5, stderr);
    assert.match(stderr, /^0\.\d s: 0 of 1 as wanted, waiting for 1; paused by \S+ \(a look/m);
    assert.match(stderr, /^not converged yet: 0 of 1 as wanted, waiting for 1\nrelease 1 is paused by /m);
    assert.match(stderr, /^next: fleet rollout resume, or fleet rollout abort$/m);
  });

  test("an apply while a ring soaks for longer than it waits says in a sentence that it goes on by itself", async () => {
    await roll({});
    const until = new Date(Date.now() + 3_600_000).toISOString();
    const rollout = {
      ...{ seq: 1, phase: "rolling", since: SINCE, base: null, openRings: 1, failures: [], rings: ["early", "rest"] },
      soak: { ms: 3_600_000, until },
    };
    await put(keys.report, encodeRecord({ leader: "m1", releaseSeq: 1, problem: null, unplaced: [], rollout }));
    const { code, stderr } = await run("apply", "--auto-approve", "--timeout", "1s");
    assert.equal(code, 5, stderr);
    assert.match(
      stderr,
      /^release 1: ring 1 of 2 \(early\) soaks until \S+ \(in 60 min\); this goes on by itself, and fleet status follows it$/m,
    );
    assert.doesNotMatch(stderr, /not placed|^x /m);
  });

  test("a release that failed and was rolled back ends an apply with 1, with the journal it had and in JSON as well", async () => {
    const planned = JSON.parse((await run("plan", "--json")).stdout) as Pick<Plan, "placements">;
    await cluster.place("shop", planned);
    await say("failed", "failed", ["boom: no such option"]);
    await roll({ phase: "rolling-back", failures: [FAILURE] });
    const said = join(repository.path, "said.txt");
    writeFileSync(said, "");
    const waiting = shell(`$FLEET apply --auto-approve --timeout 15s 2>${said}`, options());
    await eventually("the apply has seen the failure", async () => readFileSync(said, "utf8").includes(" s: "));
    await say("active", "running", []);
    await roll({ phase: "rolled-back", failures: [FAILURE] });
    assert.equal((await waiting).code, 1);
    const text = readFileSync(said, "utf8");
    assert.match(text, /^release 1 failed and was rolled back/m);
    assert.match(text, /^x web\.service on m1: failed: exit-code\n {4}\| boom: no such option$/m);
    const json = await run("apply", "--auto-approve", "--timeout", "15s", "--json");
    assert.equal(json.code, 1);
    const { convergence, rollout } = JSON.parse(json.stdout) as {
      convergence: { converged: boolean };
      rollout: { phase: string };
    };
    assert.deepEqual([convergence.converged, rollout.phase], [false, "rolled-back"]);
  });

  test("who resumes what is held is told what failed and is not judged again", async () => {
    await roll({ phase: "held", failures: [FAILURE], orderRevision: await cluster.revision() });
    const { code, stderr } = await run("rollout", "resume");
    assert.equal(code, 0, stderr);
    assert.match(stderr, /^what failed is not judged again: web\.service on m1$/m);
    await roll({ phase: "rolled-back", failures: [FAILURE], orderRevision: await cluster.revision() });
  });

  test("what was rolled back is not resumed, stands in status, and a plan says that it failed", async () => {
    const refused = await run("rollout", "resume");
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /is rolled-back, and cannot be told to resume\b[\s\S]*apply one that mends it/);
    const { stdout } = await run("status");
    assert.match(stdout, /^rollout +a change failed, and it was rolled back: /m);
    assert.match(stdout, /^ +web\.service on m1: exit-code$/m);
    assert.match((await run("plan")).stdout, /release 1 failed and was rolled back/);
    await roll({ phase: "done" });
    assert.doesNotMatch((await run("status")).stdout, /^rollout/m);
  });
});
