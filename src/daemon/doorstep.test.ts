import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../adapters/memory/virtual-clock.ts";
import type { NodeKey } from "../domain/identity/node-key.ts";
import type { MachineId } from "../domain/names.ts";
import { Doorstep } from "./doorstep.ts";

const id = (digit: string) => digit.repeat(32) as MachineId;
const key = (letter: string) => `ed25519:${letter.repeat(42)}A` as NodeKey;

test("whoever knocks is named once, since when, until nothing was heard of it for ten minutes", async () => {
  const clock = new VirtualClock();
  const doorstep = new Doorstep(clock);
  doorstep.knocked(id("b"), key("b"));
  doorstep.knocked(id("a"), key("a"));
  const { changes } = doorstep;
  const [first] = doorstep.waiting();
  assert.deepEqual([first?.machine, first?.key], [id("a"), key("a")]);
  await clock.advance(500_000);
  doorstep.knocked(id("a"), key("a"));
  assert.equal(doorstep.changes, changes, "a machine that comes again is no news");
  await clock.advance(200_000);
  assert.deepEqual(doorstep.waiting(), [first]);
  assert.notEqual(doorstep.changes, changes);
  await clock.advance(600_000);
  assert.deepEqual(doorstep.waiting(), []);
});

test("one that git lists by now waits no more", () => {
  const doorstep = new Doorstep(new VirtualClock());
  doorstep.knocked(id("a"), key("a"));
  doorstep.knocked(id("b"), key("b"));
  const { changes } = doorstep;
  doorstep.letIn(new Set([key("a")]));
  assert.deepEqual(
    doorstep.waiting().map(({ machine }) => machine),
    [id("b")],
  );
  assert.notEqual(doorstep.changes, changes);
});

test("however many keys somebody makes, sixteen are told of, the last to come", () => {
  const doorstep = new Doorstep(new VirtualClock());
  const letters = "abcdefghijklmnopqrst".split("");
  for (const letter of letters) doorstep.knocked(id("a"), key(letter));
  assert.deepEqual(
    doorstep.waiting().map((one) => one.key),
    letters.slice(4).map(key),
  );
});
