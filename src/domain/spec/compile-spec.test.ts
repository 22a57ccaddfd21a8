import assert from "node:assert/strict";
import { test } from "node:test";
import { compileRepository, filesOf, sha256, shownFindings } from "../../../test/compile-repository.ts";
import fc from "../../../test/property/fast-check.ts";
import { readManifest } from "../../codec/manifest/read-manifest.ts";
import type { ClusterSpec, SpecUnit } from "./cluster-spec.ts";
import { compileSpec } from "./compile-spec.ts";
import { manifestSources } from "./repository-files.ts";
import { unitOnMachine } from "./unit-on-machine.ts";

const HEAD = "apiVersion: fleet/v1\ncluster: prod\n";
const SERVICE = "[Service]\nExecStart=/bin/true\n";
const ID_A = "a".repeat(32);
const ID_B = "b".repeat(32);

type Repository = Readonly<Record<string, string>>;

function compiled(repository: Repository): ClusterSpec {
  const { spec, diagnostics } = compileRepository({ "fleet.yaml": HEAD, ...repository });
  assert.deepEqual(shownFindings(diagnostics.filter((one) => one.severity !== "info")), []);
  assert.notEqual(spec, null);
  return spec!;
}

function findings(repository: Repository): readonly string[] {
  const { spec, diagnostics } = compileRepository({ "fleet.yaml": HEAD, ...repository });
  const failed = diagnostics.some((one) => one.severity === "error");
  assert.equal(spec === null, failed, "a spec exactly where there is no error");
  return shownFindings(diagnostics);
}

function unit(spec: ClusterSpec, name: string): SpecUnit {
  const found = spec.units.find((one) => one.name === name);
  assert.ok(found, `${name} among ${spec.units.map((one) => one.name).join(" ")}`);
  return found;
}

const goals = (spec: ClusterSpec) => Object.fromEntries(spec.units.map((one) => [one.name as string, one.goal]));
const groups = (spec: ClusterSpec) => spec.groups.map((group) => group.units.join(" "));

test("two lines and a unit: launched, alone in its group, defaults written out", () => {
  const spec = compiled({ "units/web.service": SERVICE });
  assert.equal(spec.cluster, "prod");
  assert.equal(spec.admit, "any");
  assert.deepEqual(spec.loss, { agentTtlMs: 30_000, graceMs: 60_000 });
  const web = unit(spec, "web.service");
  assert.deepEqual(
    [web.service, web.kind, web.template, web.goal, web.group, web.fragment],
    ["web.service", "systemd", null, "launched", "web.service", { path: "units/web.service", text: SERVICE }],
  );
  assert.deepEqual(web.rollout, { maxUnavailable: 1, minHealthyTimeMs: 5000, healthDeadlineMs: 120_000 });
});

test("trust is in the spec where it is written, so that a change of it is a release, and nowhere else", () => {
  const manifest = (trust: string) => ({ "fleet.yaml": `${HEAD}${trust}`, "units/web.service": SERVICE });
  const without = compiled(manifest(""));
  assert.ok(!("trust" in without));
  const written = compiled(manifest("trust: { signers: trust/signers }\n"));
  assert.equal(written.trust?.mode, "range");
  assert.notEqual(written.specHash, without.specHash);
  assert.deepEqual(findings(manifest("trust: { mode: strict }\n")), [
    "fleet.yaml:3 trust-without-signers trust with mode: strict and nobody who may sign",
  ]);
});

test("later paths override earlier ones file by file, whatever the component", () => {
  const spec = compiled({
    "fleet.yaml": `${HEAD}paths: [base, ../prod/units]\n`.replace("../prod", "prod"),
    "base/web/web.service": SERVICE,
    "base/web/web.service.d/10-a.conf": "[Service]\nNice=1\n",
    "base/web/web.service.d/20-b.conf": "[Service]\nNice=2\n",
    "base/README.md": "# hi\n",
    "base/.hidden": "x",
    "prod/units/web.service.d/10-a.conf": "[Service]\nNice=3\n",
    "prod/units/db.service": SERVICE,
  });
  assert.deepEqual(
    unit(spec, "web.service").dropins.map((one) => [one.name, one.path]),
    [
      ["10-a.conf", "prod/units/web.service.d/10-a.conf"],
      ["20-b.conf", "base/web/web.service.d/20-b.conf"],
    ],
  );
  assert.deepEqual(Object.keys(goals(spec)), ["db.service", "web.service"]);
});

test("a manifest in a folder reaches its neighbours with ../, and nothing outside of the repository", () => {
  const manifest = `${HEAD}paths: [../../units, ../../../etc]\nmachines: { nas: { dropins: { a.service: [m/x.conf] } } }\n`;
  const sources = manifestSources(
    "clusters/prod/fleet.yaml",
    readManifest("clusters/prod/fleet.yaml", manifest).manifest!,
  );
  assert.deepEqual(sources.folders, ["clusters/prod/m", "units"]);
  assert.deepEqual(
    ["units/a.service", "units/README.md", "clusters/prod/m/x.conf", "clusters/prod/m/y.conf", "else/a.service"].map(
      sources.needs,
    ),
    [true, false, true, false, false],
  );
  assert.deepEqual(shownFindings(sources.diagnostics), [
    "clusters/prod/fleet.yaml:3 path-outside-repository the path ../../../etc, which leads out of the repository",
  ]);
});

test("instances are units of their own, a file of an instance's name wins, and an unused template is only mentioned", () => {
  const manifest = `${HEAD}units: { web@.service: { instances: 3 }, app@.service: { instances: [blue, "01"] } }\n`;
  const { spec, diagnostics } = compileRepository({
    "fleet.yaml": manifest,
    "units/web@.service": SERVICE,
    "units/web@2.service": "[Service]\nExecStart=/bin/false\n",
    "units/app@.service": SERVICE,
    "units/idle@.service": SERVICE,
  });
  assert.deepEqual(
    spec!.units.map((one) => [one.name, one.template, one.fragment.path]),
    [
      ["app@01.service", "app@.service", "units/app@.service"],
      ["app@blue.service", "app@.service", "units/app@.service"],
      ["web@1.service", "web@.service", "units/web@.service"],
      ["web@2.service", null, "units/web@2.service"],
      ["web@3.service", "web@.service", "units/web@.service"],
    ],
  );
  assert.deepEqual(shownFindings(diagnostics), [
    "units/idle@.service template-unused the template idle@.service, which has no instances and is mentioned by no unit",
  ]);
});

test("drop-ins of the instance, its template, cut names and the type apply in systemd's order", () => {
  const conf = (value: number) => `[Service]\nNice=${value}\n`;
  const spec = compiled({
    "fleet.yaml": `${HEAD}units: { my-web@.service: { instances: [a, b], environment: { A: 1 } } }\n`,
    "units/my-web@.service": SERVICE,
    "units/service.d/10-all.conf": conf(1),
    "units/service.d/20-x.conf": conf(2),
    "units/my-@.service.d/20-x.conf": conf(3),
    "units/my-web@.service.d/20-x.conf": conf(4),
    "units/my-web@.service.d/95-last.conf": conf(5),
    "units/my-web@a.service.d/20-x.conf": conf(6),
  });
  const shown = (name: string) => unit(spec, name).dropins.map((one) => `${one.name} ${one.path}`);
  assert.deepEqual(shown("my-web@a.service"), [
    "10-all.conf units/service.d/10-all.conf",
    "20-x.conf units/my-web@a.service.d/20-x.conf",
    "90-fleet-environment.conf fleet.yaml",
    "95-last.conf units/my-web@.service.d/95-last.conf",
  ]);
  assert.equal(shown("my-web@b.service")[1], "20-x.conf units/my-web@.service.d/20-x.conf");
});

test("environment is quoted so that systemd reads back the same value", () => {
  const spec = compiled({
    "fleet.yaml": `${HEAD}defaults: { environment: { B: base, Z: "0" } }
units: { web.service: { environment: { APP_VERSION: 1.10, B: 'say "hi" \\ 100% $HOME', N: "a\\nb" } } }\n`,
    "units/web.service": SERVICE,
    "units/web.timer": "[Timer]\nOnBootSec=1\n",
  });
  assert.equal(
    unit(spec, "web.service").dropins[0]!.text,
    `[Service]
Environment="APP_VERSION=1.10"
Environment="B=say \\"hi\\" \\\\ 100%% $HOME"
Environment="N=a\\nb"
Environment="Z=0"
`,
  );
  assert.deepEqual(unit(spec, "web.timer").dropins, [], "a timer runs nothing that has an environment");
});

test("what another unit activates is loaded, unless the manifest asks for that very unit", () => {
  const spec = compiled({
    "fleet.yaml": `${HEAD}defaults: { state: launched }\nunits: { c.service: { state: launched }, d.service: { state: inactive } }\n`,
    "units/a.service": SERVICE,
    "units/a.timer": "[Timer]\nOnBootSec=1\n",
    "units/b.socket": "[Socket]\nListenStream=1\nService=a2.service\n",
    "units/a2.service": SERVICE,
    "units/c.path": "[Path]\nPathExists=/x\n",
    "units/c.service": SERVICE,
    "units/d.service": SERVICE,
  });
  assert.deepEqual(goals(spec), {
    "a.service": "loaded",
    "a.timer": "launched",
    "a2.service": "loaded",
    "b.socket": "launched",
    "c.path": "launched",
    "c.service": "launched",
    "d.service": "inactive",
  });
});

test("After= ties nothing, Requires= on a host unit ties nothing, Group=none opts out", () => {
  const spec = compiled({
    "units/a.service": `[Unit]\nAfter=b.service\nRequires=docker.service\n${SERVICE}`,
    "units/b.service": `[Unit]\nRequires=c.service\nBefore=c.service\n${SERVICE}[X-Fleet]\nGroup=none\n`,
    "units/c.service": SERVICE,
  });
  assert.deepEqual(groups(spec), ["a.service", "b.service", "c.service"]);
  assert.deepEqual(
    spec.units.map((one) => one.after),
    [["b.service"], [], ["b.service"]],
  );
});

test("a circle of After= is broken the same way each time, and said", () => {
  const repository = {
    "units/a.service": `[Unit]\nAfter=b.service\n${SERVICE}`,
    "units/b.service": `[Unit]\nAfter=c.service\n${SERVICE}`,
    "units/c.service": `[Unit]\nAfter=a.service\n${SERVICE}`,
  };
  assert.deepEqual(findings(repository), [
    "units/c.service order-cycle a circle of After= and Before=: a.service after b.service after c.service after a.service",
  ]);
  const { spec } = compileRepository({ "fleet.yaml": HEAD, ...repository });
  assert.deepEqual(
    spec!.units.map((one) => one.after),
    [["b.service"], ["c.service"], []],
  );
});

test("local state holds a group where it is, unless the unit that has it says otherwise", () => {
  const db = (more: string) => `[Service]\nExecStart=/bin/true\nStateDirectory=db\n${more}`;
  const movement = (text: string, manifest = "") => {
    const spec = compiled({ "fleet.yaml": `${HEAD}${manifest}`, "units/db.service": text });
    return [spec.groups[0]!.move, spec.groups[0]!.localState];
  };
  assert.deepEqual(movement(db("")), ["never", [{ unit: "db.service", because: "StateDirectory=db" }]]);
  assert.deepEqual(movement(db("[X-Fleet]\nMove=auto\n")), ["auto", []]);
  assert.deepEqual(movement(db(""), "units: { db.service: { move: auto } }\n"), ["auto", []]);
  assert.deepEqual(movement(SERVICE, "units: { db.service: { move: never } }\n"), ["never", []]);
});

test("a template nobody instantiates travels with whoever mentions it, and what it mentions too", () => {
  const spec = compiled({
    "units/job.service": `[Unit]\nOnFailure=notify@%n.service\n${SERVICE}`,
    "units/notify@.service": `[Unit]\nOnFailure=alarm@%i.service\n${SERVICE}`,
    "units/notify@.service.d/10-a.conf": "[Service]\nNice=1\n",
    "units/alarm@.service": SERVICE,
    "units/echo.socket": "[Socket]\nListenStream=7\nAccept=yes\n",
    "units/echo@.service": SERVICE,
  });
  assert.deepEqual(
    unit(spec, "job.service").companions.map((one) => [one.name, one.dropins.length]),
    [
      ["alarm@.service", 0],
      ["notify@.service", 1],
    ],
  );
  assert.deepEqual(
    unitOnMachine(unit(spec, "echo.socket"), null, spec, sha256).files.map((file) => file.path),
    ["echo.socket", "echo@.service"],
  );
});

test("a machine's drop-ins change the hash there and nowhere else", () => {
  const spec = compiled({
    "fleet.yaml": `${HEAD}units: { web@.service: { instances: 2 } }
machines:
  nas: { id: ${ID_A}, metadata: { role: storage }, dropins: { web@.service: [machines/10-nas.conf] } }
  pi: { id: ${ID_B}, drain: true }
  role=db: { cordon: true }
`,
    "units/web@.service": SERVICE,
    "units/web@.service.d/10-nas.conf": "[Service]\nNice=1\n",
    "machines/10-nas.conf": "[Service]\nNice=9\n",
  });
  assert.equal(spec.admit, "listed");
  assert.deepEqual(
    spec.machines.map((machine) => [machine.key, machine.match?.kind ?? null, machine.drain, machine.cordon]),
    [
      ["nas", null, false, false],
      ["pi", null, true, false],
      ["role=db", "metadata", false, true],
    ],
  );
  const web = unit(spec, "web@1.service");
  const on = (machine: string | null) => unitOnMachine(web, machine, spec, sha256);
  assert.deepEqual(on("nas").files, [
    { path: "web@1.service", text: SERVICE },
    { path: "web@1.service.d/10-nas.conf", text: "[Service]\nNice=9\n" },
  ]);
  assert.equal(on("pi").hash, on(null).hash);
  assert.notEqual(on("nas").hash, on("pi").hash);
  assert.equal(on("pi").files[1]!.text, "[Service]\nNice=1\n");
});

test("machines are admitted by default only where one is named: a selector adds and does not admit", () => {
  const spec = compiled({
    "fleet.yaml": `${HEAD}machines: { role=db: { cordon: true } }\n`,
    "units/a.service": SERVICE,
  });
  assert.equal(spec.admit, "any");
});

const refused: readonly (readonly [what: string, repository: Repository, findings: readonly string[]])[] = [
  ["no folder", { "else/a.service": SERVICE }, ["fleet.yaml:2 path-missing no files under units/"]],
  [
    "a unit in two components",
    { "units/x/a.service": SERVICE, "units/y/a.service": SERVICE },
    ["units/y/a.service duplicate-unit a.service, which units/x/a.service is too"],
  ],
  [
    "two files that are one unit to systemd",
    { "units/db.container": "[Container]\nImage=x\n", "units/db.service": SERVICE },
    ["units/db.service service-name-twice db.service, which systemd would know as db.service, as it does db.container"],
  ],
  [
    "keys of units that are not there",
    {
      "fleet.yaml": `${HEAD}units:\n  wbe.service: {}\n  db.service: {}\n`,
      "units/web.service": SERVICE,
      "units/db.container": "[Container]\nImage=x\n",
    },
    [
      'fleet.yaml:4 unit-unknown "wbe.service", which is no unit of this commit',
      'fleet.yaml:5 unit-unknown "db.service", which is no unit of this commit',
    ],
  ],
  [
    "instances of what is no template, impossible and repeated instances",
    {
      "fleet.yaml": `${HEAD}units:\n  web.service: { instances: 2 }\n  a@.service: { instances: [x, x, "b c"] }\n`,
      "units/web.service": SERVICE,
      "units/a@.service": SERVICE,
    },
    [
      "fleet.yaml:4 instances-without-template instances of web.service",
      "fleet.yaml:5 instance-twice the instance x twice",
      'fleet.yaml:5 instance-name the instance "b c" of a@.service',
    ],
  ],
  [
    "folders below a component's own, but for its files",
    { "units/db/db.service": SERVICE, "units/db/files/x.conf": "a", "units/db/deep/y.service": SERVICE },
    [
      "units/db/deep/y.service unit-path-too-deep a file below a component's own folder",
      "units/db/files/x.conf file-unread a file no unit reads",
    ],
  ],
  [
    "drop-ins of nothing, of a reserved name, and an empty unit file",
    {
      "units/web.service": "",
      "units/wbe.service.d/a.conf": "[Service]\n",
      "units/web.service.d/90-fleet-environment.conf": "[Service]\n",
    },
    [
      "units/wbe.service.d/a.conf dropin-without-unit drop-ins for wbe.service, which is no unit of this commit",
      "units/web.service unit-empty an empty unit file, which systemd reads as masked",
      "units/web.service.d/90-fleet-environment.conf dropin-reserved 90-fleet-environment.conf, which fleet writes itself",
    ],
  ],
  [
    "the unit and the manifest saying different things",
    {
      "fleet.yaml": `${HEAD}units:\n  a.service: { move: auto, group: auto }\n`,
      "units/a.service": `${SERVICE}[X-Fleet]\nMove=never\nGroup=none\n`,
    },
    [
      "fleet.yaml:4 option-contradiction move: auto, while a.service says Move=never",
      "fleet.yaml:4 option-contradiction group: auto, while a.service says Group=none",
    ],
  ],
  [
    "a group with two machines, and metadata no machine has",
    {
      "units/a.service": `[Unit]\nRequires=b.service\n${SERVICE}[X-Fleet]\nMachineID=m1\nMachineMetadata=role=db\n`,
      "units/b.service": `${SERVICE}[X-Fleet]\nMachineID=m2\nMachineMetadata="role=web" "role=cache"\n`,
    },
    [
      "units/b.service:4 group-two-machines MachineID=m2 in b.service, which is tied to a.service with MachineID=m1",
      "units/b.service:5 group-metadata role=cache|web for b.service, which is tied to a.service with role=db",
    ],
  ],
  [
    "a group of which one unit is everywhere",
    {
      "units/a.service": `[Unit]\nRequires=b.service\n${SERVICE}`,
      "units/b.service": `${SERVICE}[X-Fleet]\nGlobal=true\n`,
    },
    [
      "units/b.service:4 group-global-mix b.service, which runs on every machine, tied to a.service, which runs on one (a.service says Requires=b.service)",
    ],
  ],
  [
    "a group that conflicts with itself",
    {
      "units/a.service": `[Unit]\nBindsTo=b.service\n${SERVICE}[X-Fleet]\nConflicts=b*\n`,
      "units/b.service": `${SERVICE}[X-Fleet]\nReplaces=a.service\n`,
    },
    [
      "units/a.service:6 group-conflict Conflicts=b* in a.service, which matches b.service of its own group",
      "units/b.service:4 group-conflict Replaces=a.service in b.service, which matches a.service of its own group",
    ],
  ],
  [
    "units that replace each other in a circle",
    {
      "units/a.service": `${SERVICE}[X-Fleet]\nReplaces=b.service\n`,
      "units/b.service": `${SERVICE}[X-Fleet]\nReplaces=c.service\n`,
      "units/c.service": `${SERVICE}[X-Fleet]\nReplaces=a.service\n`,
    },
    [
      "units/a.service:4 replaces-circle a circle of Replaces=: a.service replaces b.service replaces c.service replaces a.service",
    ],
  ],
  [
    "a peer that is not there",
    { "units/web.service": SERVICE, "units/a.service": `${SERVICE}[X-Fleet]\nMachineOf=wbe.service\n` },
    ["units/a.service:3 machine-of-unknown MachineOf=wbe.service, which is no unit of this commit"],
  ],
  [
    "machines that contradict each other or are unknown",
    {
      "fleet.yaml": `${HEAD}machines:
  nas: { id: ${ID_A}, metadata: { arch: arm64 } }
  pi: { id: ${ID_A} }
  "a=b=c": {}
  role=db: { id: ${ID_B} }
  x: { id: ${ID_B}, dropins: { wbe.service: [m/a.conf], web.service: [m/none.conf, m/x.conf] } }
`,
      "units/web.service": `${SERVICE}[X-Fleet]\nMachineID=nsa\n`,
      "m/x.conf": "[X-Fleet]\nGlobal=true\n",
    },
    [
      "fleet.yaml:4 metadata-reserved metadata arch, which the machine says of itself",
      "fleet.yaml:5 machine-id-twice the machine id of nas for pi too",
      'fleet.yaml:6 machine-key 2 "=" in the selector "a=b=c"',
      "fleet.yaml:7 machine-key an id under role=db, which may match many machines",
      "fleet.yaml:8 machine-id-twice the machine id of role=db for x too",
      "fleet.yaml:8 unit-unknown wbe.service, which is no unit of this commit",
      "fleet.yaml:8 dropin-missing no file m/none.conf",
      "m/x.conf:1 dropin-x-fleet [X-Fleet] in one machine's drop-in",
      "units/web.service:4 machine-unknown MachineID=nsa in web.service, while the manifest admits only the machines it lists",
    ],
  ],
  [
    "environment of what has none, and a value no unit file holds",
    {
      "fleet.yaml": `${HEAD}units:\n  a.timer: { environment: { A: b } }\n  a.service: { environment: { LONG: ${"x".repeat(3000)} } }\n`,
      "units/a.service": SERVICE,
      "units/a.timer": "[Timer]\nOnBootSec=1\n",
    },
    [
      "fleet.yaml:4 environment-unsupported environment for a.timer: a .timer runs nothing that has one",
      "fleet.yaml:5 environment-value a value of 3000 characters for LONG",
    ],
  ],
  [
    "every problem of the manifest and of the units in one go",
    { "fleet.yaml": `${HEAD}unts: {}\n`, "units/a.service": "[Service\n", "units/b c.service": SERVICE },
    [
      "fleet.yaml:3 manifest-unknown-key the unknown key unts",
      'units/a.service:1 unit-section-header a malformed section header: "[Service"',
      'units/b c.service unit-name the character " " in the unit name "b c.service"',
    ],
  ],
];

for (const [what, repository, expected] of refused) {
  test(`refused, each with its place: ${what}`, () => assert.deepEqual(findings(repository), expected));
}

test("an unknown extension is left out with a warning", () => {
  const repository = { "units/a.servce": "x", "units/b.service": SERVICE };
  assert.deepEqual(findings(repository), [
    'units/a.servce unit-name the unknown type .servce in the unit name "a.servce"; did you mean .service',
  ]);
});

test("symlinks and submodules are refused by name", () => {
  const link = { path: "units/a.service", kind: "symlink", oid: "", bytes: new Uint8Array() } as const;
  const { spec, diagnostics } = compileRepository({ "fleet.yaml": HEAD, "units/a.service": link });
  assert.equal(spec, null);
  assert.deepEqual(shownFindings(diagnostics), ["units/a.service unit-symlink a symlink"]);
});

test("more units than the limit are counted, not made", () => {
  const settings = Array.from({ length: 30 }, (_, index) => `  t${index}@.service: { instances: 1000 }\n`).join("");
  const files = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`units/t${index}@.service`, SERVICE]));
  assert.deepEqual(findings({ "fleet.yaml": `${HEAD}units:\n${settings}`, ...files }), [
    "fleet.yaml:2 too-many-units 30030 units",
  ]);
});

test("the order of the files changes nothing: same spec, same hashes, same findings", () => {
  const manifest = `${HEAD}paths: [units, more]\nunits: { web@.service: { instances: 3 } }\n`;
  const repository = {
    "fleet.yaml": manifest,
    "units/web@.service": `[Unit]\nRequires=db.service\nAfter=db.service cache.service\n${SERVICE}`,
    "units/web@.service.d/10.conf": "[Service]\nNice=1\n",
    "units/web@2.service.d/10.conf": "[Service]\nNice=2\n",
    "units/db.service": `[Unit]\nAfter=cache.service\n${SERVICE}`,
    "units/cache.service": `[Unit]\nAfter=db.service\n${SERVICE}[X-Fleet]\nConflicts=x*\n`,
    "units/x/idle@.service": SERVICE,
    "more/db.service": `[Unit]\nAfter=cache.service web@1.service\n${SERVICE}`,
  };
  const read = readManifest("fleet.yaml", manifest).manifest!;
  const files = filesOf(repository);
  const compile = (shuffled: typeof files) => {
    const result = compileSpec({ manifestPath: "fleet.yaml", manifest: read, files: shuffled }, sha256);
    assert.ok(result.spec);
    return { ...result, hashes: result.spec.units.map((one) => unitOnMachine(one, null, result.spec!, sha256).hash) };
  };
  const expected = compile(files);
  fc.assert(
    fc.property(fc.shuffledSubarray([...files], { minLength: files.length }), (shuffled) => {
      assert.deepEqual(compile(shuffled), expected);
    }),
    { numRuns: 50 },
  );
});

test("hashes are pinned: a change of them restarts every unit of every cluster", () => {
  const spec = compiled({
    "fleet.yaml": `${HEAD}units: { web.service: { environment: { A: 1.10 } } }\n`,
    "units/web.service": SERVICE,
  });
  assert.equal(
    unitOnMachine(spec.units[0]!, null, spec, sha256).hash,
    "eda3e5d85d3f7809a7664ae33f98d23410d25c2cae079598a8586cadeeecc959",
  );
  assert.equal(spec.specHash, "1605c74b58e094b27a55e54088d73d1ed6fa8897fe7b294d57bfbe16d1aaf43e");
});
