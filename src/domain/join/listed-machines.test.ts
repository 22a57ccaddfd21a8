import assert from "node:assert/strict";
import { test } from "node:test";
import { parseSelector } from "../cluster/selector.ts";
import { parseNodeKey } from "../identity/node-key.ts";
import { parseMachineId } from "../names.ts";
import type { SpecMachine } from "../spec/cluster-spec.ts";
import { listedMachines } from "./listed-machines.ts";

const KEY = parseNodeKey(`ed25519:${"o".repeat(42)}A`)!;
const ID = parseMachineId("a".repeat(32));
const machine = (key: string, changes: Partial<SpecMachine>): SpecMachine => ({
  ...{ key, match: null, id: null, metadata: {}, drain: false, cordon: false, dropins: [] },
  ...changes,
});

test("machines are listed by name, with id and key where there are any; an engine's key is no agent's", () => {
  const selector = parseSelector("role=db");
  assert.ok(!("problem" in selector));
  const machines = [
    machine("nas", { id: ID, machineKey: KEY }),
    machine("pi", { id: ID, engineKey: KEY }),
    machine("role=db", { match: selector }),
    machine("zero", {}),
  ];
  assert.deepEqual(listedMachines({ machines }), [
    { name: "nas", machine: ID, key: KEY },
    { name: "pi", machine: ID, key: null },
    { name: "zero", machine: null, key: null },
  ]);
});
