/** Plans of those who cannot reach the cluster: against a file that tells of it. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { sha256 } from "../../src/adapters/sha256.ts";
import { StateRegistry } from "../../src/adapters/state/state-registry.ts";
import { systemClock } from "../../src/adapters/system-clock.ts";
import { type ClusterState, decodeState, encodeState } from "../../src/codec/cluster-state.ts";
import { registryKeys } from "../../src/codec/registry-keys.ts";
import { readState } from "../../src/usecases/read-state.ts";
import { ActionWorld, type RunOptions } from "./action-world.ts";
import { PretendEngine } from "./pretend-engine.ts";

const MANIFEST = "apiVersion: fleet/v1\ncluster: shop\nadmit: any\n";
const service = (text: string) => `[Service]\nExecStart=/bin/echo ${text}\n`;
const keys = registryKeys("shop");

describe("a plan against a state", { concurrency: false }, () => {
  let world: ActionWorld;
  let engine: PretendEngine;
  let state: ClusterState;
  before(async () => {
    world = await ActionWorld.start();
    engine = new PretendEngine(world.cluster);
    world.commit({
      "fleet.yaml": MANIFEST,
      "units/web.service": service("canary-in-a-unit"),
      "units/db.service": service("one"),
    });
    const applied = await world.run({ inputs: { command: "apply", "auto-approve": "true", timeout: "20s" } });
    assert.equal(applied.code, 0, applied.log);
    const { registry } = world.cluster;
    const put = (key: string, value: string) => registry.txn({ when: [], then: [{ kind: "put", key, value }] });
    await put(keys.token("hash"), '{"v":1,"secret":"canary-of-a-token"}');
    await put(`${keys.root}of-tomorrow/x`, "canary-of-tomorrow");
    world.commit({ "units/web.service": service("two"), "units/new.service": service("new") });
    state = await readState(registry, keys, systemClock);
    write(encodeState(state, sha256));
  });
  after(async () => {
    await engine?.stop();
    await world?.stop();
  });

  const write = (text: string) => writeFileSync(join(world.repository.path, ".git", "state"), text);
  const run = (command: string, inputs: RunOptions["inputs"] = {}) =>
    world.run({ event: "pull_request", inputs: { command, registry: "file:.git/state", ...inputs } });

  test("it is the same plan, to its id, and says how old the state is", async () => {
    const [told, asked] = [await run("plan"), await world.run({ inputs: { command: "plan" } })];
    assert.deepEqual([told.code, asked.code], [0, 0], told.log);
    assert.deepEqual(
      [told.outputs["plan-id"], told.outputs["content-id"]],
      [asked.outputs["plan-id"], asked.outputs["content-id"]],
    );
    assert.equal(told.outputs["to-restart"], "1");
    assert.match(told.log, /^the cluster is shown as it was \d+ s ago; nobody signed that$/m);
    assert.match(world.github.own(7)[0]!.body, /as it was \d+ s ago/);
    assert.doesNotMatch(asked.log, /as it was/);
  });

  test("no unit's text, no address, no token and nothing nobody thought of is in it", () => {
    const text = encodeState(state, sha256);
    assert.doesNotMatch(text, /canary|192\.0\.2\.|\/plans\//);
    assert.deepEqual(decodeState(text, sha256), { kind: "state", state, seal: null });
  });

  test("nothing can be applied through it", async () => {
    const refused = await run("apply", { "auto-approve": "true" });
    assert.deepEqual([refused.code, refused.outputs["failure-reason"]], [1, "state-read-only"], refused.log);
    const registry = new StateRegistry(state, null);
    for (const write of [registry.grantLease(), registry.txn({ when: [], then: [{ kind: "delete", key: "x" }] })])
      await assert.rejects(write, { code: "state-read-only" });
  });

  const BROKEN: readonly [string, (text: string) => string, RegExp][] = [
    ["cut", (text) => text.slice(0, -10), /its last line is cut/],
    ["changed", (text) => text.replace('"web.service"', '"wab.service"').replace("launched", "inactive"), /checksum/],
    ["something else", () => '{"fleet":"registry","v":1}\n', /not what fleet registry state writes/],
    ["of tomorrow", () => '{"fleet":"state","v":9}\n', /of version 9/],
    ["empty", () => "", /not what fleet registry state writes/],
  ];
  test("one that is not whole is not taken", async (t) => {
    for (const [name, change, says] of BROKEN) {
      await t.test(name, async () => {
        write(change(encodeState(state, sha256)));
        const refused = await run("plan");
        assert.deepEqual([refused.code, refused.outputs["failure-reason"]], [1, "state-refused"]);
        assert.match(refused.outputs.summary!, says);
      });
    }
    const missing = await run("plan", { registry: "file:no-such-state" });
    assert.deepEqual([missing.code, missing.outputs["failure-reason"]], [1, "state-unreadable"]);
  });
});
