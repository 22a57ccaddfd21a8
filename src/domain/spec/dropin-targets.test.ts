import assert from "node:assert/strict";
import { test } from "node:test";
import type { UnitName } from "../names.ts";
import { dropinTargets } from "./dropin-targets.ts";

/** Each order found by giving systemd 252 all of these folders and taking the winner away, again and again. */
const cases: readonly (readonly [name: string, targets: readonly string[]])[] = [
  ["web.service", ["web.service", "service"]],
  ["my-web-b.service", ["my-web-b.service", "my-web-.service", "my-.service", "service"]],
  ["web@a.service", ["web@a.service", "web@.service", "service"]],
  [
    "my-web@a.service",
    ["my-web@a.service", "my-web@.service", "my-.service", "my-@a.service", "my-@.service", "service"],
  ],
  [
    "a-b-c@x.service",
    [
      "a-b-c@x.service",
      "a-b-c@.service",
      "a-b-.service",
      "a-.service",
      "a-b-@x.service",
      "a-b-@.service",
      "a-@x.service",
      "a-@.service",
      "service",
    ],
  ],
];

for (const [name, targets] of cases) {
  test(`drop-ins of ${name} come from ${targets.length} folders, in systemd's order`, () => {
    assert.deepEqual(dropinTargets(name as UnitName), targets);
  });
}
