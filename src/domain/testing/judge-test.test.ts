import assert from "node:assert/strict";
import { test } from "node:test";
import { compileRepository, sha256 } from "../../../test/compile-repository.ts";
import { describeFailure } from "../../cli/views/tests-text.ts";
import { readTestFile } from "../../codec/test-file/read-test-file.ts";
import { judgeTest } from "./judge-test.ts";

const REPOSITORY = {
  "fleet.yaml":
    "apiVersion: fleet/v1\ncluster: test\nunits: { web@.service: { instances: 3 }, off.service: { state: inactive } }\n",
  "units/web@.service": "[Service]\nExecStart=/bin/web\n[X-Fleet]\nConflicts=web@*.service\n",
  "units/db.service": "[Service]\nExecStart=/bin/db\nStateDirectory=db\n[X-Fleet]\nMachineMetadata=role=db\n",
  "units/all.service": "[Service]\nExecStart=/bin/all\n[X-Fleet]\nGlobal=true\n",
  "units/off.service": "[Service]\nExecStart=/bin/off\n",
};

const FOUR = "{ nas: { metadata: { role: db } }, m1: {}, m2: {}, m3: {} }";

interface Case {
  readonly says: string;
  readonly machines?: string;
  readonly expect: string;
  readonly fails: readonly string[];
}

const CASES: readonly Case[] = [
  { says: "a unit that is where it should be", expect: "placed: db.service, on: nas", fails: [] },
  { says: "a label is a place too", expect: "placed: db.service, on: role=db", fails: [] },
  {
    says: "a unit elsewhere says where and why",
    expect: "placed: db.service, on: m1",
    fails: ["db.service is on nas: the only machine that fits"],
  },
  {
    says: "a unit where it should not be",
    expect: "placed: db.service, notOn: role=db",
    fails: ["db.service is on nas: the only machine that fits"],
  },
  {
    says: "a unit that fits nowhere says what rejects it",
    machines: "{ m1: {}, m2: { drain: true }, m3: { absent: true } }",
    expect: "placed: db.service",
    fails: ["db.service is nowhere: m1, m2, m3: lacks role=db (MachineMetadata=)"],
  },
  {
    says: "a drained machine and one that is away take nothing new",
    machines: "{ m1: { drain: true }, m2: { absent: true } }",
    expect: "unplaceable: web@1.service",
    fails: [],
  },
  {
    says: "an inactive unit is nowhere",
    expect: "placed: off.service",
    fails: ["off.service is inactive: nothing places it"],
  },
  { says: "units that conflict are apart", expect: "apart: web@*.service", fails: [] },
  {
    says: "two on one machine are not apart",
    expect: "apart: [db.service, all.service]",
    fails: ["all.service and db.service are both on nas"],
  },
  {
    says: "nothing is apart that does not run",
    machines: "2",
    expect: "apart: web@*.service",
    fails: ["web@3.service is nowhere: m1, m2: web@3.service conflicts with web@1.service there"],
  },
  {
    says: "two on two machines are not together",
    expect: "together: [web@1.service, web@2.service]",
    fails: ["web@1.service is on m1, web@2.service on m2"],
  },
  {
    says: "only these may be there, and the copies of global units count",
    expect: "only: [db.service, all.service], on: role=db",
    fails: [],
  },
  {
    says: "a stranger on a machine of its own kind",
    expect: "only: db.service, on: role=db",
    fails: ["all.service is on nas: global: every machine that matches"],
  },
  {
    says: "data that stays does not survive",
    expect: "survives: any-machine",
    fails: ["lose nas: db.service stays down: its data is there (StateDirectory=db)"],
  },
  { says: "but for what may stay down", expect: "survives: any-machine, except: db.service", fails: [] },
  { says: "the loss of one machine", expect: "survives: m1", fails: [] },
  { says: "replicas that stay up meanwhile", expect: "survives: m1, atLeast: { web@.service: 2 }", fails: [] },
  {
    says: "too few replicas meanwhile",
    expect: "survives: m1, atLeast: { web@.service: 3 }",
    fails: ["lose m1: 2 of web@.service up, at least 3 expected"],
  },
  {
    says: "nothing survives that never ran",
    machines: "{ nas: { metadata: { role: db } }, m1: {} }",
    expect: "survives: m1, except: [db.service, web@1.service, web@2.service]",
    fails: ["web@3.service is nowhere: m1, nas: web@3.service conflicts with web@1.service there"],
  },
  {
    says: "a name of no unit is a failure, and says what was meant",
    expect: "apart: wed@1.service",
    fails: ["no unit matches wed@1.service; did you mean web@1.service?"],
  },
  { says: "so is one of no machine", expect: "placed: db.service, on: role=bd", fails: ["no machine matches role=bd"] },
];

for (const { says, machines = FOUR, expect, fails } of CASES) {
  test(`${says}: ${expect}`, () => {
    const { spec } = compileRepository(REPOSITORY);
    const { file, diagnostics } = readTestFile("tests/x.yaml", `machines: ${machines}\nexpect: [{ ${expect} }]\n`);
    assert.deepEqual(diagnostics, []);
    assert.deepEqual(judgeTest(spec!, file!, sha256)[0]!.failures.map(describeFailure), fails);
  });
}

test("without machines, those the manifest names are given", () => {
  const manifest = "apiVersion: fleet/v1\ncluster: test\nmachines: { nas: { metadata: { role: db } } }\n";
  const { spec } = compileRepository({ ...REPOSITORY, "fleet.yaml": manifest });
  const { file } = readTestFile("tests/x.yaml", "expect: [{ placed: db.service, on: nas }]\n");
  assert.deepEqual(judgeTest(spec!, file!, sha256)[0]!.failures, []);
});
