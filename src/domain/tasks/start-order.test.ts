import assert from "node:assert/strict";
import { test } from "node:test";
import type { UnitHash, UnitName } from "../names.ts";
import { startOrder } from "./start-order.ts";
import type { WantedUnit } from "./task.ts";

const unit = (name: string, after: string[] = [], service = name): WantedUnit => ({
  name: name as UnitName,
  service: service as UnitName,
  goal: "launched",
  hash: "h" as UnitHash,
  files: [],
  after: after as UnitName[],
  oneshot: false,
});

const CASES: readonly [string, readonly WantedUnit[], string][] = [
  ["units without order go by name", [unit("b"), unit("a")], "a b"],
  ["a unit comes after the one it follows", [unit("a", ["z"]), unit("z")], "z a"],
  ["order is followed through several units", [unit("a", ["b"]), unit("b", ["c"]), unit("c")], "c b a"],
  ["a unit that is not here orders nothing", [unit("b", ["elsewhere"]), unit("a")], "a b"],
  [
    "a quadlet is found by its service's name too",
    [unit("a", ["db.service"]), unit("db.container", [], "db.service")],
    "db.container a",
  ],
  ["a circle is entered at its first name and nothing is lost", [unit("a", ["b"]), unit("b", ["a"])], "b a"],
];

for (const [sentence, units, expected] of CASES) {
  test(sentence, () => {
    const shown = (given: readonly WantedUnit[]) =>
      startOrder(given)
        .map(({ name }) => name)
        .join(" ");
    assert.equal(shown(units), expected);
    assert.equal(shown(units.toReversed()), expected, "whatever order they come in");
  });
}

test("a chain of 20,000 units does not exhaust the stack", () => {
  const chain = Array.from({ length: 20_000 }, (_, index) => unit(`u${index}`, [`u${index + 1}`]));
  assert.equal(startOrder(chain)[0]?.name, "u19999");
});
