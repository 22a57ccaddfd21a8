import assert from "node:assert/strict";
import { test } from "node:test";
import { compileDriver } from "./compile-driver.ts";
import type { ManifestRelease, ManifestTrust } from "./manifest.ts";

const at = { path: "fleet.yaml", line: 3, column: 1 };
const release = (said: Partial<ManifestRelease>) => ({ by: null, maxRestarts: null, maxStops: null, at, ...said });
const nobody: ManifestTrust = { mode: null, signers: null, forgeKeys: [], rules: [], at };
const somebody: ManifestTrust = { ...nobody, signers: { value: "trust/signers", at } };
const codes = (said: Parameters<typeof compileDriver>[0]) => compileDriver(said).diagnostics.map(({ code }) => code);

test("a manifest that says nothing, or names apply, leaves releases to apply", () => {
  const nothing = { driver: null, diagnostics: [] };
  assert.deepEqual(compileDriver({ release: null, sync: null, trust: null }), nothing);
  assert.deepEqual(compileDriver({ release: release({ by: "apply" }), sync: null, trust: null }), nothing);
});

test("the interval is written out, guards only where they are set", () => {
  const { driver } = compileDriver({ release: release({ by: "sync" }), sync: null, trust: null });
  assert.deepEqual(driver, { by: "sync", intervalMs: 60_000 });
  const said = {
    release: release({ by: "sync", maxRestarts: 0, maxStops: 3 }),
    sync: { intervalMs: 5_000, maxAgeMs: 3_600_000, at },
  };
  assert.deepEqual(compileDriver({ ...said, trust: null }).driver, {
    by: "sync",
    intervalMs: 5_000,
    maxAgeMs: 3_600_000,
    maxRestarts: 0,
    maxStops: 3,
  });
});

test("guards and an interval without a driver that knows them are pointed at", () => {
  assert.deepEqual(codes({ release: release({ maxStops: 3 }), sync: null, trust: null }), ["driver-unused"]);
  assert.deepEqual(codes({ release: null, sync: { intervalMs: null, maxAgeMs: null, at }, trust: null }), [
    "driver-unused",
  ]);
});

test("approvals that anybody may give are pointed at", () => {
  const by = { release: release({ by: "approval" }), sync: null };
  assert.deepEqual(codes({ ...by, trust: null }), ["approval-open"]);
  assert.deepEqual(codes({ ...by, trust: nobody }), ["approval-open"]);
  assert.deepEqual(codes({ ...by, trust: { ...somebody, mode: "off" } }), ["approval-open"]);
  assert.deepEqual(codes({ ...by, trust: somebody }), []);
});
