import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import { cgroupFolder } from "../../src/lab/boot-machine.ts";
import { labFolder } from "../../src/lab/lab-state.ts";
import { ClusterOnLab, type ShownCluster } from "./cluster-on-lab.ts";
import { eventually, LAB_NAME, labSkipReason } from "./lab-name.ts";
import { RegistryWrites } from "./registry-writes.ts";
import { fewestUp, unitLives } from "./unit-lives.ts";

const MACHINES = ["m1", "m2", "m3", "m4", "m5"];
const CANARY_MACHINE = "m5";
const ROOT = "/fleet/hello/";
const EVERYWHERE = "everywhere.service";
const WEB = ["web@1.service", "web@2.service", "web@3.service"];
const HEALTHY_MS = 1_000;
const SOAK_MS = 2_000;
const BAKE_MS = 2_000;
/** For a rollout on a machine that has other things to do as well. */
const LIMIT_MS = 60_000;

interface Policy {
  readonly web?: string;
  readonly everywhere?: string;
  readonly rings?: string;
}

const manifest = ({ web = "", everywhere = "", rings = "" }: Policy) => `apiVersion: fleet/v1
cluster: hello
admit: any
machines: { ${CANARY_MACHINE}: { metadata: { ring: canary } } }
${rings}
defaults: { rollout: { minHealthyTime: ${HEALTHY_MS}ms } }
units:
  web@.service: { instances: ${WEB.length}, rollout: { ${web} } }
  ${EVERYWHERE}: { rollout: { ${everywhere} } }
`;

/** Is down for a moment whenever it starts, so that two that start together would show. */
const service = (version: string, command: string, options = "") =>
  `[Service]\nEnvironment=VERSION=${version}\nExecStartPre=/bin/sleep 0.2\nExecStart=${command}\n[X-Fleet]\n${options}`;
const SLEEP = "/bin/sleep infinity";
const WITHOUT_SHOES = `/bin/sh -c 'echo has no shoes; exit 3'`;

interface Shown extends ShownCluster {
  readonly rollout: {
    readonly seq: number;
    readonly phase: string;
    readonly failures: readonly {
      readonly unit: string;
      readonly machine: string;
      readonly because: { readonly code: string };
    }[];
  } | null;
}

interface ShownPlan {
  readonly machines: readonly { readonly id: string; readonly name: string }[];
  readonly waves: readonly {
    readonly changes: readonly { readonly unit: string; readonly machine: string }[];
    readonly ring?: number;
    readonly after?: { readonly kind: string };
  }[];
}

/** A change that an engine wrote. */
interface Written {
  readonly unit: string;
  readonly machine: string;
  readonly revision: number;
}

describe("rollouts on five machines", { skip: labSkipReason(), concurrency: false }, () => {
  let cluster: ClusterOnLab;
  let writes: RegistryWrites;
  /** Machine id → name. */
  let names: ReadonlyMap<string, string>;
  /** `unit machine` → the version of the last release that ended well. */
  let well: ReadonlyMap<string, string | null>;

  before(async () => {
    cluster = await ClusterOnLab.up("hello", MACHINES.length);
    const gone = ["red.service", "blue.service", "hello@.service", "tick.service", "tick.timer"];
    await cluster.commit("without the example's", Object.fromEntries(gone.map((name) => [`units/${name}`, null])));
    const first = await release("one");
    assert.equal(first.code, 0, first.stdout + first.stderr);
    names = new Map((await status()).members.map(({ id, name }) => [id, name]));
    writes = await RegistryWrites.from(`unix:${join(labFolder(LAB_NAME), "shared/registry.sock")}`, ROOT);
  });

  afterEach(async (context) => {
    if (!(context as { passed?: boolean }).passed) console.error(await cluster.report());
  });

  after(async () => {
    await writes?.end();
    await cluster?.down();
  });

  const status = async () => (await cluster.status()) as Shown;

  const commit = (version: string, policy: Policy = {}, everywhere = SLEEP) =>
    cluster.commit(version, {
      "fleet.yaml": manifest(policy),
      "units/web@.service": service(version, SLEEP, "Conflicts=web@*.service\n"),
      [`units/${EVERYWHERE}`]: service(version, everywhere, "Global=true\n"),
    });

  const apply = (...words: readonly string[]) => cluster.fleet("apply", "--auto-approve", ...words);

  const release = async (...parts: Parameters<typeof commit>) => {
    await commit(...parts);
    return apply("--timeout", `${LIMIT_MS}ms`);
  };

  const phaseIs = (seq: number, phase: string) =>
    eventually(
      `the rollout of release ${seq} is ${phase}`,
      async () => {
        const { rollout } = await status();
        return rollout?.seq === seq && rollout.phase === phase && rollout;
      },
      LIMIT_MS,
    );

  const planned = async (): Promise<ShownPlan> => {
    const { code, stdout, stderr } = await cluster.fleet("plan", "--json");
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout) as ShownPlan;
  };

  /** What engines put on machines after a revision, oldest first. */
  const written = async (after: number): Promise<Written[]> => {
    const now = await writes.revision();
    // Leases are renewed and machines speak: something else is written soon.
    await eventually(
      "what was written until now has been heard",
      async () => (writes.all.at(-1)?.revision ?? 0) >= now,
    );
    return writes.of(`${ROOT}placements/`, after).flatMap(({ key, revision }) => {
      const [, machine, unit] = /placements\/([^/]+)\/(.+)$/.exec(key) ?? [];
      return unit === undefined ? [] : [{ unit, machine: names.get(machine!)!, revision }];
    });
  };

  /** `unit machine` → the version it has there, and which start of it that is. */
  const versions = async () => {
    const { units } = await status();
    return new Map(
      units.map(({ unit, machineName, hash, invocation }) => [`${unit} ${machineName}`, { hash, invocation }]),
    );
  };

  const leading = async (): Promise<string> => {
    const { leader, members } = await cluster.status();
    return members.find(({ id }) => id === leader?.machine)?.name ?? assert.fail("no engine leads");
  };

  /** As the host numbers it. */
  const enginePid = (machine: string): number => {
    const folder = cgroupFolder(LAB_NAME, machine);
    return Number(readFileSync(join(folder, "system.slice/fleet-engine.service/cgroup.procs"), "utf8").split("\n")[0]);
  };

  test("the waves of the plan are the waves that happen, and four copies of a global unit are up throughout", async () => {
    await commit("two");
    const { waves } = await planned();
    const [from, sinceMs] = [await writes.revision(), Date.now()];
    const { code, stdout, stderr } = await apply("--timeout", `${LIMIT_MS}ms`);
    assert.equal(code, 0, stdout + stderr);
    const lives = await unitLives(cluster, MACHINES, sinceMs);
    assert.equal(fewestUp(lives, EVERYWHERE, MACHINES), MACHINES.length - 1);
    const happened = await written(from);
    for (const units of [[EVERYWHERE], WEB]) {
      // Each set of replicas goes at its own pace.
      const isOfSet = ({ unit }: { readonly unit: string }) => units.includes(unit);
      const foreseen = waves.flatMap(({ changes }) => changes.filter(isOfSet));
      assert.deepEqual(
        happened.filter(isOfSet).map(({ unit, machine }) => `${unit} ${machine}`),
        foreseen.map(({ unit, machine }) => `${unit} ${names.get(machine)}`),
      );
      let upUs = Number.NEGATIVE_INFINITY;
      for (const { unit, isUp, atUs } of lives.filter(isOfSet)) {
        if (isUp) upUs = atUs;
        else if (upUs > 0) {
          const afterMs = (atUs - upUs) / 1_000;
          assert.ok(afterMs >= HEALTHY_MS, `${unit} goes down ${afterMs} ms after the one before it has come up`);
          upUs = Number.NEGATIVE_INFINITY;
        }
      }
    }
  });

  test("a version that fails stops at its first machine: the others keep the old one, and apply says what it said", async () => {
    const before = await versions();
    well = new Map([...before].map(([key, { hash }]) => [key, hash]));
    await commit("three", {}, WITHOUT_SHOES);
    const { waves } = await planned();
    const { code, stdout, stderr } = await apply("--timeout", `${LIMIT_MS}ms`);
    assert.equal(code, 1, stdout + stderr);
    assert.match(stdout + stderr, /^release 3 failed and is held: /m);
    const first = waves.flatMap(({ changes }) => changes).find(({ unit }) => unit === EVERYWHERE)!;
    const failed = names.get(first.machine)!;
    assert.match(stdout + stderr, new RegExp(`^x ${EVERYWHERE} on ${failed}: failed: `, "m"));
    assert.match(stdout + stderr, /^ +\| has no shoes$/m);
    const rollout = await phaseIs(3, "held");
    assert.deepEqual(
      rollout.failures.map(({ unit, machine, because }) => [unit, machine, because.code]),
      [[EVERYWHERE, first.machine, "failed"]],
    );
    const now = await versions();
    for (const machine of MACHINES) {
      const key = `${EVERYWHERE} ${machine}`;
      if (machine === failed) assert.notEqual(now.get(key)?.hash, before.get(key)?.hash);
      else assert.deepEqual(now.get(key), before.get(key), key);
    }
    const { stdout: told } = await cluster.ask("status");
    assert.match(told, /^rollout +held, because a change failed: /m);
    assert.match(told, new RegExp(`^ +${EVERYWHERE} on ${failed}: failed: `, "m"));
    const why = await cluster.ask("why", EVERYWHERE);
    assert.equal(why.code, 5, why.stdout + why.stderr);
    const [own, other] = [failed, MACHINES.find((machine) => machine !== failed)!].map(
      (machine) => why.stdout.split(/^(?=[x*o] )/m).find((part) => part.includes(`${EVERYWHERE} on ${machine}: `))!,
    );
    assert.match(own!, /^x .*: failed: /);
    assert.match(own!, /^ {2}commit +\w{7} "three" by e2e; release 3, /m);
    assert.match(own!, /^ {2}files +units\/everywhere\.service:\d$/m);
    assert.match(own!, /^> systemd +failed \(failed\), result exit-code, since /m);
    assert.match(own!, /^ +\| has no shoes$/m);
    assert.match(other!, new RegExp(`^x .*: ${EVERYWHERE} failed: nothing more is changed until `));
  });

  test("one that is to go back goes back on every machine, and is not tried again", async () => {
    const { code, stdout, stderr } = await release("four", { everywhere: "onFailure: rollback" }, WITHOUT_SHOES);
    assert.equal(code, 1, stdout + stderr);
    assert.match(stdout + stderr, /^release 4 failed and was rolled back: release 2 runs$/m);
    assert.match(stdout + stderr, new RegExp(`^x ${EVERYWHERE} on m\\d: failed: `, "m"));
    assert.match(stdout + stderr, /^ +\| has no shoes$/m);
    const { units, rollout } = await status();
    assert.equal(rollout?.phase, "rolled-back");
    for (const { unit, machineName, hash, active } of units) {
      assert.deepEqual([hash, active], [well.get(`${unit} ${machineName}`), "active"], `${unit} on ${machineName}`);
    }
    const from = await writes.revision();
    const again = await apply("--timeout", `${LIMIT_MS}ms`);
    assert.equal(again.code, 1, again.stdout + again.stderr);
    assert.match(again.stdout + again.stderr, /already applied as release 4/);
    assert.deepEqual(await written(from), []);
  });

  test("the next commit goes out by itself: its first ring, which soaks, then canaries, which bake, then the others", async () => {
    const rings = `rings: [{ match: "ring=canary", soak: ${SOAK_MS}ms }, { match: "*" }]`;
    const sinceMs = Date.now();
    const { code, stdout, stderr } = await release("five", { rings, web: `canary: 1, bake: ${BAKE_MS}ms` });
    assert.equal(code, 0, stdout + stderr);
    const lives = await unitLives(cluster, MACHINES, sinceMs);
    const ours = lives.filter(({ unit }) => unit === EVERYWHERE || WEB.includes(unit));
    const [down, up, next] = ours.filter(({ isUp }, index) => isUp || ours[index - 1]?.isUp !== false);
    assert.deepEqual([down?.unit, down?.machine, up?.machine], [EVERYWHERE, CANARY_MACHINE, CANARY_MACHINE]);
    assert.ok(next!.atUs - up!.atUs >= 1_000 * (HEALTHY_MS + SOAK_MS), "the first ring soaks");
    const web = ours.filter(({ unit }) => WEB.includes(unit));
    const canary = web.find(({ isUp }) => isUp)!;
    const after = web.find(({ unit }) => unit !== canary.unit)!;
    assert.equal(canary.unit, WEB[0]);
    assert.ok(after.atUs - canary.atUs >= 1_000 * (HEALTHY_MS + BAKE_MS), "the canary bakes");
    assert.equal(fewestUp(lives, EVERYWHERE, MACHINES), MACHINES.length - 1);
  });

  test("it pauses and goes on at a word, also when the leading engine is killed in the midst of a wave", async () => {
    await commit("six");
    const { waves } = await planned();
    const [from, sinceMs] = [await writes.revision(), Date.now()];
    const leader = enginePid(await leading());
    let changed = 0;
    writes.onWrite = ({ key }) => {
      if (!key.startsWith(`${ROOT}placements/`) || !key.endsWith(`/${EVERYWHERE}`)) return;
      changed += 1;
      if (changed === 2) process.kill(leader, "SIGKILL");
    };
    const { code, stdout, stderr } = await apply("--detach");
    assert.equal(code, 0, stdout + stderr);
    await eventually("its leader is killed", async () => changed >= 2, LIMIT_MS);
    const pause = await cluster.fleet("rollout", "pause", "--reason", "to look at it");
    assert.equal(pause.code, 0, pause.stderr);
    await phaseIs(6, "paused");
    await eventually("what was under way has ended", async () =>
      (await status()).units.every(({ active }) => active === "active"),
    );
    const atPause = await written(from);
    const waiting = await apply("--timeout", "2s");
    assert.equal(waiting.code, 5, waiting.stdout + waiting.stderr);
    assert.match(waiting.stdout + waiting.stderr, /^release 6 is paused by \S+ \(to look at it\)/m);
    const foreseen = waves
      .flatMap(({ changes }) => changes)
      .map(({ unit, machine }) => `${unit} ${names.get(machine)}`);
    assert.ok(atPause.length < foreseen.length, "something is left");
    assert.deepEqual(await written(from), atPause);
    const resume = await cluster.fleet("rollout", "resume");
    assert.equal(resume.code, 0, resume.stderr);
    const end = await apply("--timeout", `${LIMIT_MS}ms`);
    assert.equal(end.code, 0, end.stdout + end.stderr);
    const happened = (await written(from)).map(({ unit, machine }) => `${unit} ${machine}`);
    assert.deepEqual(happened.sort(), foreseen.sort(), "everything was changed, and once");
    const lives = await unitLives(cluster, MACHINES, sinceMs);
    assert.equal(fewestUp(lives, EVERYWHERE, MACHINES), MACHINES.length - 1);
  });
});
