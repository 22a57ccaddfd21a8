import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../adapters/memory/virtual-clock.ts";
import { expireLeases } from "../adapters/mvcc/expire-leases.ts";
import { MvccRegistry } from "../adapters/mvcc/mvcc-registry.ts";
import { MvccStore } from "../adapters/mvcc/mvcc-store.ts";
import { sha256 } from "../adapters/sha256.ts";
import { encodeRecord } from "../codec/record.ts";
import { registryKeys } from "../codec/registry-keys.ts";
import { type NodeKey, parseNodeKey } from "../domain/identity/node-key.ts";
import { AttemptLimit, REFUSED_MAX } from "../domain/join/attempt-limit.ts";
import type { JoinCaller, ListedMachine } from "../domain/join/judge-caller.ts";
import { type MachineId, parseMachineId } from "../domain/names.ts";
import { UnknownResultError } from "../ports/operation-error.ts";
import type { Txn, TxnResult } from "../ports/registry.ts";
import { admitByToken, type JoinWorld, standingOf } from "./admit-by-token.ts";
import { createToken } from "./create-token.ts";
import { readTokens } from "./read-tokens.ts";
import { removeMachine } from "./remove-machine.ts";
import { revokeToken } from "./revoke-token.ts";

const KEYS = registryKeys("home");
const CLUSTER = "c".repeat(32);
const key = (letter: string): NodeKey => parseNodeKey(`ed25519:${letter.repeat(42)}A`)!;
const id = (digit: string): MachineId => parseMachineId(digit.repeat(32))!;
const caller = (digit: string, changes: Partial<JoinCaller> = {}): JoinCaller => ({
  ...{ machine: id(digit), name: `m-${digit}`, isNamed: false, key: key(digit), bootId: `boot-${digit}` },
  ...changes,
});
const METADATA = { site: "0123" };

/** Loses the reply of the next write, which has happened. */
class ForgetfulRegistry extends MvccRegistry {
  isForgetful = false;
  before: () => Promise<unknown> = async () => {};

  override async txn(txn: Txn): Promise<TxnResult> {
    if (txn.then.every(({ kind }) => kind === "list")) return super.txn(txn);
    const before = this.before;
    this.before = async () => {};
    await before();
    const result = await super.txn(txn);
    if (!this.isForgetful) return result;
    this.isForgetful = false;
    throw new UnknownResultError("registry-unknown-result", "the reply was lost");
  }
}

async function world(listed: readonly ListedMachine[] = []) {
  const [store, clock, end] = [new MvccStore(), new VirtualClock(), new AbortController()];
  void expireLeases(store, clock, end.signal);
  const registry = new ForgetfulRegistry(store, clock);
  await registry.txn({ when: [], then: [{ kind: "put", key: KEYS.cluster, value: encodeRecord({}) }] });
  let ids = 0;
  const newId = () => (ids++).toString(16).padStart(32, "0");
  const joinWorld: JoinWorld = {
    ...{ registry, keys: KEYS, clusterId: CLUSTER, listed, clock, newId, sha256 },
    attempts: new AttemptLimit(),
  };
  const create = async (namePrefix = "") => {
    const wanted = { clusterId: CLUSTER, forMs: 3_600_000, by: "root", metadata: METADATA, namePrefix };
    return createToken(registry, KEYS, wanted, joinWorld);
  };
  const admit = (text: string, who: JoinCaller, address = "192.0.2.1") => admitByToken(text, who, address, joinWorld);
  return { registry, clock, joinWorld, create, admit, tokens: () => readTokens(registry, KEYS) };
}

test("a token lets one machine in, which is then known by its key, and the token is gone", async () => {
  const { create, admit, tokens, joinWorld } = await world();
  const { text, token } = await create();
  assert.equal((await standingOf(caller("a"), joinWorld)).code, "unlisted");
  assert.deepEqual(await admit(text, caller("a")), { verdict: "admitted", name: "m-a", metadata: METADATA });
  assert.deepEqual((await standingOf(caller("a"), joinWorld)).code, "admitted");
  const left = await tokens();
  assert.deepEqual(left.tokens, []);
  assert.deepEqual(
    left.admitted.map(({ machine, key: known, by, token: hash }) => [machine, known, by, hash]),
    [[id("a"), key("a"), "root", token.hash]],
  );
});

test("the registry never has the token itself", async () => {
  const { create, admit, registry } = await world();
  const { text } = await create();
  const secret = text.slice(-32);
  const holds = async () => (await registry.list("")).entries.some((entry) => JSON.stringify(entry).includes(secret));
  assert.equal(await holds(), false);
  await admit(text, caller("a"));
  assert.equal(await holds(), false);
});

test("a second machine with the same token is told who used it; the first may ask again", async () => {
  const { create, admit, tokens } = await world();
  const { text } = await create();
  await admit(text, caller("a"));
  const answer = await admit(text, caller("b"));
  assert.deepEqual(answer.verdict === "refused" && answer.refusal.code, "token-used");
  assert.deepEqual(await admit(text, caller("a")), { verdict: "admitted", name: "m-a", metadata: METADATA });
  assert.equal((await tokens()).admitted.length, 1);
});

test("two machines at once with one token: one is in", async () => {
  const { create, admit, tokens } = await world();
  const { text } = await create();
  const answers = await Promise.all([admit(text, caller("a")), admit(text, caller("b"))]);
  assert.deepEqual(answers.map(({ verdict }) => verdict).sort(), ["admitted", "refused"]);
  assert.equal((await tokens()).admitted.length, 1);
});

test("two machines of one id at once with a token each: one is in, and the other's token is not used up", async () => {
  const { create, admit, tokens } = await world();
  const [one, other] = [await create(), await create()];
  const twin = caller("a", { key: key("x") });
  const answers = await Promise.all([admit(one.text, caller("a")), admit(other.text, twin)]);
  assert.deepEqual(answers.map(({ verdict }) => verdict).sort(), ["admitted", "refused"]);
  const refused = answers.find((answer) => answer.verdict === "refused");
  assert.equal(refused?.refusal.code, "duplicate-id");
  assert.equal((await tokens()).tokens.length, 1);
});

test("a lost reply is read back: the machine is in, and told so", async () => {
  const { registry, create, admit, tokens } = await world();
  const { text } = await create();
  registry.isForgetful = true;
  assert.deepEqual(await admit(text, caller("a")), { verdict: "admitted", name: "m-a", metadata: METADATA });
  assert.equal((await tokens()).admitted.length, 1);
});

test("a token ends with its time, and one that was taken back lets nobody in, also at the last moment", async () => {
  const { registry, clock, create, admit, tokens } = await world();
  const [late, back, last] = [await create(), await create(), await create()];
  await revokeToken(registry, KEYS, back.token.hash.slice(0, 12));
  const code = async (text: string) => {
    const answer = await admit(text, caller("a"));
    return answer.verdict === "refused" ? answer.refusal.code : answer.verdict;
  };
  assert.equal(await code(back.text), "token-unknown");
  registry.before = () => revokeToken(registry, KEYS, last.token.hash);
  assert.equal(await code(last.text), "token-unknown");
  await clock.advance(3_600_000);
  assert.equal(await code(late.text), "token-expired");
  assert.deepEqual(await tokens(), { tokens: [], admitted: [] });
});

test("who is refused too often waits, and a good token waits with it; other addresses do not", async () => {
  const { clock, create, admit } = await world();
  const { text } = await create();
  for (let count = 0; count < REFUSED_MAX; count += 1) {
    assert.equal((await admit("fleet-token-guess", caller("b"))).verdict, "refused");
  }
  const answer = await admit(text, caller("b"));
  assert.equal(answer.verdict, "wait");
  assert.equal((await admit(text, caller("a"), "192.0.2.2")).verdict, "admitted");
  await clock.advance(answer.verdict === "wait" ? answer.waitMs : 0);
  assert.equal((await admit(text, caller("b"))).verdict, "refused", "it is judged again");
});

test("git's word counts as soon as there is one, and a machine that is removed has to be let in anew", async () => {
  const { registry, create, admit, joinWorld } = await world();
  await admit((await create()).text, caller("a"));
  const listed = [{ name: "attic", machine: id("a"), key: key("x") }];
  assert.deepEqual(await standingOf(caller("a"), { ...joinWorld, listed }), {
    ...{ code: "duplicate-id", name: "attic", by: "git" },
  });
  await removeMachine(registry, KEYS, id("a"));
  assert.deepEqual(await standingOf(caller("a"), joinWorld), { code: "unlisted" });
});

test("a copy that comes while the original is present is refused", async () => {
  const { registry, create, admit, joinWorld } = await world();
  await admit((await create()).text, caller("a"));
  const presence = {
    kind: "put",
    key: KEYS.presence(id("a")),
    value: encodeRecord({ bootId: "boot-a", op: "1" }),
  } as const;
  await registry.txn({ when: [], then: [presence] });
  assert.equal((await standingOf(caller("a"), joinWorld)).code, "admitted");
  assert.deepEqual(await standingOf(caller("a", { bootId: "boot-2" }), joinWorld), {
    ...{ code: "cloned-machine", name: "m-a", bootId: "boot-a" },
  });
});

test("names by the token's prefix, so that copies of one image differ", async () => {
  const { create, admit } = await world();
  const answers = [];
  for (const digit of ["a", "b"])
    answers.push(await admit((await create("site-")).text, caller(digit, { name: "image" })));
  assert.deepEqual(
    answers.map((answer) => answer.verdict === "admitted" && answer.name),
    ["site-aaaaaaaa", "site-bbbbbbbb"],
  );
});

test("what is no id of a token, or of more than one, takes none back", async () => {
  const { registry, create } = await world();
  await create();
  await assert.rejects(revokeToken(registry, KEYS, "xyz"), { code: "bad-token-id" });
  await assert.rejects(revokeToken(registry, KEYS, "00000000"), { code: "token-unknown" });
});

test("without a cluster there is no token for it", async () => {
  const { registry, create } = await world();
  await registry.txn({ when: [], then: [{ kind: "delete", key: KEYS.cluster }] });
  await assert.rejects(create(), { code: "no-cluster" });
});
