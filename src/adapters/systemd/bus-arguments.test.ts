import assert from "node:assert/strict";
import { test } from "node:test";
import { writeArguments } from "./bus-arguments.ts";
import { FrameWriter } from "./bus-frames.ts";
import { ValueReader } from "./bus-values.ts";

/** The arguments, and what a reader makes of them: a variant is the value in it. */
const CASES: readonly (readonly [
  says: string,
  signature: string,
  values: readonly unknown[],
  read?: readonly unknown[],
])[] = [
  ["nothing", "", []],
  ["strings and lists of them", "ssas", ["a", "", ["b", "cé"]]],
  ["an empty list aligns as its elements would", "sa(ss)s", ["a", [], "b"]],
  ["numbers and booleans", "sibtb", ["a", -2, true, 2n ** 63n, false]],
  [
    "structs in lists",
    "a(sb)a(st)",
    [
      [["a", true]],
      [
        ["b", 1n],
        ["c", 2n],
      ],
    ],
  ],
  ["a list of longs behind a short text", "sat", ["a", [1n, 2n]]],
  [
    "properties of a transient unit",
    "ssa(sv)a(sa(sv))",
    [
      "x.service",
      "replace",
      [
        ["Type", { signature: "s", value: "oneshot" }],
        ["ExecStartEx", { signature: "a(sasas)", value: [["/bin/x", ["/bin/x", "-q"], ["no-env-expand"]]] }],
        ["TimeoutStartUSec", { signature: "t", value: 3_000_000n }],
      ],
      [],
    ],
    [
      "x.service",
      "replace",
      [
        ["Type", "oneshot"],
        ["ExecStartEx", [["/bin/x", ["/bin/x", "-q"], ["no-env-expand"]]]],
        ["TimeoutStartUSec", 3_000_000n],
      ],
      [],
    ],
  ],
];

for (const [says, signature, values, read = values] of CASES) {
  test(`what is written is read again: ${says}`, () => {
    const writer = new FrameWriter();
    // Room for what `finish` writes into each message's beginning.
    for (let at = 0; at < 16; at++) writer.byte(0);
    writeArguments(writer, signature, values);
    const reader = new ValueReader(writer.finish(0, 0).subarray(16), true);
    assert.deepEqual(reader.values(signature), read);
  });
}

test("what the signature has no value for, or no type, is a mistake of ours", () => {
  assert.throws(() => writeArguments(new FrameWriter(), "ss", ["a"]), /1 values for the signature ss/);
  assert.throws(() => writeArguments(new FrameWriter(), "d", [1]), /no argument of type d/);
});
