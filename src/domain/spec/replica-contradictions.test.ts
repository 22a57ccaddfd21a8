import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { compileRepository, shownFindings } from "../../../test/compile-repository.ts";

const HEAD = "apiVersion: fleet/v1\ncluster: prod\n";
const ID = "a".repeat(32);

type Repository = Readonly<Record<string, string>>;

const service = (options: string, unit = "") =>
  `[Unit]\nDescription=x\n${unit}[Service]\nExecStart=/bin/true\n[X-Fleet]\n${options}\n`;

function findings(repository: Repository): readonly string[] {
  return shownFindings(compileRepository({ "fleet.yaml": HEAD, ...repository }).diagnostics);
}

const wanted = (instances: number, more = "") => `${HEAD}units: { web@.service: { instances: ${instances} } }\n${more}`;
const LISTED = "machines: { m1: {}, m2: {} }\n";

describe("what no machine that joins could help", () => {
  const cases: [string, Repository, readonly string[]][] = [
    [
      "two units bound to one machine that conflict",
      {
        "units/a.service": service("MachineID=m1\nConflicts=b*"),
        "units/b.service": service("MachineID=m1"),
      },
      [
        "units/a.service:7 conflict-bound Conflicts=b* in a.service, which matches b.service, while MachineID= binds both to m1",
      ],
    ],
    [
      "one under the machine's name, one under its id",
      {
        "fleet.yaml": `${HEAD}machines: { nas: { id: ${ID} } }\n`,
        "units/a.service": service("MachineID=nas"),
        "units/b.service": service(`MachineID=${ID}\nConflicts=a.service`),
      },
      [
        "units/b.service:7 conflict-bound Conflicts=a.service in b.service, which matches a.service, while MachineID= binds both to nas",
      ],
    ],
    [
      "one bound by a unit it is tied to",
      {
        "units/a.service": service("Conflicts=c*", "Requires=b.service\n"),
        "units/b.service": service("MachineID=m1"),
        "units/c.service": service("MachineID=m1"),
      },
      [
        "units/a.service:7 conflict-bound Conflicts=c* in a.service, which matches c.service, while MachineID= binds both to m1",
      ],
    ],
    [
      "instances bound to one machine that keep apart",
      { "fleet.yaml": wanted(2), "units/web@.service": service("MachineID=m1\nMaxPerMachine=1\nSpread=zone hard") },
      [
        "units/web@.service:7 replicas-too-many MaxPerMachine=1 in web@.service, of which 2 MachineID= binds to m1",
        "units/web@.service:8 replicas-too-many Spread=zone hard in web@.service, of which 2 MachineID= binds to m1",
      ],
    ],
    [
      "instances tied to each other that keep apart",
      {
        "fleet.yaml": wanted(2),
        "units/web@.service": service("CPU=1"),
        "units/web@1.service": service("MaxPerMachine=1", "Requires=web@2.service\n"),
      },
      ["units/web@1.service:7 replicas-too-many MaxPerMachine=1 in web@.service, of which 2 are tied to each other"],
    ],
    [
      "more instances than the machines that may have them take",
      { "fleet.yaml": wanted(5, LISTED), "units/web@.service": service("MaxPerMachine=2") },
      [
        "units/web@.service:6 replicas-too-many MaxPerMachine=2 in web@.service, of which 5 are wanted, while the manifest admits only the 2 machines it lists",
      ],
    ],
    [
      "more instances than there can be zones",
      { "fleet.yaml": wanted(2, "machines: { m1: {} }\n"), "units/web@.service": service("Spread=zone hard") },
      [
        "units/web@.service:6 replicas-too-many Spread=zone hard in web@.service, of which 2 are wanted, while the manifest admits only the machine it lists",
      ],
    ],
    [
      "one instance's word counts for all, and of several the smallest",
      {
        "fleet.yaml": wanted(5, LISTED),
        "units/web@.service": service("MaxPerMachine=3"),
        "units/web@1.service": service("MaxPerMachine=2"),
        "units/web@2.service": service("Spread=zone hard"),
      },
      [
        "units/web@1.service:6 replicas-too-many MaxPerMachine=2 in web@.service, of which 5 are wanted, while the manifest admits only the 2 machines it lists",
        "units/web@2.service:6 replicas-too-many Spread=zone hard in web@.service, of which 5 are wanted, while the manifest admits only the 2 machines it lists",
      ],
    ],
    [
      "metadata that is asked for and ruled out, in one unit and across a group",
      {
        "units/a.service": service('MachineMetadata="role=db" "role!=db"'),
        "units/b.service": service('MachineMetadata="zone in (a, b)" "zone!=a"', "Requires=c.service\n"),
        "units/c.service": service("MachineMetadata=zone!=b"),
      },
      [
        "units/a.service:6 group-metadata role!=db beside role=db in a.service",
        "units/c.service:6 group-metadata zone!=b for c.service, which is tied to b.service with zone=a|b and zone!=a",
      ],
    ],
  ];
  for (const [sentence, repository, expected] of cases) {
    test(sentence, () => assert.deepEqual(findings(repository), expected));
  }
});

describe("what can be", () => {
  const cases: [string, Repository][] = [
    [
      "a failover by hand: bound to the same machine, and one of them not wanted",
      {
        "fleet.yaml": `${HEAD}units: { b.service: { state: inactive } }\n`,
        "units/a.service": service("MachineID=m1\nConflicts=b*"),
        "units/b.service": service("MachineID=m1"),
      },
    ],
    [
      "bound to different machines",
      { "units/a.service": service("MachineID=m1\nConflicts=b*"), "units/b.service": service("MachineID=m2") },
    ],
    [
      "instances that conflict with their own pattern, each bound to a machine of its own",
      {
        "fleet.yaml": `${HEAD}units: { web@.service: { instances: [m1, m2] } }\n`,
        "units/web@.service": service("MachineID=%i\nConflicts=web@*\nMaxPerMachine=1\nSpread=zone hard"),
      },
    ],
    [
      "as many as there is room for",
      { "fleet.yaml": wanted(4, LISTED), "units/web@.service": service("MaxPerMachine=2") },
    ],
    [
      "more than the listed machines take, where any may join",
      { "fleet.yaml": wanted(5, `${LISTED}admit: any\n`), "units/web@.service": service("MaxPerMachine=1") },
    ],
    [
      "more than there are zones, as a wish",
      { "fleet.yaml": wanted(5, LISTED), "units/web@.service": service("Spread=zone") },
    ],
    ["values of one key that leave one", { "units/a.service": service('MachineMetadata="zone in (a, b)" "zone!=a"') }],
  ];
  for (const [sentence, repository] of cases) {
    test(sentence, () => assert.deepEqual(findings(repository), []));
  }
});

test("what a unit asks for is in the spec, and nothing where it asks for nothing", () => {
  const { spec } = compileRepository({
    "fleet.yaml": HEAD,
    "units/a.service": service("Memory=1G"),
    "units/b.service": service("Move=auto"),
    "units/c.service": service("CPU=1"),
    "units/c.service.d/limit.conf": "[Service]\nMemoryMax=512M\n",
  });
  assert.deepEqual(
    spec?.units.map(({ requests }) => requests),
    [{ cpuMilli: 0, memoryBytes: 2 ** 30 }, undefined, { cpuMilli: 1_000, memoryBytes: 2 ** 29 }],
  );
  assert.equal(Object.hasOwn(spec!.units[1]!, "requests"), false);
});
