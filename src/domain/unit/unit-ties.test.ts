import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { effectiveUnit } from "./effective-unit.ts";
import { parseUnitFile } from "./parse-unit-file.ts";
import { readFleetOptions } from "./read-fleet-options.ts";
import { parseUnitName } from "./unit-name.ts";
import { type UnitTies, unitTies } from "./unit-ties.ts";

function ties(name: string, text: string, ...dropins: string[]): UnitTies {
  const unit = parseUnitName(name);
  assert.ok(unit);
  const parse = (content: string) => parseUnitFile(`units/${name}`, content).file;
  const effective = effectiveUnit(parse(text), dropins.map(parse));
  return unitTies(unit, effective, readFleetOptions(unit, effective).options);
}

type Kind = Exclude<keyof UnitTies, "diagnostics">;
const cases: [string, string, string, Kind, string[]][] = [
  [
    "Requires=, BindsTo= and Requisite= are hard",
    "a.service",
    "[Unit]\nRequires=d.service b.mount\nBindsTo=c.service\nRequisite=e.socket\n",
    "hardDependencies",
    ["Requires= b.mount", "BindsTo= c.service", "Requires= d.service", "Requisite= e.socket"],
  ],
  ["the old BindTo= too", "a.service", "[Unit]\nBindTo=c.service\n", "hardDependencies", ["BindTo= c.service"]],
  [
    "and Sockets= of a service",
    "a.service",
    "[Service]\nSockets=b.socket\n",
    "hardDependencies",
    ["Sockets= b.socket"],
  ],
  [
    "no empty assignment takes a dependency away",
    "a.service",
    "[Unit]\nRequires=b.service\nRequires=\n",
    "hardDependencies",
    ["Requires= b.service"],
  ],
  [
    "mounts on the way to a path are required",
    "a.service",
    "[Unit]\nRequiresMountsFor=/srv/a-b\n",
    "hardDependencies",
    ["RequiresMountsFor= srv-a\\x2db.mount", "RequiresMountsFor= srv.mount"],
  ],
  [
    "specifiers are expanded",
    "a@1.service",
    "[Unit]\nRequires=b@%i.service %p.socket\n",
    "hardDependencies",
    ["Requires= a.socket", "Requires= b@1.service"],
  ],
  [
    "a template gets the instance of its user",
    "a@1.service",
    "[Unit]\nRequires=b@.service\n",
    "hardDependencies",
    ["Requires= b@1.service"],
  ],
  ["or its user's prefix", "a.service", "[Unit]\nRequires=b@.service\n", "hardDependencies", ["Requires= b@a.service"]],
  [
    "a timer activates the service of its name",
    "a.timer",
    "[Timer]\nOnCalendar=daily\n",
    "activates",
    ["Unit= a.service"],
  ],
  ["an instance's timer its instance", "a@1.timer", "[Timer]\n", "activates", ["Unit= a@1.service"]],
  ["or what it names", "a.timer", "[Timer]\nUnit=b.target\n", "activates", ["Unit= b.target"]],
  ["a path unit too", "a.path", "[Path]\nUnit=%p-x.service\n", "activates", ["Unit= a-x.service"]],
  ["a socket its service", "a.socket", "[Socket]\nListenStream=80\n", "activates", ["Service= a.service"]],
  ["a socket another one", "a.socket", "[Socket]\nService=b.service\n", "activates", ["Service= b.service"]],
  ["an accepting socket a template", "a.socket", "[Socket]\nAccept=Yes\n", "activates", ["Accept= a@.service"]],
  ["Accept=no changes nothing", "a.socket", "[Socket]\nAccept=no\n", "activates", ["Service= a.service"]],
  ["an automount its mount", "srv.automount", "[Automount]\nWhere=/srv\n", "activates", ["Where= srv.mount"]],
  ["a service activates nothing", "a.service", "[Timer]\nUnit=b.service\n", "activates", []],
  [
    "a container names its quadlets",
    "a.container",
    "[Container]\nImage=a.build\nVolume=d.volume:/data:Z\nVolume=/srv:/srv\nNetwork=n.network:ip=10.0.0.9\nNetwork=host\nPod=p.pod\nMount=type=volume,source=m.volume,destination=/m\n",
    "quadlets",
    ["Image= a.build", "Volume= d.volume", "Mount= m.volume", "Network= n.network", "Pod= p.pod"],
  ],
  [
    "an empty assignment takes quadlet references away",
    "a.container",
    "[Container]\nVolume=d.volume:/data\nVolume=\n",
    "quadlets",
    [],
  ],
  [
    "a container may join another's network",
    "a.container",
    "[Container]\nNetwork=b.container\n",
    "quadlets",
    ["Network= b.container"],
  ],
  ["a registry image is no unit", "a.container", "[Container]\nImage=docker.io/library/x.image\n", "quadlets", []],
  ["a volume its image", "a.volume", "[Volume]\nImage=i.image\n", "quadlets", ["Image= i.image"]],
  [
    "a pod its network and volumes",
    "a.pod",
    "[Pod]\nNetwork=n.network\nVolume=v.volume:/v\n",
    "quadlets",
    ["Network= n.network", "Volume= v.volume"],
  ],
  ["a kube file its network", "a.kube", "[Kube]\nNetwork=n.network\n", "quadlets", ["Network= n.network"]],
  ["a build its network", "a.build", "[Build]\nNetwork=n.network\n", "quadlets", ["Network= n.network"]],
  ["peers", "a.service", "[X-Fleet]\nMachineOf=b.service\n", "machineOf", ["MachineOf= b.service"]],
  [
    "order",
    "a.service",
    "[Unit]\nAfter=c.service b.service b.service\n",
    "after",
    ["After= b.service", "After= c.service"],
  ],
  ["the inverse order", "a.service", "[Unit]\nBefore=c.service\n", "before", ["Before= c.service"]],
  ["wishes", "a.service", "[Unit]\nWants=c.service\n", "wants", ["Wants= c.service"]],
  [
    "what pulls it in",
    "a.service",
    "[Install]\nWantedBy=b.target\nRequiredBy=c.target\n",
    "installedInto",
    ["WantedBy= b.target", "RequiredBy= c.target"],
  ],
  [
    "mentions hold the rest",
    "a@1.service",
    "[Unit]\nAfter=b.service\nOnFailure=notify@%n.service\nPropagatesReloadTo=c.service\n[Service]\nSlice=d.slice\n",
    "mentions",
    ["After= b.service", "PropagatesReloadTo= c.service", "Slice= d.slice", "OnFailure= notify@a@1.service.service"],
  ],
  [
    "a quadlet's specifiers are those of its service",
    "a.container",
    "[Unit]\nOnFailure=notify@%n.service\n",
    "mentions",
    ["OnFailure= notify@a.service.service"],
  ],
  [
    "an instance only the machine knows leaves its template",
    "a.service",
    "[Unit]\nOnFailure=notify@%H.service x-%H.service\n",
    "mentions",
    ["OnFailure= notify@a.service"],
  ],
];
const mounts: [string, string, string, string[]][] = [
  [
    "a state directory",
    "a.service",
    "[Service]\nStateDirectory=db\n",
    ["StateDirectory= var-lib-db.mount", "StateDirectory= var-lib.mount", "StateDirectory= var.mount"],
  ],
  ["a working directory", "a.service", "[Service]\nWorkingDirectory=-/srv\n", ["WorkingDirectory= srv.mount"]],
  ["a home directory is the machine's to know", "a.service", "[Service]\nWorkingDirectory=~\n", []],
  ["a mount's parents, and not itself", "srv-a.mount", "[Mount]\nWhere=/srv/a\n", ["Where= srv.mount"]],
  [
    "a container's host path",
    "a.container",
    "[Container]\nVolume=/srv:/a\nVolume=b:/b\nVolume=/c\nVolume=%h/x:/d\n",
    ["Volume= srv.mount"],
  ],
];
describe("mounts a unit stands on", () => {
  for (const [sentence, name, text, expected] of mounts) {
    test(sentence, () => {
      assert.deepEqual(
        ties(name, text).hardDependencies.map(({ by, unit }) => `${by} ${unit}`),
        expected,
      );
    });
  }
});

describe("quadlets that podman reads otherwise", () => {
  const problems: [string, string, string[]][] = [
    ["a service of another name", "[Container]\nServiceName=b\n", ["quadlet-service-name"]],
    ["a specifier in a quadlet's name", "[Container]\nVolume=d@%i.volume:/d\n", ["quadlet-specifier"]],
    [
      "the same in a long mount",
      "[Container]\nMount=type=volume,source=%p.volume,destination=/d\n",
      ["quadlet-specifier"],
    ],
    [
      "a specifier elsewhere is systemd's",
      "[Container]\nVolume=%h/x:/d\nVolume=d.volume:/d/%i\nEnvironment=A=%i.volume\n",
      [],
    ],
  ];
  for (const [sentence, text, codes] of problems) {
    test(sentence, () => {
      assert.deepEqual(
        ties("a@1.container", text).diagnostics.map(({ code }) => code),
        codes,
      );
    });
  }
});

describe("what a unit names", () => {
  for (const [sentence, name, text, kind, expected] of cases) {
    test(sentence, () => {
      const found = ties(name, text);
      assert.deepEqual(
        found[kind].map(({ by, unit }) => `${by} ${unit}`),
        expected,
      );
      assert.deepEqual(found.diagnostics, []);
    });
  }

  test("drop-ins add", () => {
    const { after } = ties("a.service", "[Unit]\nAfter=b.service\n", "[Unit]\nAfter=c.service\n");
    assert.deepEqual(
      after.map(({ unit }) => unit),
      ["b.service", "c.service"],
    );
  });

  test("a name nobody can read is told with its place, and the others count", () => {
    const { after, diagnostics } = ties("a.service", "[Unit]\nAfter=network b.service\n");
    assert.deepEqual(
      after.map(({ unit }) => unit),
      ["b.service"],
    );
    assert.deepEqual(
      diagnostics.map(({ code, severity, at }) => [code, severity, at?.line]),
      [["unit-reference", "warning", 2]],
    );
  });

  test("an open quote is told", () => {
    assert.match(ties("a.service", '[Unit]\nAfter=b.service "c.service\n').diagnostics[0]!.saw, /unclosed quote/);
  });
});
