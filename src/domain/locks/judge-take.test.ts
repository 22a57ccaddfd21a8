import assert from "node:assert/strict";
import { test } from "node:test";
import { judgeTake, type TakeInput } from "./judge-take.ts";
import type { Slot, Waiter } from "./lock.ts";

const slot = (holder: string): Slot => ({
  ...{ holder, by: "ann", reason: "", since: "", deadline: "", forMs: 1, slots: 1, id: holder, op: holder },
  modRevision: 1,
});
const waiter = (holder: string): Waiter => ({ holder, by: "ann", reason: "", since: "", beat: holder });

interface Case {
  readonly say: string;
  readonly held?: readonly string[];
  readonly waiting?: readonly string[];
  readonly lockSlots?: number | null;
  readonly slots?: number;
  readonly lapsed?: readonly string[];
  readonly gone?: readonly string[];
  readonly is: string;
}

const CASES: readonly Case[] = [
  { say: "a lock nobody ever took is free", is: "take" },
  { say: "what is held is waited for", held: ["a"], is: "wait behind 0, held by a" },
  { say: "a second slot is free where there are two", held: ["a"], slots: 2, is: "take" },
  {
    say: "the engine's word on slots counts more than the taker's",
    held: ["a"],
    slots: 2,
    lockSlots: 1,
    is: "wait behind 0, held by a",
  },
  { say: "fewer slots than holders: nobody else comes in", held: ["a", "b"], is: "wait behind 0, held by a,b" },
  { say: "what is held already is renewed, however many hold one", held: ["a", "me"], is: "renew" },
  { say: "renewed also while others wait", held: ["me"], waiting: ["b"], is: "renew" },
  { say: "one that lapsed is taken away", held: ["a"], lapsed: ["a"], is: "take from a" },
  {
    say: "its own that lapsed is taken anew, for what was granted to it is over",
    held: ["me"],
    lapsed: ["me"],
    is: "take from me",
  },
  { say: "who waited longer comes first", waiting: ["b", "me"], is: "wait behind 1, held by " },
  { say: "the first in the line takes what is free", waiting: ["me", "b"], is: "take" },
  { say: "with two free, the second in the line takes one", waiting: ["b", "me"], slots: 2, is: "take" },
  { say: "who is in no line comes after all of it", waiting: ["b", "c"], slots: 2, is: "wait behind 2, held by " },
  { say: "one in the line that is not heard of is passed", waiting: ["b", "me"], gone: ["b"], is: "take" },
  { say: "oneself is never gone", waiting: ["me", "b"], gone: ["me"], is: "take" },
];

for (const { say, held = [], waiting = [], lockSlots = null, slots = 1, lapsed = [], gone = [], is } of CASES) {
  test(say, () => {
    const lock = { name: "x", revision: 1, slots: lockSlots, held: held.map(slot), waiting: waiting.map(waiter) };
    assert.equal(
      judged({
        ...{ lock, holder: "me", slots },
        isLapsed: ({ holder }) => lapsed.includes(holder),
        isGone: ({ holder }) => gone.includes(holder),
      }),
      is,
    );
  });
}

function judged(input: TakeInput): string {
  const taking = judgeTake(input);
  const names = (slots: readonly Slot[]) => slots.map(({ holder }) => holder).join(",");
  if (taking.kind === "renew") return "renew";
  if (taking.kind === "wait") return `wait behind ${taking.ahead}, held by ${names(taking.by)}`;
  return taking.lapsed.length === 0 ? "take" : `take from ${names(taking.lapsed)}`;
}
