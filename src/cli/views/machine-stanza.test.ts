import assert from "node:assert/strict";
import { test } from "node:test";
import { readManifest } from "../../codec/manifest/read-manifest.ts";
import { parseNodeKey } from "../../domain/identity/node-key.ts";
import { parseMachineId } from "../../domain/names.ts";
import { machineStanza } from "./machine-stanza.ts";

const [KEY, ENGINE_KEY] = ["k", "e"].map((letter) => parseNodeKey(`ed25519:${letter.repeat(42)}A`)!) as [never, never];
const AWKWARD = { role: "storage", site: "0123", rack: "1e3", on: "yes", note: 'a: "b" # c', é: "ü" };

test("one line that says what git has to say of a machine", () => {
  const machine = parseMachineId("1".repeat(32))!;
  assert.equal(
    machineStanza({ name: "nas", machine, key: KEY, engineKey: null, metadata: { site: "0123", role: "storage" } }),
    `nas: { id: "${machine}", key: "${KEY}", metadata: { role: storage, site: "0123" } }`,
  );
  assert.equal(
    machineStanza({ name: "nas", machine, key: null, engineKey: null, metadata: {} }),
    `nas: { id: "${machine}" }`,
  );
});

for (const id of ["1".repeat(32), `12e${"4".repeat(29)}`, `a${"0".repeat(31)}`]) {
  test(`a manifest with the stanza of ${id} reads as it was meant`, () => {
    const machine = parseMachineId(id)!;
    for (const name of ["nas", "0123", "1e3", "no", "pi-1.lan"]) {
      const metadata = Object.fromEntries(Object.entries(AWKWARD).filter(([word]) => /^[a-z]+$/.test(word)));
      const stanza = machineStanza({ name, machine, key: KEY, engineKey: ENGINE_KEY, metadata });
      const text = `apiVersion: fleet/v1\ncluster: home\nmachines:\n  ${stanza}\n`;
      const { manifest, diagnostics } = readManifest("fleet.yaml", text);
      assert.deepEqual(diagnostics, []);
      const [read] = manifest!.machines;
      assert.deepEqual([read!.key.value, read!.id?.value], [name, machine]);
      assert.deepEqual(Object.fromEntries(read!.metadata.map(({ key, value }) => [key, value])), metadata);
    }
  });
}
