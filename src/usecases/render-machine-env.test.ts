import assert from "node:assert/strict";
import { test } from "node:test";
import { renderMachineEnv } from "./render-machine-env.ts";

const plain = { id: "0123456789abcdef0123456789abcdef", name: "nas", address: "10.0.0.7", metadata: {} };

test("a machine without metadata is its id, name and address", () => {
  assert.equal(
    renderMachineEnv(plain),
    `FLEET_MACHINE_ID="0123456789abcdef0123456789abcdef"\nFLEET_MACHINE_NAME="nas"\nFLEET_MACHINE_ADDRESS="10.0.0.7"\n`,
  );
});

const cases: [sentence: string, metadata: Record<string, string>, lines: string[]][] = [
  ["keys become capitals, sorted", { zone: "a", role: "db" }, [`FLEET_METADATA_ROLE="db"`, `FLEET_METADATA_ZONE="a"`]],
  ["what no variable's name can hold becomes _", { "rack.row-1": "7" }, [`FLEET_METADATA_RACK_ROW_1="7"`]],
  ["of two keys that become one the later stays", { "a-b": "1", a_b: "2" }, [`FLEET_METADATA_A_B="2"`]],
  ["quotes, backslashes, dollars and backticks stay themselves", { x: '"\\$`' }, [`FLEET_METADATA_X="\\"\\\\\\$\\\`"`]],
  ["spaces and # need nothing more", { x: " a # b " }, [`FLEET_METADATA_X=" a # b "`]],
];
for (const [sentence, metadata, lines] of cases) {
  test(sentence, () => {
    assert.deepEqual(
      renderMachineEnv({ ...plain, metadata })
        .split("\n")
        .slice(3),
      [...lines, ""],
    );
  });
}
