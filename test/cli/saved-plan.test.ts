/** Wounds are numbered as the list of what users of such tools complained about; each was a data loss or a night for somebody. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Plan } from "../../src/domain/plan/plan.ts";
import { makeTestRepository, type TestRepository } from "../contract/git-repository.ts";
import { type FleetResult, fleet, fleetOnTerminal, prepareFleet, shell } from "./fleet-process.ts";
import { PretendCluster } from "./pretend-cluster.ts";

const MANIFEST = "apiVersion: fleet/v1\ncluster: shop\n";
const service = (text: string) => `[Service]\nExecStart=/bin/echo ${text}\nRestart=always\n`;
const FILES = { "fleet.yaml": MANIFEST, "units/web.service": service("one"), "units/db.service": service("one") };
const FLEET_ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** A repository whose first commit runs on two machines, as release 1. */
class World {
  readonly repository: TestRepository = makeTestRepository();
  readonly cluster: PretendCluster;

  private constructor(cluster: PretendCluster) {
    this.cluster = cluster;
  }

  static async start(): Promise<World> {
    const world = new World(await PretendCluster.start());
    world.repository.commit(FILES);
    for (const name of ["m1", "m2"]) await world.cluster.join("shop", name);
    assert.equal((await world.fleet("apply", "--auto-approve", "--detach")).code, 0);
    await world.cluster.place("shop", await world.released(1));
    return world;
  }

  fleet(...words: readonly string[]): Promise<FleetResult> {
    return fleet(words, { cwd: this.repository.path, registry: this.cluster.address });
  }

  /** Saves a plan of HEAD; where it is, and what it says. */
  async save(name: string): Promise<{ file: string; plan: Plan }> {
    const file = join(this.repository.path, ".git", name);
    const { code, stderr } = await this.fleet("plan", "--out", file);
    assert.deepEqual([code, stderr], [0, ""]);
    return { file, plan: JSON.parse(readFileSync(file, "utf8")) as Plan };
  }

  async released(seq: number): Promise<Plan> {
    return JSON.parse((await this.fleet("show", `${seq}`, "--json")).stdout) as Plan;
  }

  async stop(): Promise<void> {
    await this.cluster.stop();
    this.repository.remove();
  }
}

before(prepareFleet);

describe("a saved plan, from its making to its second run", { concurrency: false }, () => {
  let world: World;
  let saved: { file: string; plan: Plan };

  before(async () => {
    world = await World.start();
  });
  after(() => world?.stop());

  test("a file that cannot be written is said in one sentence", async () => {
    for (const [file, code] of [
      [join(world.repository.path, "no-such-folder/plan"), "disk-error"],
      [world.repository.path, "not-a-file"],
    ] as const) {
      const result = await world.fleet("plan", "--out", file);
      assert.equal(result.code, 1);
      assert.match(result.stderr, new RegExp(`^error: cannot write ${file}: .* \\[${code}\\]\n`));
      assert.doesNotMatch(result.stderr, /fleet is wrong|^ +at /m);
    }
  });

  test("wound 5: editing one directive is one change where the unit is; nothing is destroyed or created", async () => {
    world.repository.commit({ "units/web.service": `${service("one")}TimeoutStopSec=5s\n` });
    saved = await world.save("edit");
    const { changes, counts } = saved.plan;
    assert.deepEqual([counts.actions.change, counts.unchanged], [1, 1]);
    assert.deepEqual([counts.actions.add, counts.actions.remove, counts.actions.move], [0, 0, 0]);
    const [change] = changes;
    assert.equal(change?.unit, "web.service");
    assert.equal(change?.from?.machine, change?.to?.machine);
  });

  test("a plan whose basis stands is shown without a warning, with a registry and without", async () => {
    const [asked, alone] = await Promise.all([
      world.fleet("show", saved.file),
      fleet(["show", saved.file], { cwd: "/" }),
    ]);
    assert.deepEqual([asked.code, asked.stderr, alone.code, alone.stderr], [0, "", 0, ""]);
    assert.equal(asked.stdout, alone.stdout);
  });

  test("wound 10: the 2 of --detailed-exitcode goes through bash -e, and ends it", async () => {
    const options = { cwd: world.repository.path, registry: world.cluster.address };
    const result = await shell("set -e; $FLEET plan --detailed-exitcode; echo went on", options);
    assert.equal(result.code, 2);
    assert.doesNotMatch(result.stdout, /went on/);
    assert.equal((await shell("set -eo pipefail; $FLEET plan --detailed-exitcode | cat", options)).code, 2);
  });

  test("wound 10: and through npm exec", async () => {
    // Without a home of its own npm would put its cache into the repository.
    const env = { npm_config_cache: join(world.repository.path, ".git", "npm-cache") };
    const options = { cwd: FLEET_ROOT, registry: world.cluster.address, env };
    const command = `npm exec --offline --no -- fleet plan -C ${world.repository.path}`;
    const result = await shell(`${command} --detailed-exitcode`, options);
    assert.equal(result.code, 2, result.stderr);
    assert.equal((await shell(`${command} --no-such-flag`, options)).code, 1);
  });

  test("wound 8: who edits and commits between prompt and yes gets what was shown", async () => {
    const result = await fleetOnTerminal(["apply", "--detach"], {
      cwd: world.repository.path,
      registry: world.cluster.address,
      answer: "yes",
      atPrompt: () => {
        world.repository.commit({ "units/web.service": service("never shown"), "units/db.service": null });
        writeFileSync(join(world.repository.path, "units/web.service"), service("not even committed"));
      },
    });
    assert.equal(result.code, 0, result.stdout);
    const released = await world.released(2);
    assert.deepEqual([released.commit, released.planId], [saved.plan.commit, saved.plan.planId]);
    world.repository.commit({ "units/web.service": service("two"), "units/db.service": service("one") });
  });

  test("wound 7: a saved plan that was applied is said to be, and changes nothing", async () => {
    const before = await world.cluster.revision();
    const again = await world.fleet("apply", saved.file, "--detach");
    assert.equal(again.code, 0);
    assert.match(again.stderr, /^already applied as release 2 by /);
    const json = await world.fleet("apply", saved.file, "--detach", "--json");
    const { result, release } = JSON.parse(json.stdout) as { result: string; release: { seq: number } };
    assert.deepEqual([result, release.seq], ["already", 2]);
    assert.equal(await world.cluster.revision(), before);
    assert.match((await world.fleet("show", saved.file)).stderr, /^already applied as release 2 by /);
    const waited = await world.fleet("apply", saved.file, "--timeout", "1s");
    assert.equal(waited.code, 5, "it waits as asked, and no machine of this cluster runs anything");
    assert.match(waited.stderr, /^already applied as release 2 by \S+\nnot converged: /);
  });

  test("wound 7: against an empty registry the second run is stale, and writes nothing", async () => {
    const empty = await PretendCluster.start();
    try {
      const options = { cwd: world.repository.path, registry: empty.address };
      const before = await empty.revision();
      const { code, stderr } = await fleet(["apply", saved.file, "--detach"], options);
      assert.equal(code, 3);
      assert.match(stderr, /this registry holds no such cluster.*\nNothing was changed\. Plan again: fleet plan$/m);
      assert.equal(await empty.revision(), before);
    } finally {
      await empty.stop();
    }
  });

  test("wound 7: against another cluster of the same name as well, also as JSON", async () => {
    const foreign = await World.start();
    try {
      const options = { cwd: world.repository.path, registry: foreign.cluster.address };
      const before = await foreign.cluster.revision();
      const { code, stdout, stderr } = await fleet(["apply", saved.file, "--detach", "--json"], options);
      assert.equal(code, 3);
      assert.match(stderr, /this registry's cluster is another one of the same name/);
      const { result, moved } = JSON.parse(stdout) as { result: string; moved: { code: string }[] };
      assert.deepEqual([result, moved.map((one) => one.code)], ["stale", ["other-cluster"]]);
      assert.equal(await foreign.cluster.revision(), before);
    } finally {
      await foreign.stop();
    }
  });

  test("wound 8: a machine that joins between prompt and yes makes the plan stale, and nothing is changed", async () => {
    let revision = 0;
    const result = await fleetOnTerminal(["apply", "--detach"], {
      cwd: world.repository.path,
      registry: world.cluster.address,
      answer: "yes",
      atPrompt: async () => {
        await world.cluster.join("shop", "m3");
        revision = await world.cluster.revision();
      },
    });
    assert.equal(result.code, 3, result.stdout);
    assert.match(result.stdout, /stale plan: .*\r?\n {2}machine m3 joined\r?\nNothing was changed/);
    assert.equal(await world.cluster.revision(), revision);
  });

  test("any other answer than yes changes nothing", async () => {
    const before = await world.cluster.revision();
    const place = { cwd: world.repository.path, registry: world.cluster.address };
    const result = await fleetOnTerminal(["apply", "--detach"], { ...place, answer: "y", atPrompt: () => undefined });
    assert.equal(result.code, 1);
    assert.match(result.stdout, /nothing was changed/);
    assert.equal(await world.cluster.revision(), before);
  });

  test("wound 9: a stale plan is shown, with a warning that says what moved and when", async () => {
    const { git } = world.repository;
    git(["checkout", "--quiet", "-b", "feature"]);
    world.repository.commit({ "units/web.service": service("of a feature") });
    const feature = await world.save("feature");
    git(["checkout", "--quiet", "main"]);
    const merged = await world.save("merged");
    await world.cluster.leave("shop", "m3");
    world.repository.commit({ "units/web.service": service("three") });
    assert.equal((await world.fleet("apply", "--auto-approve", "--detach")).code, 0);

    const shown = await world.fleet("show", feature.file);
    assert.equal(shown.code, 0);
    assert.match(shown.stdout, /^shop {2}commit \w{7}/);
    assert.match(
      shown.stderr,
      /^warning: this plan is stale [^\n]*\n {2}release 3 \(commit \w{7}\) by \S+, \d+ s ago\n {2}machine m3 went away\n/,
    );
    const before = await world.cluster.revision();
    const refused = await world.fleet("apply", feature.file, "--detach");
    assert.equal(refused.code, 3);
    assert.match(
      refused.stderr,
      /^stale plan: it was made for commit \w{7} on release 2, and since then\n {2}release 3 /,
    );
    const included = await world.fleet("apply", merged.file, "--detach");
    assert.equal(included.code, 0);
    assert.match(included.stderr, /^already applied: release 3 by \S+ has commit \w{7} in its history\n$/);
    const waited = await world.fleet("apply", saved.file, "--timeout", "1s");
    assert.equal(waited.code, 5, "what it waits for is the release in force");
    assert.match(waited.stderr, /^already applied as release 2 by \S+; release 3 is in force since\nnot converged: /);
    assert.equal(await world.cluster.revision(), before);
  });

  test("wound 9: a plan is shown also where the registry does not answer, and one of another format is refused", async () => {
    const cwd = world.repository.path;
    const [shown, stranger] = [await fleet(["show", saved.file], { cwd, registry: "unix:/nowhere.sock" }), "2.0"];
    assert.equal(shown.code, 0);
    assert.match(shown.stderr, /^warning: whether this plan is stale is not known: /);
    const file = join(cwd, ".git", "of-tomorrow");
    writeFileSync(file, JSON.stringify({ ...saved.plan, format_version: stranger }));
    const refused = await world.fleet("show", file);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /is not a plan this fleet can use: its format is 2\.0, this fleet reads 1\.x/);
  });
});

/** What git does with a reviewed branch; afterwards main is checked out and has taken it. */
const TAKEN: readonly [string, "own" | "tip", (git: TestRepository["git"]) => void][] = [
  ["fast-forward", "own", (git) => git(["merge", "--quiet", "--ff-only", "reviewed"])],
  ["merge commit", "own", (git) => git(["merge", "--quiet", "--no-ff", "--no-edit", "reviewed"])],
  [
    "squash",
    "tip",
    (git) => {
      git(["merge", "--quiet", "--squash", "reviewed"]);
      git(["commit", "--quiet", "--message", "squashed"]);
    },
  ],
  [
    "rebase onto an unrelated commit",
    "tip",
    (git) => {
      unrelated(git);
      git(["rebase", "--quiet", "main", "reviewed"]);
      git(["checkout", "--quiet", "main"]);
      git(["merge", "--quiet", "--ff-only", "reviewed"]);
    },
  ],
  [
    "cherry-pick and an unrelated commit",
    "tip",
    (git) => {
      unrelated(git);
      git(["cherry-pick", "reviewed"]);
    },
  ],
];

function unrelated(git: TestRepository["git"]): void {
  git(["commit", "--quiet", "--allow-empty", "--message", "unrelated"]);
}

describe("a reviewed plan is applied once main has taken its branch", { concurrency: false }, () => {
  let world: World;
  let releases = 1;

  before(async () => {
    world = await World.start();
  });
  after(() => world?.stop());

  for (const [how, which, take] of TAKEN) {
    test(`by ${how}`, async () => {
      const { git } = world.repository;
      git(["checkout", "--quiet", "-B", "reviewed", "main"]);
      const reviewed = world.repository.commit({ "units/web.service": service(`after-${how.split(" ")[0]}`) });
      const { file, plan } = await world.save(how.replaceAll(" ", "-"));
      git(["checkout", "--quiet", "main"]);
      const early = await world.fleet("apply", file, "--detach");
      assert.equal(early.code, 1);
      assert.match(early.stderr, /is not on branch main of .*differs from the plan in web\.service \[not-on-branch\]/);
      take(git);
      const applied = await world.fleet("apply", file, "--detach", "--json");
      assert.equal(applied.code, 0, applied.stderr);
      const { result, release } = JSON.parse(applied.stdout) as {
        result: string;
        release: { seq: number; commit: string; planId: string; contentId: string };
      };
      const commit = which === "own" ? reviewed : git(["rev-parse", "main"]);
      assert.deepEqual([result, release.seq, release.commit], ["released", ++releases, commit]);
      assert.deepEqual([release.planId, release.contentId], [plan.planId, plan.contentId]);
      assert.match((await world.fleet("apply", file, "--detach")).stderr, /^already applied as release \d+ by /);
    });
  }
});

test("a plan with a wave that breaks a budget is refused by every route, naming the wave", async () => {
  const world = await World.start();
  try {
    const template = (text: string) => ({ "units/pair@.service": service(text) });
    const tie = { "units/pair@1.service.d/tie.conf": "[Unit]\nRequires=pair@2.service\n" };
    const manifest = { "fleet.yaml": `${MANIFEST}units:\n  pair@.service:\n    instances: 2\n` };
    world.repository.commit({ ...manifest, ...template("one"), ...tie });
    assert.equal((await world.fleet("apply", "--auto-approve", "--detach")).code, 0);
    await world.cluster.place("shop", await world.released(2));
    world.repository.commit(template("two"));
    const file = join(world.repository.path, ".git", "over-budget");
    const planned = await world.fleet("plan", "--out", file, "--json");
    assert.equal(planned.code, 1);
    assert.deepEqual((JSON.parse(planned.stdout) as Plan).refusals, [
      { set: "pair@.service", wave: 1, up: 0, of: 2, min: 1, now: 2 },
    ]);
    const before = await world.cluster.revision();
    for (const route of [[file], ["--auto-approve"]]) {
      const refused = await world.fleet("apply", ...route, "--detach");
      assert.equal(refused.code, 1);
      assert.match(
        refused.stderr,
        /^error: wave 1 would leave 0 of 2 pair@\.service up, its budget is at least 1 and 2 are up now; nothing was changed \[budget\]\n {2}next: /m,
      );
    }
    assert.equal(await world.cluster.revision(), before);
  } finally {
    await world.stop();
  }
});

test("same inputs, same bytes: whatever the process, the folder, the zone, the language and the order things were made in", async () => {
  const files = Object.entries(FILES);
  const written: string[] = [];
  for (const order of ["forwards", "backwards"] as const) {
    const turned = <T>(items: readonly T[]) => (order === "forwards" ? [...items] : [...items].reverse());
    const repository = makeTestRepository();
    const cluster = await PretendCluster.start();
    try {
      for (const name of turned(["m1", "m2", "m3"])) await cluster.join("shop", name, { role: "web" });
      for (const [path, text] of turned(files)) {
        mkdirSync(dirname(join(repository.path, path)), { recursive: true });
        writeFileSync(join(repository.path, path), text);
      }
      repository.commit({});
      if (order === "backwards") repository.git(["gc", "--quiet"]);
      const out = join(repository.path, ".git", "plan");
      const place = order === "forwards" ? { cwd: repository.path } : { cwd: "/" };
      const env = order === "forwards" ? { TZ: "UTC", LANG: "C" } : { TZ: "Pacific/Chatham", LANG: "tr_TR.UTF-8" };
      const { code } = await fleet(["plan", "-C", repository.path, "--out", out], {
        ...place,
        env,
        registry: cluster.address,
      });
      assert.equal(code, 0);
      written.push(readFileSync(out, "utf8"));
    } finally {
      await cluster.stop();
      repository.remove();
    }
  }
  assert.equal(written[0], written[1]);
});
