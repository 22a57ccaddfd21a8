/** The committed bundle, as a runner starts it: `node action/index.js`. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { staleActionFiles } from "../../scripts/build-action.ts";
import { randomId } from "../../src/adapters/random-id.ts";
import { systemClock } from "../../src/adapters/system-clock.ts";
import { registryKeys } from "../../src/codec/registry-keys.ts";
import { APPLY_LOCK, APPLY_LOCK_MS } from "../../src/domain/locks/lock.ts";
import { LapseWatch } from "../../src/usecases/lapse-watch.ts";
import { readLocks } from "../../src/usecases/read-lock.ts";
import { releaseLock } from "../../src/usecases/release-lock.ts";
import { takeLock } from "../../src/usecases/take-lock.ts";
import { ActionWorld, type RunOptions, type RunResult, readRun } from "./action-world.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const MANIFEST = "apiVersion: fleet/v1\ncluster: shop\nadmit: any\n";
const service = (text: string) => `[Service]\nExecStart=/bin/echo ${text}\n`;
/** On a machine that is busy with all other tests; what hangs fails its test, and not the run. */
const LIMIT_MS = 60_000;
const keys = registryKeys("shop");

test("the bundle is made of these sources: tools/node/run scripts/build-action.ts", async () => {
  assert.deepEqual(await staleActionFiles(), [], "run tools/node/run scripts/build-action.ts, and commit action/");
});

describe("the bundle as a runner starts it", { concurrency: false }, () => {
  let world: ActionWorld;
  before(async () => {
    world = await ActionWorld.start();
    world.commit({ "fleet.yaml": MANIFEST, "units/web.service": service("one") });
  });
  after(() => world?.stop());

  /** What a runner does with `runs:`; `meanwhile` is given the process and what it has printed. */
  async function start(
    options: RunOptions,
    meanwhile: (child: ChildProcess, printed: () => string) => Promise<void> = async () => {},
  ): Promise<RunResult> {
    const { env, files } = world.environment(options);
    const { runs } = parse(readFileSync(`${ROOT}action.yml`, "utf8")) as { runs: { using: string; main: string } };
    assert.equal(runs.using, `node${process.versions.node.split(".")[0]}`);
    const child = spawn(process.execPath, [`${ROOT}${runs.main}`], {
      cwd: files.folder,
      env: { PATH: process.env.PATH, HOME: files.folder, ...env },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: LIMIT_MS,
      killSignal: "SIGKILL",
    });
    let printed = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => {
        printed += text;
      });
    const code = new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    await meanwhile(child, () => printed);
    return readRun(await code, printed, files);
  }

  test("wound 10: the 2 of detailed-exitcode is the step's own, and a plan without it is green", async () => {
    const inputs = { command: "plan", "detailed-exitcode": "true" };
    const [detailed, green] = await Promise.all([
      start({ inputs }),
      start({ event: "pull_request", inputs: { command: "plan" } }),
    ]);
    assert.deepEqual([detailed.code, green.code], [2, 0], detailed.log + green.log);
    assert.match(world.github.own(7)[0]!.body, /### shop/);
    assert.doesNotMatch(detailed.all + green.all, /canary/);
  });

  test("wound 10: validate with a wrong input is red, and not by the code of a finding", async () => {
    const wrong = await start({ inputs: { command: "validate", "step-summary": "maybe" } });
    assert.deepEqual([wrong.code, wrong.outputs["failure-reason"]], [1, "usage"]);
  });

  /** A runner interrupts a cancelled run, and ends it 7.5 s later. */
  const ENDS = { SIGINT: 130, SIGTERM: 143 } as const;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    test(`a run that is cancelled (${signal}) while it waits for the lock or for units leaves none`, async () => {
      world.commit({ "units/web.service": service(signal) });
      const ports = { registry: world.cluster.registry, keys, clock: systemClock, newId: randomId };
      const wish = { name: APPLY_LOCK, holder: "other", by: "bob", reason: "x", slots: 1, forMs: APPLY_LOCK_MS };
      await takeLock(ports, { ...wish, queues: false }, new LapseWatch(systemClock));
      const inputs = { command: "apply", "auto-approve": "true" };
      const held = async () => (await readLocks(world.cluster.registry, keys)).flatMap((lock) => lock.held);
      const waiting = await start({ inputs }, async (child, printed) => {
        await untilPrinted(child, printed, /waits for lock apply/);
        child.kill(signal);
      });
      assert.equal(waiting.code, ENDS[signal], waiting.log);
      assert.deepEqual(
        (await held()).map(({ holder }) => holder),
        ["other"],
      );
      await releaseLock(ports, APPLY_LOCK, "other");

      await start({ inputs }, async (child, printed) => {
        await untilPrinted(child, printed, /^release \d+: commit/m);
        child.kill(signal);
      });
      assert.deepEqual(await held(), []);
    });
  }
});

/** Or until it has ended, which the caller then finds. */
async function untilPrinted(child: ChildProcess, printed: () => string, what: RegExp): Promise<void> {
  while (!what.test(printed()) && child.exitCode === null && child.signalCode === null) await sleep(20);
}
