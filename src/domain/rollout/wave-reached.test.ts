import assert from "node:assert/strict";
import { test } from "node:test";
import type { MachineId, UnitName } from "../names.ts";
import { waveReached } from "./wave-reached.ts";

const at = (unit: string, machine: string | null) => ({ unit: unit as UnitName, machine: machine as MachineId });
const WAVES = [{ changes: [at("a", "m1"), at("b", "m1")] }, { changes: [at("a", "m2")] }, { changes: [at("c", "m1")] }];

const CASES: readonly {
  readonly what: string;
  readonly notYet: Parameters<typeof waveReached>[1];
  readonly number: number | null;
}[] = [
  { what: "nothing is left", notYet: [], number: null },
  { what: "what is left is of no wave", notYet: [at("d", "m1")], number: null },
  { what: "one of the first wave is left beside a later one", notYet: [at("c", "m1"), at("b", "m1")], number: 1 },
  { what: "a unit of two waves is left on the machine of the second", notYet: [at("a", "m2")], number: 2 },
  { what: "a unit is not placed yet", notYet: [at("c", null)], number: 3 },
];

for (const { what, notYet, number } of CASES) {
  test(`the wave that is reached: ${what}`, () => {
    assert.deepEqual(waveReached(WAVES, notYet), number === null ? null : { number, of: 3 });
  });
}
