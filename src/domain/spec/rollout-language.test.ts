import assert from "node:assert/strict";
import { test } from "node:test";
import { compileRepository } from "../../../test/compile-repository.ts";
import type { ClusterSpec, RolloutPolicy } from "./cluster-spec.ts";

const SERVICE = "[Service]\nExecStart=/bin/sleep 1\n";

function compiled(manifest: string, units: Readonly<Record<string, string>> = { "web@.service": SERVICE }) {
  const head = "apiVersion: fleet/v1\ncluster: test\n";
  const files = Object.entries(units).map(([name, text]) => [`units/${name}`, text]);
  return compileRepository({ "fleet.yaml": head + manifest, ...Object.fromEntries(files) });
}

function spec(manifest: string): ClusterSpec {
  const { spec: one, diagnostics } = compiled(manifest);
  assert.ok(one !== null, JSON.stringify(diagnostics));
  return one;
}

const POLICIES: Readonly<Record<string, readonly [manifest: string, policy: Partial<RolloutPolicy>]>> = {
  "what is not said is not in the spec": ["units: { web@.service: { instances: 3 } }", {}],
  "what is the default is not either": [
    "units: { web@.service: { instances: 3, rollout: { onFailure: hold, canary: 0, bake: 0s } } }",
    {},
  ],
  "a bake without canaries waits for nobody": ["units: { web@.service: { instances: 3, rollout: { bake: 5m } } }", {}],
  "everything that can be said": [
    "units: { web@.service: { instances: 3, rollout: { maxParallel: 2, onFailure: rollback, canary: 1, bake: 5m } } }",
    { maxParallel: 2, onFailure: "rollback", canary: { count: 1 }, bakeMs: 300_000 },
  ],
  "a unit has none although the defaults have one": [
    "defaults: { rollout: { canary: 1, onFailure: rollback } }\nunits: { web@.service: { instances: 3, rollout: { canary: 0, onFailure: hold } } }",
    {},
  ],
  "canaries by machine": [
    'units: { web@.service: { instances: 3, rollout: { canary: "stage in (b, a)" } } }',
    { canary: { match: { kind: "metadata", key: "stage", values: ["a", "b"] } } },
  ],
};

for (const [sentence, [manifest, policy]] of Object.entries(POLICIES)) {
  test(sentence, () => {
    const { maxUnavailable, minHealthyTimeMs, healthDeadlineMs, ...rest } = spec(manifest).units[0]!.rollout;
    assert.deepEqual([maxUnavailable, minHealthyTimeMs, healthDeadlineMs], [1, 5_000, 120_000]);
    assert.deepEqual(rest, policy);
  });
}

test("rings and reboots are in the spec where they are said, in their order, and nowhere else", () => {
  const { rings, reboots } = spec(
    'rings: [{ match: "stage=early", soak: 24h, window: "Mon..Thu 02:00-04:00" }, { match: pi-1 }, { match: "*" }]\nreboots: {}\n',
  );
  const window = { text: "Mon..Thu 02:00-04:00", days: [1, 2, 3, 4], fromMinute: 120, toMinute: 240, zone: "UTC" };
  assert.deepEqual(rings, [
    { name: "stage=early", match: { kind: "metadata", key: "stage", values: ["early"] }, soakMs: 86_400_000, window },
    { name: "pi-1", match: { kind: "machine", nameOrId: "pi-1" }, soakMs: 0, window: null },
    { name: "*", match: null, soakMs: 0, window: null },
  ]);
  assert.deepEqual(reboots, { slots: 1, window: null, drain: false });
  const without = spec("");
  assert.ok(!("rings" in without) && !("reboots" in without));
});

const FOUND: Readonly<
  Record<string, readonly [manifest: string, found: readonly (readonly [string, string, RegExp])[]]>
> = {
  "a ring after the one that has everything": [
    'rings: [{ match: "*" }, { match: stage=early }]',
    [["3:34", "ring-unreachable", /the ring stage=early after the ring \*/]],
  ],
  "a ring twice, in other words": [
    'rings: [{ match: "z in (a, b)" }, { match: "z in (b, a)" }]',
    [["3:44", "ring-unreachable", /z in \(b, a\) after the ring z in \(a, b\)/]],
  ],
  "a ring by no selector, and windows that never open": [
    'rings: [{ match: "a = b = c", window: "Mon 02:00-02:00" }, { match: "*", window: "02:00-03:00 Mars/Base" }]\nreboots: { window: whenever }',
    [
      ["3:18", "ring-match", /"=" in the selector/],
      ["3:39", "window", /never opens/],
      ["3:82", "window", /the zone "Mars\/Base"/],
      ["4:20", "window", /the window "whenever"/],
    ],
  ],
  "a budget of nobody, or of less than one": [
    "units: { web@.service: { instances: 3, rollout: { maxParallel: 0, maxUnavailable: 0 } } }",
    [
      ["3:64", "manifest-value", /maxParallel: "0"/],
      ["3:83", "manifest-value", /maxUnavailable: "0"/],
    ],
  ],
  "a time to be healthy that is longer than there is": [
    "units: { web@.service: { instances: 2, rollout: { minHealthyTime: 3m } } }",
    [
      ["3:40", "rollout-deadline", /web@1.service, .* 180s .* 120s/],
      ["3:40", "rollout-deadline", /web@2.service/],
    ],
  ],
  "as many canaries as replicas": [
    "units: { web@.service: { instances: 2, rollout: { canary: 2 } } }",
    [["3:59", "canary-all", /canary: 2 for web@.service, which has 2 replicas/]],
  ],
};

for (const [sentence, [manifest, found]] of Object.entries(FOUND)) {
  test(`found: ${sentence}`, () => {
    const { diagnostics } = compiled(manifest);
    const real = diagnostics.filter(({ severity }) => severity !== "info");
    assert.deepEqual(
      real.map(({ at, code }) => [`${at?.line}:${at?.column}`, code]),
      found.map(([at, code]) => [at, code]),
      JSON.stringify(diagnostics),
    );
    real.forEach(({ saw }, index) => void assert.match(saw, found[index]![2]));
  });
}

test("replicas that are tied to each other change together, whatever the budget says", () => {
  const { spec: one, diagnostics } = compiled(
    "units: { web@.service: { instances: 2, rollout: { maxParallel: 1 } } }",
    {
      "web@.service": SERVICE,
      "a.service": `[Unit]\nRequires=web@1.service web@2.service\nAfter=web@1.service web@2.service\n${SERVICE}`,
    },
  );
  assert.ok(one !== null);
  assert.deepEqual(
    diagnostics.map(({ code, severity, saw }) => [code, severity, saw]),
    [
      [
        "rollout-budget",
        "warning",
        "maxParallel: 1 for web@.service, of which web@1.service and web@2.service are tied to each other and change together",
      ],
    ],
  );
});

test("a default of one canary is no finding for units of one replica", () => {
  const { diagnostics } = compiled("defaults: { rollout: { canary: 1, bake: 5m } }", { "a.service": SERVICE });
  assert.deepEqual(diagnostics, []);
});
