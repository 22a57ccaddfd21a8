import assert from "node:assert/strict";
import { test } from "node:test";
import { pretendId } from "../../test/pretend-machine.ts";
import { MemoryFileStore } from "../adapters/memory/memory-file-store.ts";
import { VirtualClock } from "../adapters/memory/virtual-clock.ts";
import { encodeAgentState } from "../codec/agent-state.ts";
import { decodeJoin } from "../codec/join-record.ts";
import { type NodeKey, parseNodeKey } from "../domain/identity/node-key.ts";
import type { EnrolAnswer, HelloAnswer } from "../domain/join/join-talk.ts";
import type { EngineDoor } from "../ports/engine-door.ts";
import { OperationError } from "../ports/operation-error.ts";
import { EnginePins } from "./engine-pins.ts";
import { type JoinRequest, joinCluster, type ShownEngine } from "./join-cluster.ts";
import { waitJoined } from "./wait-joined.ts";

const key = (letter: string): NodeKey => parseNodeKey(`ed25519:${letter.repeat(42)}A`)!;
const HELLO: HelloAnswer = {
  ...{ clusterId: "c1", cluster: "home", source: "https://host/homelab", branch: "main", manifest: "fleet.yaml" },
  ...{ version: "1", engineKeys: [], standing: { code: "unlisted" }, acceptedSeq: null, releaseSeq: 1 },
};
const REQUEST: JoinRequest = {
  ...{ engines: ["nas:7440"], engineKeys: [], token: null },
  hello: { name: "pi", isNamed: false, bootId: "boot" },
};

/** Engines by address: what each says, and what became of it. */
function world(
  engines: Readonly<Record<string, { key: NodeKey; hello?: Partial<HelloAnswer>; enrol?: EnrolAnswer } | null>>,
) {
  const files = new MemoryFileStore();
  const [shown, tokens, closed]: [ShownEngine[], string[], string[]] = [[], [], []];
  const state = { answer: true };
  const open = async (engine: string): Promise<EngineDoor> => {
    const there = engines[engine];
    if (there == null) throw new OperationError("engine-unreachable", `cannot reach ${engine}`);
    return {
      ...{ engineKey: there.key, machine: pretendId("nas") },
      hello: async () => ({ ...HELLO, ...there.hello }),
      async enrol({ token }) {
        tokens.push(token);
        return there.enrol ?? { verdict: "admitted", name: "site-1", metadata: { site: "0123" } };
      },
      leave: async () => ({ result: "removed" }),
      close: () => closed.push(engine),
    };
  };
  const trust = async (asked: readonly ShownEngine[]) => {
    shown.push(...asked);
    return state.answer;
  };
  const tell = (refusal: { readonly code: string }) => new OperationError(refusal.code, "refused");
  const join = (changes: Partial<JoinRequest> = {}) =>
    joinCluster({ ...REQUEST, ...changes }, { files, stateFolder: "/state", open, trust }, tell);
  const pinned = async () => decodeJoin(await files.read("/state/join.json"));
  return { files, join, shown, tokens, closed, state, pinned };
}

test("an engine's key is shown once, and pinned with its cluster; again: nobody is asked", async () => {
  const { join, shown, pinned, closed, files } = world({
    "nas:7440": { key: key("e"), hello: { engineKeys: [key("f")] } },
  });
  const { standing, unreachable } = await join();
  assert.deepEqual([standing.code, unreachable], ["unlisted", []]);
  assert.deepEqual(shown, [{ engine: "nas:7440", key: key("e"), cluster: "home" }]);
  const { standing: _1, acceptedSeq: _2, releaseSeq: _3, version: _4, ...cluster } = HELLO;
  assert.deepEqual(await pinned(), { ...cluster, engines: ["nas:7440"], engineKeys: [key("e"), key("f")] });
  assert.equal(files.peek("/state/join.json")?.mode, 0o600);
  await join();
  assert.equal(shown.length, 1);
  assert.deepEqual(closed, ["nas:7440", "nas:7440"]);
});

test("a machine that a commit has cut off, by keys no engine has, comes back by joining again", async () => {
  const { join, shown, files } = world({ "nas:7440": { key: key("e") } });
  await join();
  const keys = async () => {
    const pins = new EnginePins(files, "/state");
    await pins.recall();
    return [...pins.keys.keys()];
  };
  const pins = new EnginePins(files, "/state");
  pins.accept([{ id: pretendId("nas"), engineKey: key("x") }]);
  await pins.save();
  assert.deepEqual(await keys(), [key("x")]);
  await join();
  assert.equal(shown.length, 2, "it is a stranger's key by now");
  assert.deepEqual(await keys(), [key("e")]);
});

test("what a commit lists stays as it is where the engine is among it", async () => {
  const { join, files } = world({ "nas:7440": { key: key("e") } });
  await join();
  const pins = new EnginePins(files, "/state");
  pins.accept([
    { id: pretendId("nas"), engineKey: key("e") },
    { id: pretendId("pi"), engineKey: key("f") },
  ]);
  await pins.save();
  await join();
  await pins.recall();
  assert.deepEqual([...pins.keys.keys()], [key("e"), key("f")]);
});

test("who does not trust it changes nothing", async () => {
  const { join, state, pinned, tokens } = world({ "nas:7440": { key: key("e") } });
  state.answer = false;
  await assert.rejects(join({ token: "t" }), { code: "engine-not-trusted" });
  assert.deepEqual([await pinned(), tokens], [null, []]);
});

test("a key that was named is trusted without a question, and no other is, not for a token either", async () => {
  const { join, shown, pinned, tokens } = world({ "nas:7440": { key: key("e") } });
  await assert.rejects(join({ engineKeys: [key("x")], token: "t" }), { code: "engine-key-differs" });
  assert.deepEqual([await pinned(), tokens], [null, []]);
  await join({ engineKeys: [key("e")] });
  assert.deepEqual(shown, []);
});

test("one engine of several is enough; those that are away are dialled later all the same", async () => {
  const { join, pinned } = world({ "nas:7440": null, "hub:7440": { key: key("e") } });
  const { unreachable } = await join({ engines: ["nas:7440", "hub:7440"] });
  assert.deepEqual(
    unreachable.map(({ engine, problem }) => [engine, problem.code]),
    [["nas:7440", "engine-unreachable"]],
  );
  assert.deepEqual((await pinned())?.engines, ["nas:7440", "hub:7440"]);
  await assert.rejects(join({ engines: ["nas:7440"] }), { code: "engine-unreachable" });
});

test("engines of two clusters are not joined", async () => {
  const other = { key: key("f"), hello: { clusterId: "c2", cluster: "shop" } };
  const { join, pinned } = world({ "nas:7440": { key: key("e") }, "hub:7440": other });
  await assert.rejects(join({ engines: ["nas:7440", "hub:7440"] }), { code: "engines-differ" });
  assert.equal(await pinned(), null);
});

test("a machine of another cluster is refused by its name, by how it joined and by what its agent has taken", async () => {
  const { join, files, pinned } = world({
    "nas:7440": { key: key("e") },
    "shop:7440": { key: key("f"), hello: { clusterId: "c2", cluster: "shop" } },
  });
  await join();
  await assert.rejects(join({ engines: ["shop:7440"] }), /belongs to cluster home, and would join shop/);
  assert.equal((await pinned())?.cluster, "home");
  const state = { clusterId: "c3", clusterName: "lab", accepted: null, set: null };
  await files.write("/state/agent/state.json", encodeAgentState(state));
  await assert.rejects(join(), { code: "joined-elsewhere" });
});

test("who cannot come in is refused, and nothing is pinned", async () => {
  for (const standing of [
    { code: "duplicate-id", name: "attic", by: "git" },
    { code: "cloned-key", name: "attic", machine: pretendId("attic") },
    { code: "cloned-machine", name: "pi", bootId: "other" },
    { code: "name-taken", name: "pi" },
  ] as const) {
    const { join, pinned } = world({ "nas:7440": { key: key("e"), hello: { standing } } });
    await assert.rejects(join(), { code: standing.code });
    assert.equal(await pinned(), null);
  }
});

test("a token lets it in under the name it gives, also where the host's name is taken", async () => {
  const { join, tokens } = world({
    "nas:7440": { key: key("e"), hello: { standing: { code: "name-taken", name: "pi" } } },
  });
  const { standing, enrolled } = await join({ token: "t" });
  assert.deepEqual(standing, { code: "admitted", name: "site-1" });
  assert.deepEqual(enrolled, { name: "site-1", metadata: { site: "0123" } });
  assert.deepEqual(tokens, ["t"]);
});

test("a token that is refused, or comes too often, changes nothing", async () => {
  const refused = world({
    "nas:7440": { key: key("e"), enrol: { verdict: "refused", refusal: { code: "token-unknown" } } },
  });
  await assert.rejects(refused.join({ token: "t" }), { code: "token-unknown" });
  const late = world({ "nas:7440": { key: key("e"), enrol: { verdict: "wait", waitMs: 5_500 } } });
  await assert.rejects(late.join({ token: "t" }), { code: "token-attempts", next: "try again in 6 s" });
  assert.deepEqual([await refused.pinned(), await late.pinned()], [null, null]);
});

test("waiting says each change once, goes on where nobody answers, and ends when its agent has taken a release", async () => {
  const clock = new VirtualClock();
  const seen = [
    { standing: { code: "unlisted" }, acceptedSeq: null },
    { standing: { code: "unlisted" }, acceptedSeq: null },
    new OperationError("engine-unreachable", "away"),
    { standing: { code: "listed", name: "pi" }, acceptedSeq: null },
    { standing: { code: "listed", name: "pi" }, acceptedSeq: 7 },
  ] as const;
  const run = async (lastMs: number) => {
    const said: string[] = [];
    let asked = 0;
    const look = async () => {
      const now = seen[Math.min(asked++, seen.length - 1)]!;
      if (now instanceof OperationError) throw now;
      return now;
    };
    const ended = waitJoined(
      look,
      (what) => said.push(what instanceof OperationError ? what.code : what.standing.code),
      clock.monotonicMs() + lastMs,
      clock,
    );
    await clock.advance(60_000);
    return { result: await ended, said };
  };
  assert.deepEqual(await run(60_000), { result: seen[4], said: ["unlisted", "engine-unreachable", "listed"] });
  assert.deepEqual(await run(3_000), { result: null, said: ["unlisted", "engine-unreachable"] });
});
