import assert from "node:assert/strict";
import { test } from "node:test";
import { compileRepository, shownFindings } from "../../../test/compile-repository.ts";

const HEAD = "apiVersion: fleet/v1\ncluster: prod\n";
const SERVICE = "[Service]\nExecStart=/bin/true\n";
const [ID_A, ID_B] = ["a".repeat(32), "b".repeat(32)];
const [KEY_A, KEY_B, KEY_C] = ["a", "b", "c"].map((letter) => `ed25519:${letter.repeat(42)}A`);

const compiled = (machines: string) =>
  compileRepository({ "fleet.yaml": `${HEAD}machines:\n${machines}`, "units/web.service": SERVICE });

test("keys of machines are in the spec where they are written, and nowhere else", () => {
  const other = `  ${ID_B}: { drain: true }\n`;
  const without = compiled(`  nas: { id: ${ID_A} }\n${other}`).spec!;
  assert.ok(without.machines.every((machine) => !("machineKey" in machine) && !("engineKey" in machine)));
  const listed = compiled(`  nas: { id: ${ID_A}, key: ${KEY_A}, engineKey: ${KEY_B} }\n${other}`).spec!;
  const nas = listed.machines.find((machine) => machine.key === "nas");
  assert.deepEqual([nas?.machineKey, nas?.engineKey], [KEY_A, KEY_B]);
  assert.notEqual(listed.specHash, without.specHash);
});

test("a spec without keys has the hash it had before there were any", () => {
  const { spec } = compiled(`  nas: { id: ${ID_A}, drain: true }\n`);
  assert.equal(spec?.specHash, "779d8556edfc643ef77611d80b44614f28b1dfc3ba10ed8e370acb5da55637ac");
});

test("a machine that goes by its id has an id, and may have keys", () => {
  const { spec, diagnostics } = compiled(`  ${ID_A}: { key: ${KEY_A} }\n`);
  assert.deepEqual(shownFindings(diagnostics), []);
  assert.equal(spec?.machines[0]?.machineKey, KEY_A);
});

test("keys that stand twice, without an id or under a selector are each said", () => {
  const { spec, diagnostics } = compiled(`  nas: { id: ${ID_A}, key: ${KEY_A}, engineKey: ${KEY_A} }
  pi: { id: ${ID_B}, engineKey: ${KEY_A} }
  x: { key: ${KEY_B} }
  role=db: { engineKey: ${KEY_C} }
`);
  assert.equal(spec, null);
  assert.deepEqual(shownFindings(diagnostics), [
    "fleet.yaml:4 node-key-twice the key of nas as the engine key of nas too",
    "fleet.yaml:5 node-key-twice the key of nas as the engine key of pi too",
    "fleet.yaml:6 node-key-without-id a key for x, which has no id",
    "fleet.yaml:7 node-key-without-id a key under the selector role=db",
  ]);
});
