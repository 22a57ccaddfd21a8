/** `state:`, what an engine published and signed, for runs that cannot reach the cluster, and hold nothing that could. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import { pushState, stateRef } from "../../src/adapters/git/state-ref.ts";
import { ensureIdentity } from "../../src/adapters/identity/ensure-identity.ts";
import { signatureOf } from "../../src/adapters/identity/key-signature.ts";
import type { NodeIdentity } from "../../src/adapters/identity/node-identity.ts";
import { sha256 } from "../../src/adapters/sha256.ts";
import { systemClock } from "../../src/adapters/system-clock.ts";
import { type ClusterState, encodeState } from "../../src/codec/cluster-state.ts";
import { registryKeys } from "../../src/codec/registry-keys.ts";
import { readState } from "../../src/usecases/read-state.ts";
import { pretendId } from "../pretend-machine.ts";
import { ActionWorld, type RunOptions } from "./action-world.ts";
import { PretendEngine } from "./pretend-engine.ts";

const service = (text: string) => `[Service]\nExecStart=/bin/echo ${text}\n`;
const manifest = (cluster: string, keys: Readonly<Record<string, string>>) =>
  `apiVersion: fleet/v1\ncluster: ${cluster}\nmachines:\n${["m1", "m2"]
    .map((name) => `  ${name}: { id: ${pretendId(name)}${name in keys ? `, engineKey: "${keys[name]}"` : ""} }\n`)
    .join("")}`;
const keys = registryKeys("shop");
const REF = stateRef("shop");

describe("a plan against a signed state", { concurrency: false }, () => {
  const folder = mkdtempSync(join(tmpdir(), "fleet-identities-"));
  let world: ActionWorld;
  let engine: PretendEngine;
  let listed: NodeIdentity;
  let stranger: NodeIdentity;
  let state: ClusterState;
  let base: string;
  let http: Server;
  let served = "";

  before(async () => {
    [listed, stranger] = [await ensureIdentity(join(folder, "a")), await ensureIdentity(join(folder, "b"))];
    world = await ActionWorld.start();
    engine = new PretendEngine(world.cluster);
    base = world.commit({ "fleet.yaml": manifest("shop", { m1: listed.key }), "units/web.service": service("one") });
    const applied = await world.run({ inputs: { command: "apply", "auto-approve": "true", timeout: "20s" } });
    assert.equal(applied.code, 0, applied.log);
    world.commit({ "units/web.service": service("two") });
    state = await readState(world.cluster.registry, keys, systemClock);
    http = createServer((_request, response) => response.end(served)).listen(0, "127.0.0.1");
    await new Promise((resolve) => http.once("listening", resolve));
  });
  after(async () => {
    http?.close();
    await engine?.stop();
    await world?.stop();
    rmSync(folder, { recursive: true });
  });
  afterEach(() => world.github.reset());

  const signed = (by: NodeIdentity, what: Partial<ClusterState> = {}) =>
    encodeState({ ...state, ...what }, sha256, { key: by.key, sign: (bytes) => signatureOf(by, bytes) });
  const publish = (text: string) =>
    pushState({ remote: world.remote.path, ref: REF, environment: { PATH: process.env.PATH } }, text);
  const run = (inputs: RunOptions["inputs"] = {}, rest: Partial<RunOptions> = {}) =>
    world.run({
      ...{ event: "pull_request", baseSha: base, env: { PATH: process.env.PATH ?? "" }, ...rest },
      inputs: { command: "plan", registry: "none", state: REF, ...inputs },
    });

  test("it is the plan of the cluster, whatever way it came, and says whose word it is and of when", async () => {
    await publish(signed(listed));
    served = signed(listed);
    writeFileSync(join(world.repository.path, ".git", "state"), served);
    const asked = await world.run({ inputs: { command: "plan" } });
    const { port } = http.address() as AddressInfo;
    for (const state of [REF, `${world.remote.path}#${REF}`, `http://127.0.0.1:${port}/shop.state`, ".git/state"]) {
      const told = await run({ state });
      assert.equal(told.code, 0, told.log);
      assert.equal(told.outputs["plan-id"], asked.outputs["plan-id"], state);
      assert.equal(told.outputs.warnings, "");
      assert.match(told.log, /^the cluster is shown as it was \d+ s ago; signed by the engine of m1$/m);
    }
    assert.match(world.github.own(7)[0]!.body, /as it was \d+ s ago; signed by the engine of m1/);
    assert.deepEqual(world.remote.git(["ls-tree", "--name-only", REF]), "state");
  });

  const REFUSED: readonly [name: string, text: () => string, why: string, says: RegExp][] = [
    ["that nobody signed", () => encodeState(state, sha256), "state-unsigned", /nobody signed/],
    ["of an engine that is not listed", () => signed(stranger), "state-unlisted-key", /no engineKey of a machine/],
    [
      "whose signature is somebody else's",
      () => signed(stranger).replace(stranger.key, listed.key),
      "state-refused",
      /has not signed/,
    ],
    [
      "whose signature is cut",
      () => signed(listed).replace(/("signature":").{20}/, "$1"),
      "state-refused",
      /cannot be read/,
    ],
    [
      "that was changed, with a checksum of its own",
      () => {
        const [seal] = signed(listed).split("\n").slice(-2);
        const lines = encodeState({ ...state, revision: 1 }, sha256).split("\n");
        const last = { ...JSON.parse(seal!), ...JSON.parse(lines.at(-2)!) };
        return [...lines.slice(0, -2), JSON.stringify(last), ""].join("\n");
      },
      "state-refused",
      /has not signed/,
    ],
    ["that was changed", () => signed(listed).replace(/"revision":\d+/, '"revision":1'), "state-refused", /checksum/],
    ["of another cluster", () => signed(listed, { cluster: "mall" }), "state-of-another", /cluster mall, not shop/],
  ];
  for (const [name, text, why, says] of REFUSED) {
    test(`a state ${name} is refused`, async () => {
      await publish(text());
      const refused = await run();
      assert.deepEqual([refused.code, refused.outputs["failure-reason"]], [1, why], refused.log);
      assert.match(refused.outputs.summary!, says);
      assert.doesNotMatch(refused.log, /^ +at .*:\d+:\d+\)?$/m);
    });
  }

  test("a pull request that lists a key of its own is not believed, nor is a merge group", async () => {
    await publish(signed(stranger));
    world.commit({ "fleet.yaml": manifest("shop", { m1: listed.key, m2: stranger.key }) });
    for (const event of ["pull_request", "merge_group"] as const)
      assert.equal((await run({}, { event })).outputs["failure-reason"], "state-unlisted-key");
    assert.equal((await run({}, { event: "push" })).code, 0, "once it is merged it is");
    world.commit({ "fleet.yaml": manifest("shop", { m1: listed.key }) });
  });

  test("nothing can be applied through it, and a base that is not there verifies nothing", async () => {
    await publish(signed(listed));
    const applied = await run({ command: "apply", "auto-approve": "true" });
    assert.equal(applied.outputs["failure-reason"], "state-read-only");
    for (const baseSha of ["f".repeat(40), "main", ""]) {
      const refused = await run({}, { baseSha });
      assert.equal(refused.outputs["failure-reason"], "state-no-base", baseSha);
    }
    const both = await run({ registry: world.cluster.address });
    assert.deepEqual([both.outputs["failure-reason"], both.code], ["usage", 1]);
  });

  test("an old one, and one of tomorrow, is shown and warned of", async () => {
    for (const [at, says] of [
      ["2026-01-01T00:00:00.000Z", /is it still published/],
      [new Date(systemClock.wallMs() + 3_600_000).toISOString(), /are the clocks right/],
      ["yesterday", /is it still published/],
    ] as const) {
      await publish(signed(listed, { at }));
      const told = await run();
      assert.equal(told.code, 0, told.log);
      assert.match(told.outputs.warnings!, says);
    }
  });

  test("what is not there, and what is no state, is an error with a next step", async () => {
    const missing = ["refs/fleet/state/mall", "/nowhere#refs/fleet/state/shop", "http://127.0.0.1:1/x", "no-such-file"];
    for (const state of missing) {
      const refused = await run({ state });
      assert.deepEqual([refused.code, refused.outputs["failure-reason"]], [1, "state-unreadable"], refused.log);
      assert.match(refused.log, /next: /);
    }
    assert.equal((await run({ state: "fleet.yaml" })).outputs["failure-reason"], "state-refused");
  });
});
