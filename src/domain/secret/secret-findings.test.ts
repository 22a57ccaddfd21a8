import assert from "node:assert/strict";
import { test } from "node:test";
import { compileRepository, shownFindings } from "../../../test/compile-repository.ts";
import { sealedFile } from "../../../test/sealed-file.ts";
import type { Machine } from "../cluster/machine.ts";
import type { NodeKey } from "../identity/node-key.ts";
import type { MachineId } from "../names.ts";
import { secretFindings } from "./secret-findings.ts";
import { secretReach, sightOfGit } from "./secret-reach.ts";

/** The key of the machine of that digit; its tag is the digit, as `tagOf` below has it. */
const key = (digit: string) => `ed25519:${digit.repeat(42)}A`;
const tagOf = (of: NodeKey) => of["ed25519:".length]!;
const id = (digit: string) => digit.repeat(32);
const machine = (digit: string, more = "") => `  m${digit}: { id: ${id(digit)}, key: "${key(digit)}"${more} }\n`;
const MACHINES = `machines:\n${machine("1", ", metadata: { role: db }")}${machine("2")}${machine("3", ", drain: true")}`;
const USE = "[Service]\nExecStart=/bin/true\nLoadCredential=db:/run/fleet/secrets/%n/db\n";

function specOf(
  unit: string,
  tags: readonly string[],
  manifest = MACHINES,
  more: Readonly<Record<string, string>> = {},
) {
  const { spec, diagnostics } = compileRepository({
    "fleet.yaml": `apiVersion: fleet/v1\ncluster: prod\n${manifest}`,
    "units/web.service": unit,
    "units/secrets/db.age": sealedFile(tags),
    ...more,
  });
  assert.deepEqual(shownFindings(diagnostics), []);
  return spec!;
}

const LEFT_OUT = "its file is not for it";
const cases: readonly (readonly [what: string, spec: ReturnType<typeof specOf>, expected: readonly string[]])[] = [
  ["a file for every machine reaches", specOf(USE, ["1", "2", "3"]), []],
  [
    "a machine that is drained today may be needed tomorrow",
    specOf(USE, ["1", "2"]),
    [`units/web.service:3 secret-unreadable web.service may run on m3, which cannot read the secret db: ${LEFT_OUT}`],
  ],
  [
    "several machines are one finding",
    specOf(USE, []),
    [
      `units/web.service:3 secret-unreadable web.service may run on m1, m2, m3, which cannot read the secret db: ${LEFT_OUT}`,
    ],
  ],
  ["a unit bound to one machine needs it to read, and no other", specOf(`${USE}[X-Fleet]\nMachineID=m2\n`, ["2"]), []],
  ["metadata of git's keeps it away from the others", specOf(`${USE}[X-Fleet]\nMachineMetadata=role=db\n`, ["1"]), []],
  [
    "whoever is tied to it decides with it where it may run",
    specOf(`[Unit]\nRequires=db.service\n${USE}`, ["1"], MACHINES, {
      "units/db.service": "[Service]\nExecStart=/bin/true\n[X-Fleet]\nMachineMetadata=role=db\n",
    }),
    [],
  ],
  [
    "a machine without a key in git can be given nothing",
    specOf(USE, ["1"], `machines:\n${machine("1")}  m4: { id: ${id("4")} }\n`),
    [
      "units/web.service:3 secret-unreadable web.service may run on m4, which cannot read the secret db: the manifest has no key: of it",
    ],
  ],
  [
    "machines nobody listed may come and have no key",
    specOf(USE, ["1"], `admit: any\nmachines:\n${machine("1")}`),
    [
      "units/web.service:3 secret-unlisted web.service, which uses the secret db and may run on machines the manifest does not list: admit: any",
    ],
  ],
  [
    "but not where the unit is bound to a listed one",
    specOf(`${USE}[X-Fleet]\nMachineID=m1\n`, ["1"], `admit: any\nmachines:\n${machine("1")}`),
    [],
  ],
  [
    "a unit that is not placed needs nothing",
    specOf(USE, [], `${MACHINES}units: { web.service: { state: inactive } }\n`),
    [],
  ],
];

for (const [what, spec, expected] of cases) {
  test(`${what}`, () => {
    assert.deepEqual(shownFindings(secretFindings(spec, sightOfGit(spec), tagOf)), expected);
  });
}

test("metadata that git states of nobody any machine may have, such as its architecture", () => {
  const unit = `${USE}[X-Fleet]\nMachineMetadata=arch=arm64\nMachineMetadata=role=db\n`;
  const readers = secretReach(specOf(unit, []), sightOfGit(specOf(unit, [])), tagOf)[0]?.machines;
  assert.deepEqual(
    readers?.map(({ machine }) => machine),
    ["m1"],
    "role is git's to say, arch is not",
  );
});

test("a machine that lets units come by what it says of itself is found out once the cluster is known", () => {
  const spec = specOf(`${USE}[X-Fleet]\nMachineMetadata=role=db\n`, ["1"]);
  assert.deepEqual(secretFindings(spec, sightOfGit(spec), tagOf), []);
  const machines = sightOfGit(spec).machines.map(
    (one): Machine => (one.name === "m2" ? { ...one, metadata: { role: "db" } } : one),
  );
  const found = secretFindings(spec, { machines, stated: null }, tagOf);
  assert.deepEqual(shownFindings(found), [
    `units/web.service:3 secret-unreadable web.service may run on m2, which cannot read the secret db: ${LEFT_OUT}`,
  ]);
  assert.match(
    found[0]!.next!,
    /^write into the manifest by which metadata it may run there, then fleet secret rotate/,
  );
});

test("where no machine is listed, that is what is to be done", () => {
  const spec = specOf(USE, [], "");
  const found = secretFindings(spec, sightOfGit(spec), tagOf);
  assert.deepEqual(
    found.map(({ code, next }) => [code, next]),
    [["secret-unlisted", "list the machines: fleet join prints the stanza of each"]],
  );
});

test("a member that git does not list and does not admit is no machine to think of", () => {
  const spec = specOf(USE, ["1", "2", "3"]);
  const { machines } = sightOfGit(spec);
  const stranger: Machine = { ...machines[0]!, id: id("9") as MachineId, name: "m9", admitted: false };
  assert.deepEqual(secretFindings(spec, { machines: [...machines, stranger], stated: null }, tagOf), []);
});

test("keys in a file that are of no machine that needs it are counted", () => {
  const [reach] = secretReach(
    specOf(`${USE}[X-Fleet]\nMachineID=m2\n`, ["1", "2", "9"]),
    { machines: [], stated: null },
    tagOf,
  );
  assert.deepEqual(reach?.strangers, ["1", "2", "9"]);
  const spec = specOf(`${USE}[X-Fleet]\nMachineID=m2\n`, ["1", "2", "9"]);
  assert.deepEqual(secretReach(spec, sightOfGit(spec), tagOf)[0]?.strangers, ["1", "9"]);
});
