import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryFileStore } from "../adapters/memory/memory-file-store.ts";
import { encodeJoin } from "../codec/join-record.ts";
import { parseNodeKey } from "../domain/identity/node-key.ts";
import { parseMachineId } from "../domain/names.ts";
import { EnginePins } from "./engine-pins.ts";

const key = (letter: string) => parseNodeKey(`ed25519:${letter.repeat(42)}A`)!;
const machine = (letter: string) => parseMachineId(letter.repeat(32))!;
const lists = (letter: string) => ({ id: machine(letter), engineKey: key(letter) });
const plain = { id: machine("c") };

const JOINED = encodeJoin({
  engines: ["nas:7440"],
  engineKeys: [key("a")],
  clusterId: "c1",
  cluster: "home",
  source: null,
  branch: "main",
  manifest: "fleet.yaml",
});

async function recalled(files: MemoryFileStore): Promise<EnginePins> {
  const pins = new EnginePins(files, "/state");
  await pins.recall();
  return pins;
}

async function joined(text: string | null = JOINED): Promise<{ files: MemoryFileStore; pins: EnginePins }> {
  const files = new MemoryFileStore();
  if (text !== null) await files.write("/state/join.json", text);
  return { files, pins: await recalled(files) };
}

test("before a commit lists any, exactly the pinned keys count, on whatever machine", async () => {
  const { pins } = await joined();
  assert.deepEqual([...pins.keys], [[key("a"), null]]);
  assert.equal(pins.accept([plain]), false, "a commit without engine keys says nothing of them");
  assert.deepEqual([...pins.keys], [[key("a"), null]]);
});

test("once a commit lists keys, exactly those count, each on its machine; the pinned one is over", async () => {
  const { pins } = await joined();
  assert.equal(pins.accept([lists("b"), plain, lists("d")]), true);
  assert.deepEqual(
    [...pins.keys],
    [
      [key("b"), machine("b")],
      [key("d"), machine("d")],
    ],
  );
  assert.equal(pins.accept([lists("d"), lists("b")]), false, "the same again is nothing new");
  assert.equal(pins.accept([lists("d")]), true);
  assert.deepEqual([...pins.keys.keys()], [key("d")]);
});

test("that a key is listed with its machine is news, also where the same key was pinned", async () => {
  const { pins } = await joined();
  assert.equal(pins.accept([lists("a")]), true);
  assert.deepEqual([...pins.keys], [[key("a"), machine("a")]]);
});

test("a later commit that lists none cuts nobody off", async () => {
  const { pins } = await joined();
  pins.accept([lists("b")]);
  assert.equal(pins.accept([plain]), false);
  assert.deepEqual([...pins.keys.keys()], [key("b")]);
});

test("after a restart without git they are known from the disk, once they could be written", async () => {
  const { files, pins } = await joined();
  pins.accept([lists("b")]);
  assert.deepEqual([...(await recalled(files)).keys.keys()], [key("a")], "not saved yet");
  await pins.save();
  assert.deepEqual([...(await recalled(files)).keys], [[key("b"), machine("b")]]);
});

test("a disk that does not take them keeps nobody from going by them, and is asked again", async () => {
  const { files, pins } = await joined();
  let isFull = true;
  const failing = {
    read: (path: string) => files.read(path),
    write: async (...words: Parameters<MemoryFileStore["write"]>) => {
      if (isFull) throw new Error("disk full");
      await files.write(...words);
    },
  };
  const other = new EnginePins(failing, "/state");
  other.accept([lists("b")]);
  await assert.rejects(other.save(), /disk full/);
  await other.recall();
  assert.deepEqual([...other.keys.keys()], [key("b")]);
  isFull = false;
  await other.save();
  await pins.recall();
  assert.deepEqual([...pins.keys.keys()], [key("b")]);
});

for (const [what, text] of [
  ["no file", null],
  ["a damaged file", JOINED.slice(0, 40)],
  ["a newer fleet's", JOINED.replace('"v":1', '"v":2')],
  ["a key that is none", JOINED.replace(key("a"), "ed25519:short")],
  ["a key that is no text", JOINED.replace(`"${key("a")}"`, "7")],
] as const) {
  test(`${what} of a join pins nobody`, async () => {
    assert.equal((await joined(text)).pins.keys.size, 0);
  });
}

for (const [what, text] of [
  ["damaged", "{"],
  ["a newer fleet's", '{"keys":[],"v":9}'],
  ["without keys", '{"keys":[],"v":1}'],
  ["with a key that is none", `{"keys":[{"key":"x","machine":"${machine("b")}"}],"v":1}`],
  ["with a machine that is none", `{"keys":[{"key":"${key("b")}","machine":"nas"}],"v":1}`],
] as const) {
  test(`where what a commit listed is ${what} on the disk, the pinned keys count again`, async () => {
    const { files, pins } = await joined();
    await files.write("/state/engine-keys.json", text);
    await pins.recall();
    assert.deepEqual([...pins.keys.keys()], [key("a")]);
  });
}
