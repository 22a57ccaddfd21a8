import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { OperationError } from "../ports/operation-error.ts";
import { fieldNames, selectFields } from "./fields.ts";
import { readFleetConf } from "./fleet-conf.ts";

function read(text: string, environment: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const folder = mkdtempSync(join(tmpdir(), "fleet-conf-"));
  try {
    writeFileSync(join(folder, "fleet.conf"), text);
    readFleetConf(join(folder, "fleet.conf"), environment);
    return environment;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const CASES: readonly [sentence: string, text: string, expected: Record<string, string>][] = [
  ["a quoted value", 'registry="etcd://h1:2379,h2"\n', { FLEET_REGISTRY: "etcd://h1:2379,h2" }],
  ["a bare value, with spaces around", "  agent_ttl = 30s  \n", { FLEET_AGENT_TTL: "30s" }],
  ["a comment, and one behind a value", '# registry="x"\nbranch="main" # ours\n', { FLEET_BRANCH: "main" }],
  ["a hash sign in quotes is no comment", 'metadata="a=#1"', { FLEET_METADATA: "a=#1" }],
  ["an empty value", 'source=""\n', { FLEET_SOURCE: "" }],
  ["line ends of another system", 'branch="main"\r\nsource=x\r\n', { FLEET_BRANCH: "main", FLEET_SOURCE: "x" }],
  ["what is no assignment", "[section]\nwhat is this\n=x\n", {}],
  [
    "old fleet's list of etcd servers",
    'etcd_servers=["http://127.0.0.1:2379","http://10.0.0.2:4001/"]\n',
    { FLEET_REGISTRY: "etcd://127.0.0.1:2379,10.0.0.2:4001" },
  ],
  ["old fleet's servers with TLS", 'etcd_servers="https://h1:2379"\n', { FLEET_REGISTRY: "etcds://h1:2379" }],
  ["its name with an address of ours", 'etcd_servers="etcd://h1"\n', { FLEET_REGISTRY: "etcd://h1" }],
];
for (const [sentence, text, expected] of CASES) {
  test(`fleet.conf: ${sentence}`, () => assert.deepEqual(read(text), expected));
}

test("the environment goes before the file", () => {
  assert.deepEqual(read('branch="file"\n', { FLEET_BRANCH: "" }), { FLEET_BRANCH: "" });
});

test("no file is no configuration", () => {
  const environment = {};
  readFleetConf("/nowhere/fleet.conf", environment);
  assert.deepEqual(environment, {});
});

const FIELDS = { unit: (row: string) => row, length: (row: string) => String(row.length) };

test("the fields that are asked for come in the order they are asked for", () => {
  assert.deepEqual(
    selectFields(FIELDS, "length, unit").map((field) => field("ab")),
    ["2", "ab"],
  );
});

for (const asked of ["unit,nope", "", "unit,", "toString"]) {
  test(`${JSON.stringify(asked)} names no field, and the known ones are said`, () => {
    assert.throws(
      () => fieldNames(FIELDS, asked),
      (error) => error instanceof OperationError && error.next === "the fields are length, unit",
    );
  });
}
