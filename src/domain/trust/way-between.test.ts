import assert from "node:assert/strict";
import { test } from "node:test";
import type { CommitId } from "../names.ts";
import { type CommitNode, wayBetween } from "./way-between.ts";

/** `c: a b` is a commit c with the parents a and b. */
function history(text: string): ReadonlyMap<CommitId, CommitNode> {
  const nodes = text.split(", ").map((line): CommitNode => {
    const [commit = "", parents = ""] = line.split(":");
    return { commit: commit as CommitId, parents: parents.split(" ").filter(Boolean) as CommitId[] };
  });
  return new Map(nodes.map((node) => [node.commit, node]));
}

/** Steps as `commit`, with `!` where it is a detour, and what was brought in behind `+`. */
function way(from: string, to: string, text: string): string {
  return wayBetween(from as CommitId, to as CommitId, history(text))
    .map(({ at, isDetour, broughtIn }) => {
      const side = broughtIn.map(({ commit }) => commit).sort();
      return `${at.commit}${isDetour ? "!" : ""}${side.length === 0 ? "" : `+${side.join("")}`}`;
    })
    .join(" ");
}

test("the way goes along first parents, and off them only where they do not lead back", () => {
  const table: readonly (readonly [string, string, string, string, string])[] = [
    ["a straight line", "a", "d", "b:a, c:b, d:c", "b c d"],
    ["nothing", "a", "a", "b:a", ""],
    ["a merged branch", "a", "d", "b:a, x:a, y:x, c:b y, d:c", "b c+xy d"],
    ["a branch from before", "a", "c", "b:a, x:old, c:b x", "b c+x"],
    ["a pull: the branch is the second parent", "a", "m", "x:old, m:x a", "m!+x"],
    ["and others after it", "a", "n", "x:old, m:x a, n:m", "m!+x n"],
    ["both parents lead back: the first one is gone", "a", "m", "x:a, y:a, m:x y", "x m+y"],
    ["a branch that a later one holds already", "a", "n", "x:a, m:a x, y:x, n:m y", "m+x n+y"],
    ["an octopus", "a", "m", "x:a, y:old, z:old, m:a x y z", "m+xyz"],
    ["a pull within a merged branch is none of the way", "a", "m", "b:a, x:old, p:x a, m:b p", "b m+px"],
  ];
  for (const [what, from, to, text, expected] of table) assert.equal(way(from, to, text), expected, what);
});
