import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { systemClock } from "../../src/adapters/system-clock.ts";
import { registryKeys } from "../../src/codec/registry-keys.ts";
import { LapseWatch } from "../../src/usecases/lapse-watch.ts";
import { readLock } from "../../src/usecases/read-lock.ts";
import { releaseLock } from "../../src/usecases/release-lock.ts";
import { takeLock } from "../../src/usecases/take-lock.ts";
import type { TestRepository } from "../contract/git-repository.ts";
import { eventually } from "../e2e/lab-name.ts";
import { fleet } from "./fleet-process.ts";
import { type OneWebUnit, oneWebUnit } from "./one-web-unit.ts";
import type { PretendCluster } from "./pretend-cluster.ts";

const keys = registryKeys("shop");
const HOLDER = "ci-4711-abc";

describe("the lock of applies, and fleet locks", { concurrency: false }, () => {
  let world: OneWebUnit;
  let repository: TestRepository;
  let cluster: PretendCluster;
  let ids = 0;

  before(async () => {
    world = await oneWebUnit("nas");
    ({ repository, cluster } = world);
  });
  after(async () => world?.end());

  const options = () => world.options;
  const ports = () => ({ registry: cluster.registry, keys, clock: systemClock, newId: () => `id${++ids}` });
  const hold = (name: string, holder: string) => {
    const wish = { name, holder, by: "ci", reason: "commit 1234567", slots: 1, forMs: 120_000, queues: false };
    return takeLock(ports(), wish, new LapseWatch(systemClock));
  };
  const held = async (name: string) => (await readLock(cluster.registry, keys, name)).held.map(({ holder }) => holder);
  const apply = (...words: readonly string[]) => fleet(["apply", "--auto-approve", "--detach", ...words], options());

  test("an apply while somebody else applies changes nothing and ends with 4, naming who and since when", async () => {
    await hold("apply", HOLDER);
    const { code, stdout, stderr } = await apply("--lock-timeout", "0s", "--json");
    assert.equal(code, 4, stderr);
    assert.match(
      stderr,
      /lock apply is held by ci \(ci-4711-abc: commit 1234567\), .* ago, ends in 2 min; nothing was/,
    );
    assert.match(stderr, /next: .*fleet locks release apply/);
    assert.equal(JSON.parse(stdout).result, "locked");
    assert.deepEqual((await cluster.registry.list(keys.release)).entries, []);
  });

  test("it is listed with its holder, and so is one by machine, under its name", async () => {
    await hold("reboot", (await cluster.registry.list(`${keys.root}members/`)).entries[0]!.key.split("/").at(-1)!);
    const { code, stdout } = await fleet(["locks"], options());
    assert.equal(code, 0);
    assert.match(
      stdout,
      /^NAME +HOLDER +BY +REASON +SINCE +ENDS\napply +ci-4711-abc +ci +commit 1234567 +\d+ s ago +in 2 min\nreboot +nas +ci/,
    );
    const listed = JSON.parse((await fleet(["locks", "--json"], options())).stdout);
    assert.deepEqual(
      listed.map((lock: { name: string; held: { by: string }[] }) => [lock.name, lock.held[0]?.by]),
      [
        ["apply", "ci"],
        ["reboot", "ci"],
      ],
    );
  });

  test("ended by hand it says whose it was; of one who holds nothing it says so and changes nothing", async () => {
    const { code, stdout } = await fleet(["locks", "release", "reboot", "nas"], options());
    assert.equal(code, 0);
    assert.match(stdout, /lock reboot was held by ci \(nas: commit 1234567\).*it is free now/);
    assert.deepEqual(await held("reboot"), []);
    const again = await fleet(["locks", "release", "reboot", "nas"], options());
    assert.deepEqual([again.code, again.stdout], [0, ""]);
    assert.match(again.stderr, /nas does not hold lock reboot: nothing was changed/);
  });

  test("an apply that waits goes on as soon as it is free, and gives it back", async () => {
    const program = fileURLToPath(new URL("../../bin/fleet.js", import.meta.url));
    const words = ["apply", "--auto-approve", "--detach", "--registry", cluster.address, "--lock-timeout", "15s"];
    const child = spawn(process.execPath, [program, ...words], {
      cwd: repository.path,
      stdio: ["ignore", "ignore", "pipe"],
    });
    const ended = once(child, "exit");
    let stderr = "";
    child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    await eventually("it says that it waits", async () => /waits for lock apply, held by ci/.test(stderr));
    assert.deepEqual((await cluster.registry.list(keys.release)).entries, []);
    await releaseLock(ports(), "apply", HOLDER);
    assert.deepEqual((await ended)[0], 0, stderr);
    assert.match(stderr, /release 1/);
    assert.deepEqual(await held("apply"), []);
  });

  for (const [signal, code] of [
    ["SIGTERM", 143],
    ["SIGINT", 130],
  ] as const) {
    test(`${signal} while it applies gives the lock back`, async () => {
      const source = (path: string) => fileURLToPath(new URL(`../../src/${path}`, import.meta.url));
      const script = `
        import { openRegistry } from ${JSON.stringify(source("adapters/etcd/open-registry.ts"))};
        import { systemClock } from ${JSON.stringify(source("adapters/system-clock.ts"))};
        import { randomId } from ${JSON.stringify(source("adapters/random-id.ts"))};
        import { registryKeys } from ${JSON.stringify(source("codec/registry-keys.ts"))};
        import { withApplyLock } from ${JSON.stringify(source("cli/with-apply-lock.ts"))};
        const registry = await openRegistry(${JSON.stringify(cluster.address)}, { clock: systemClock });
        const lock = { registry, keys: registryKeys("shop"), commit: "1234567", timeoutMs: 0, onWait: () => {} };
        await withApplyLock({ clock: systemClock, newId: randomId }, lock, async () => {
          await systemClock.sleep(60_000);
        });`;
      const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: "inherit" });
      const ended = once(child, "exit");
      await eventually("it is held", async () => (await held("apply")).length === 1);
      child.kill(signal);
      assert.deepEqual((await ended)[0], code);
      assert.deepEqual(await held("apply"), []);
    });
  }
});
