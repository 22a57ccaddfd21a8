import assert from "node:assert/strict";
import { test } from "node:test";
import type { MachineId } from "../names.ts";
import { findMember } from "./find-member.ts";

const MEMBERS = [
  { id: "aa11" as MachineId, name: "nas" },
  { id: "aa22" as MachineId, name: "pi-1" },
  { id: "bb33" as MachineId, name: "aa" },
  { id: "cc44" as MachineId, name: "twin" },
  { id: "dd55" as MachineId, name: "twin" },
];

const CASES: readonly [sentence: string, asked: string, expected: string][] = [
  ["a name", "nas", "found aa11"],
  ["an id", "aa22", "found aa22"],
  ["the beginning of an id", "bb", "found bb33"],
  ["the beginning of an id as it is printed", "bb...", "found bb33"],
  ["the beginning in capitals", "BB3", "found bb33"],
  ["a name that others' ids begin with", "aa", "found bb33"],
  ["a beginning of two", "aa...", "ambiguous aa11,aa22"],
  ["a name that two have", "twin", "ambiguous cc44,dd55"],
  ["a mistyped name", "pi1", "unknown pi-1"],
  ["nothing like any", "gateway", "unknown null"],
  ["nothing", "", "unknown null"],
  ["dots alone", "...", "unknown null"],
];
for (const [sentence, asked, expected] of CASES) {
  test(`a machine by ${sentence}`, () => {
    const found = findMember(asked, MEMBERS);
    const what =
      found.kind === "found"
        ? found.member.id
        : found.kind === "ambiguous"
          ? found.among.map(({ id }) => id).join()
          : String(found.meant);
    assert.equal(`${found.kind} ${what}`, expected);
  });
}
