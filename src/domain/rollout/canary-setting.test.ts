import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCanary } from "./canary-setting.ts";

const CASES: Readonly<Record<string, ReturnType<typeof parseCanary>>> = {
  "1": { count: 1 },
  "20000": { count: 20_000 },
  "0": "none",
  "role=canary": { match: { kind: "metadata", key: "role", values: ["canary"] } },
  "pi-1": { match: { kind: "machine", nameOrId: "pi-1" } },
  "01": undefined,
  "20001": undefined,
  "10%": undefined,
  "-1": undefined,
  "": undefined,
  "role=": undefined,
};

for (const [text, expected] of Object.entries(CASES)) {
  test(`canary: ${JSON.stringify(text)}`, () => assert.deepEqual(parseCanary(text), expected));
}
