import assert from "node:assert/strict";
import { test } from "node:test";
import { compileTrust } from "./compile-trust.ts";
import type { ManifestTrust } from "./manifest.ts";

const at = { path: "clusters/prod/fleet.yaml", line: 1, column: 1 };
const located = (value: string) => ({ value, at });
const trust = (said: Partial<ManifestTrust>): ManifestTrust => ({
  mode: null,
  signers: null,
  forgeKeys: [],
  rules: [],
  at,
  ...said,
});
const compiled = (said: Partial<ManifestTrust>) => compileTrust("clusters/prod/fleet.yaml", trust(said));

test("a manifest that says nothing of trust compiles to none", () => {
  assert.deepEqual(compileTrust("fleet.yaml", null), { trust: null, diagnostics: [] });
});

test("defaults are written out: range where anybody may sign, the file from the repository's root, one signer", () => {
  const said = {
    signers: located("../../trust/signers"),
    rules: [{ paths: [located("**")], signers: [], count: null }],
  };
  assert.deepEqual(compiled(said), {
    trust: {
      mode: "range",
      signers: "trust/signers",
      forgeKeys: [],
      rules: [{ paths: ["**"], signers: [], count: 1 }],
    },
    diagnostics: [],
  });
  assert.equal(compiled({}).trust?.mode, "off");
  assert.equal(compiled({ forgeKeys: ["github-web-flow", "github-web-flow"] }).trust?.mode, "range");
  assert.deepEqual(compiled({ forgeKeys: ["github-web-flow", "github-web-flow"] }).trust?.forgeKeys, [
    "github-web-flow",
  ]);
});

test("what cannot be meant is told", () => {
  const table: readonly (readonly [string, Partial<ManifestTrust>, string])[] = [
    ["nobody may sign", { mode: "range" }, "trust-without-signers"],
    ["a file outside", { signers: located("../../../signers") }, "path-outside-repository"],
    ["a pattern that is none", { rules: [{ paths: [located("/etc/**")], signers: [], count: null }] }, "trust-paths"],
  ];
  for (const [what, said, code] of table)
    assert.deepEqual(
      compiled(said).diagnostics.map((one) => one.code),
      [code],
      what,
    );
  assert.deepEqual(compiled({ mode: "off" }).diagnostics, []);
});
