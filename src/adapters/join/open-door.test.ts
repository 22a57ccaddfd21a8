/** A machine and an engine's join desk over real TLS on the loopback interface. */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { type PretendFront, specMachine, startPretendFront } from "../../../test/pretend-front.ts";
import { pretendId } from "../../../test/pretend-machine.ts";
import { encodeRecord } from "../../codec/record.ts";
import { registryKeys } from "../../codec/registry-keys.ts";
import { createToken } from "../../usecases/create-token.ts";
import { IdentityKeeper } from "../identity/identity-keeper.ts";
import { NodeIdentity } from "../identity/node-identity.ts";
import { MvccRegistry } from "../mvcc/mvcc-registry.ts";
import { MvccStore } from "../mvcc/mvcc-store.ts";
import { randomId } from "../random-id.ts";
import { sha256 } from "../sha256.ts";
import { systemClock } from "../system-clock.ts";
import { openDoor } from "./open-door.ts";

const KEYS = registryKeys("home");
const IDENTITY = {
  ...{ id: "c".repeat(32), name: "home", source: "https://host/homelab", branch: "main" },
  ...{ manifest: "fleet.yaml", epoch: 1 },
};
const REQUEST = { name: "pi", isNamed: false, bootId: "boot-1" };
const never = new AbortController().signal;

describe("a machine at an engine's door", { concurrency: false }, () => {
  const registry = new MvccRegistry(new MvccStore(), systemClock);
  let front: PretendFront;
  before(async () => {
    await registry.txn({ when: [], then: [{ kind: "put", key: KEYS.cluster, value: encodeRecord(IDENTITY) }] });
    front = await startPretendFront(registry, IDENTITY);
  });
  after(() => front.close());

  const machine = (name: string, clusterId: string | null = null) => {
    const identity = new NodeIdentity(generateKeyPairSync("ed25519").privateKey);
    const claim = { clusterId, role: "machine", machine: pretendId(name) } as const;
    return new IdentityKeeper(identity, claim, systemClock);
  };
  const dial = (identity: IdentityKeeper) => {
    const [host, port] = front.address.split(":") as [string, string];
    return openDoor({ host, port: Number(port), identity, nowMs: Date.now }, never);
  };
  const token = async (clusterId = IDENTITY.id) => {
    const wanted = { clusterId, forMs: 60_000, by: "root", metadata: { site: "0123" }, namePrefix: "" };
    return (await createToken(registry, KEYS, wanted, { clock: systemClock, newId: randomId, sha256 })).text;
  };

  test("a machine nobody knows hears which cluster it is, and what it is to it", async () => {
    const door = await dial(machine("pi"));
    assert.equal(door.engineKey, front.key);
    assert.equal(door.machine, pretendId("hub"));
    assert.deepEqual(await door.hello(REQUEST), {
      ...{ clusterId: IDENTITY.id, cluster: "home", source: IDENTITY.source, branch: "main", manifest: "fleet.yaml" },
      ...{ version: "0.1.0", engineKeys: [], standing: { code: "unlisted" }, acceptedSeq: null, releaseSeq: 1 },
    });
    door.close();
  });

  test("it is listed once git lists its key, and may leave", async () => {
    const pi = machine("pi", IDENTITY.id);
    front.machines = [specMachine("pi", { machineKey: pi.identity.key })];
    const door = await dial(pi);
    const { standing } = await door.hello(REQUEST);
    assert.deepEqual(standing, { code: "listed", name: "pi" });
    assert.deepEqual(await door.leave(), { result: "removed" });
    door.close();
  });

  test("who is not in cannot take anybody out", async () => {
    front.machines = [];
    const door = await dial(machine("pi"));
    await assert.rejects(door.leave(), { code: "unlisted-key" });
    door.close();
  });

  test("a token lets a machine in over the same connection, and one of another cluster does not", async () => {
    const door = await dial(machine("zero"));
    const refused = await door.enrol({ ...REQUEST, name: "zero", token: await token("d".repeat(32)) });
    assert.deepEqual(refused, { verdict: "refused", refusal: { code: "token-other-cluster" } });
    const admitted = await door.enrol({ ...REQUEST, name: "zero", token: await token() });
    assert.deepEqual(admitted, { verdict: "admitted", name: "zero", metadata: { site: "0123" } });
    assert.equal((await door.hello({ ...REQUEST, name: "zero" })).standing.code, "admitted");
    door.close();
  });

  test("what is no request is refused, and the next one is answered", async () => {
    const door = await dial(machine("x"));
    await assert.rejects(door.hello({ ...REQUEST, name: "n".repeat(1_000) }), { code: "bad-request" });
    await assert.rejects(door.enrol({ ...REQUEST, token: "t".repeat(100_000) }), { code: "bad-request" });
    assert.equal((await door.hello({ ...REQUEST, name: "x" })).standing.code, "unlisted");
    door.close();
  });

  test("a door that closed answers nothing more", async () => {
    const door = await dial(machine("y"));
    door.close();
    await assert.rejects(door.hello(REQUEST));
  });
});
