import assert from "node:assert/strict";
import { test } from "node:test";
import { withoutFleetSection } from "./without-fleet-section.ts";

const CASES: readonly [string, string, string][] = [
  ["a file that says nothing to fleet is itself", "[Container]\nImage=a\n", "[Container]\nImage=a\n"],
  [
    "lines of fleet's section are empty, so that others keep their numbers",
    "[X-Fleet]\nMove=never\n[Container]\nImage=a\n",
    "\n\n[Container]\nImage=a\n",
  ],
  ["a continued line leaves as many", "[X-Fleet]\nConflicts=a \\\n  b\n[Pod]\n", "\n\n\n[Pod]\n"],
  ["the last line may lack an end", "[Container]\nImage=a\n[X-Fleet]\nGlobal=true", "[Container]\nImage=a\n\n"],
  ["notes stay, wherever they stand", "[X-Fleet]\n# why\nMove=never\n[Pod]\n", "\n# why\n\n[Pod]\n"],
  ["other X- sections are others'", "[X-Fleets]\nA=b\n", "[X-Fleets]\nA=b\n"],
];

for (const [says, text, expected] of CASES) {
  test(says, () => assert.equal(withoutFleetSection("a.container", text), expected));
}
