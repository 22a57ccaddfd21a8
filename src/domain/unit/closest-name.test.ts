import assert from "node:assert/strict";
import { test } from "node:test";
import { closestName } from "./closest-name.ts";

const KNOWN = ["Conflicts", "Global", "Group", "MachineID", "MachineOf", "MachineMetadata", "Move", "Replaces"];

const cases: [string, string, string | null][] = [
  ["a missing letter", "Conflict", "Conflicts"],
  ["two letters swapped", "Gruop", "Group"],
  ["case costs nothing", "machineid", "MachineID"],
  ["the nearest of several", "MachineIf", "MachineID"],
  ["nothing near is no suggestion", "Memory", null],
  ["a short name allows one edit only", "Mo", null],
  ["an empty name means nothing", "", null],
  ["a very long name is not compared", "M".repeat(100_000), null],
];
for (const [sentence, wanted, expected] of cases) {
  test(sentence, () => assert.equal(closestName(wanted, KNOWN), expected));
}

test("of equally near names the first in byte order, whatever their order in the list", () => {
  assert.equal(closestName("cat", ["hat", "bat"]), "bat");
  assert.equal(closestName("cat", ["bat", "hat"]), "bat");
});

test("what units' names end in is no likeness", () => {
  assert.equal(closestName("nope.service", ["e.service", "note.service"]), "note.service");
  assert.equal(closestName("zz.service", ["a.service", "ab.service"]), null);
  assert.equal(closestName("web.sevice", ["web.service", "wed.timer"]), "web.service");
});
