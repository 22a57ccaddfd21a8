import assert from "node:assert/strict";
import { test } from "node:test";
import type { GroupName } from "../names.ts";
import { replaceLevels } from "./replace-levels.ts";

const levelsOf = (replacers: Readonly<Record<string, string>>) => {
  const { levelOf, circular } = replaceLevels(
    Object.keys(replacers) as GroupName[],
    (group) => new Set([...replacers[group]!] as GroupName[]),
  );
  return { levels: Object.fromEntries(levelOf), circular: [...circular] };
};

test("every group stands above all it gives way to", () => {
  assert.deepEqual(levelsOf({ a: "bc", b: "c", c: "", d: "" }), { levels: { a: 2, b: 1, c: 0, d: 0 }, circular: [] });
});

test("a circle ends, and comes last with those that give way to it", () => {
  assert.deepEqual(levelsOf({ a: "b", b: "a", c: "a", d: "" }), {
    levels: { a: 1, b: 1, c: 1, d: 0 },
    circular: ["a", "b", "c"],
  });
});
