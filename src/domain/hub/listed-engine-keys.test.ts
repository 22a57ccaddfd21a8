import assert from "node:assert/strict";
import { test } from "node:test";
import { parseNodeKey } from "../identity/node-key.ts";
import { parseMachineId } from "../names.ts";
import { listedEngineKeys } from "./listed-engine-keys.ts";

test("the engines of a commit are its machines with an engine key and an id, in one order", () => {
  const key = (letter: string) => parseNodeKey(`ed25519:${letter.repeat(42)}A`)!;
  const machine = (letter: string) => parseMachineId(letter.repeat(32))!;
  const machines = [
    { id: machine("b"), engineKey: key("z") },
    { id: machine("c") },
    { id: null, engineKey: key("x") },
    { id: machine("a"), engineKey: key("k") },
  ];
  assert.deepEqual(
    [...listedEngineKeys(machines)],
    [
      [key("k"), machine("a")],
      [key("z"), machine("b")],
    ],
  );
});
