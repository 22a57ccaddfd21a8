import assert from "node:assert/strict";
import { test } from "node:test";
import type { MachineId, UnitName } from "../names.ts";
import type { Member } from "./cluster-snapshot.ts";
import { emptySnapshot } from "./empty-snapshot.ts";
import { foreignPlaces } from "./foreign-places.ts";

const member = (id: string, name: string, ...foreign: string[]): Member => {
  const facts = { address: "", bootId: "", version: "", joined: "", acceptedSeq: 0, metadata: {} };
  const here = { present: true, presenceRevision: 1, foreign: foreign as UnitName[] };
  return { id: id as MachineId, name, ...facts, ...here };
};

test("units that run by another hand, on machines by name; what fleet has placed is not among them", () => {
  const members = [member("1", "z", "a.service", "b.service"), member("2", "y", "a.service", "placed.service")];
  const { foreign: _, ...older } = member("3", "x");
  const places = foreignPlaces(
    { ...emptySnapshot, members: [...members, older] },
    new Map([["placed.service" as UnitName, []]]),
  );
  assert.deepEqual(
    [...places],
    [
      ["a.service", ["2", "1"]],
      ["b.service", ["1"]],
    ],
  );
});
