import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { encodeJoin } from "../../src/codec/join-record.ts";
import type { AreaReport } from "../../src/domain/doctor/finding.ts";
import { parseNodeKey } from "../../src/domain/identity/node-key.ts";
import { fleet, prepareFleet } from "./fleet-process.ts";

const skip = process.getuid?.() !== 0 && "only root speaks for a machine to its engines";
/** Nobody listens there. */
const NOBODY = "127.0.0.1:1";

describe("commands of a machine that goes through engines", { skip }, () => {
  let state: string;

  before(async () => {
    await prepareFleet();
    state = mkdtempSync(join(tmpdir(), "fleet-hub-cli-"));
  });

  after(() => rmSync(state, { recursive: true, force: true }));

  const registryArea = async (): Promise<AreaReport> => {
    const words = ["doctor", "--json", "--registry", `hub://${NOBODY}`, "--state-directory", state];
    const { areas } = JSON.parse((await fleet(words, { cwd: state })).stdout) as { areas: AreaReport[] };
    return areas.find(({ area }) => area === "registry")!;
  };

  test("before it has joined, doctor says that it knows no engine, and how to join", async () => {
    const [finding, ...others] = (await registryArea()).findings;
    assert.deepEqual(others, []);
    assert.deepEqual([finding?.code, finding?.severity, finding?.next], ["hub-away", "error", "fleet join 127.0.0.1"]);
    assert.match(finding!.saw, /knows no engine's key.*\(no-engine-keys\)/);
  });

  test("once it has joined, an engine that is away is named, by doctor and by whatever needs the registry", async () => {
    const key = parseNodeKey(`ed25519:${"A".repeat(43)}`)!;
    const cluster = {
      clusterId: "0".repeat(32),
      cluster: "home",
      source: null,
      branch: "main",
      manifest: "fleet.yaml",
    };
    writeFileSync(join(state, "join.json"), encodeJoin({ ...cluster, engines: [NOBODY], engineKeys: [key] }));
    const [finding] = (await registryArea()).findings;
    assert.match(finding!.saw, /cannot reach the engine at 127\.0\.0\.1:1: ECONNREFUSED \(engine-unreachable\)/);
    const words = ["status", "--cluster", "home", "--registry", `hub://${NOBODY}`];
    const { code, stderr } = await fleet(words, { cwd: state, env: { FLEET_STATE_DIRECTORY: state } });
    assert.equal(code, 1);
    assert.match(stderr, /no engine can be used: cannot reach the engine at 127\.0\.0\.1:1.*\[registry-unreachable\]/s);
    assert.match(stderr, /next: is it up, listening there/);
  });

  test("an address that is none is told with the forms there are, and an engine is told to take the registry itself", async () => {
    const bad = await fleet(["status", "--registry", "hub://nas:0"], { cwd: state });
    assert.match(bad.stderr, /0 is not a port.*next: write hub:\/\/host/s);
    const words = ["engine", "--registry", "hub://nas", "--source", state, "--state-directory", state];
    const { code, stderr } = await fleet(words, { cwd: state });
    assert.equal(code, 1);
    assert.match(stderr, /an engine does not reach its registry by hub:\/\/nas \[engine-behind-engines\]/);
  });
});
