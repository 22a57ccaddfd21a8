import assert from "node:assert/strict";
import { test } from "node:test";
import { parseMachineId } from "../names.ts";
import { parsePeerUri, peerUri } from "./peer-uri.ts";

const machine = parseMachineId("a".repeat(32))!;

test("what is written is read back, also of a machine without a cluster", () => {
  for (const clusterId of ["0123456789abcdef", "c-1", null]) {
    for (const role of ["machine", "engine"] as const) {
      const claim = { clusterId, role, machine };
      assert.deepEqual(parsePeerUri(peerUri(claim)), claim);
    }
  }
  assert.equal(peerUri({ clusterId: "c1", role: "engine", machine }), `fleet:c1:engine:${machine}`);
});

const refused: readonly (readonly [what: string, text: string])[] = [
  ["nothing", ""],
  ["another scheme", `https:c1:machine:${machine}`],
  ["a role nobody has", `fleet:c1:admin:${machine}`],
  ["a role of every object", `fleet:c1:constructor:${machine}`],
  ["no cluster at all", `fleet::machine:${machine}`],
  ["a cluster that is a list", `fleet:c1,c2:machine:${machine}`],
  ["a short machine id", "fleet:c1:machine:aaaaaaaa"],
  ["more after the end", `fleet:c1:machine:${machine}:root`],
  ["a line end", `fleet:c1:machine:${machine}\n`],
];

for (const [what, text] of refused) {
  test(`${what} names nobody`, () => {
    assert.equal(parsePeerUri(text), null);
  });
}
