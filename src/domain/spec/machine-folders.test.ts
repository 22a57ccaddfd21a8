import assert from "node:assert/strict";
import { test } from "node:test";
import { compileRepository, filesOf, sha256, shownFindings } from "../../../test/compile-repository.ts";
import { readManifest } from "../../codec/manifest/read-manifest.ts";
import type { UnitName } from "../names.ts";
import type { ClusterSpec } from "./cluster-spec.ts";
import { CommitPart } from "./commit-part.ts";
import { unitOnMachine } from "./unit-on-machine.ts";

const ID = "a".repeat(32);
const HEAD = "apiVersion: fleet/v1\ncluster: prod\npaths: [units]\n";
const OWN = `${HEAD}machines: { nas: { id: ${ID}, paths: [machines/nas] }, pi: { paths: [machines/pi] } }\n`;
const SERVICE = "[Service]\nExecStart=/bin/true\n";
const fleet = (...options: string[]) => `${SERVICE}[X-Fleet]\n${options.join("\n")}\n`;
const COMMON = { "units/web.service": SERVICE, "machines/pi/.gitkeep": "", "machines/nas/.gitkeep": "" };

const findings = (files: Record<string, string>, manifest = OWN) => {
  const { spec, diagnostics } = compileRepository({ "fleet.yaml": manifest, ...COMMON, ...files });
  assert.equal(spec === null, diagnostics.length > 0);
  return shownFindings(diagnostics);
};
const compiled = (files: Record<string, string>, manifest = OWN): ClusterSpec => {
  const { spec, diagnostics } = compileRepository({ "fleet.yaml": manifest, ...COMMON, ...files });
  assert.deepEqual(shownFindings(diagnostics), []);
  return spec!;
};
const boundTo = (spec: ClusterSpec) =>
  Object.fromEntries(spec.units.map((unit) => [unit.name, unit.options.machineId]));

test("what lies in a machine's folder is bound to it, instances with their template, and nothing else is", () => {
  const instances = OWN.replace("machines:", "units: { job@.service: { instances: [a, b] } }\nmachines:");
  const spec = compiled(
    {
      "machines/nas/backup.service": SERVICE,
      "machines/nas/job@.service": SERVICE,
      "machines/pi/camera/camera.service": SERVICE,
      "machines/pi/job@b.service": fleet("MachineMetadata=arch=arm64"),
    },
    instances,
  );
  assert.deepEqual(boundTo(spec), {
    "backup.service": "nas",
    "camera.service": "pi",
    "job@a.service": "nas",
    "job@b.service": "pi",
    "web.service": null,
  });
});

test("what lies in a folder has the options of what says so, and moving a file there changes nothing on its machine", () => {
  const silent = compiled({ "machines/nas/backup.service": SERVICE });
  const said = compiled({ "units/backup.service": fleet("MachineID=nas") });
  assert.deepEqual(
    silent.units.find(({ name }) => name === "backup.service")?.options,
    said.units.find(({ name }) => name === "backup.service")?.options,
  );
  const hash = (spec: ClusterSpec) =>
    unitOnMachine(spec.units.find(({ name }) => name === "backup.service")!, "nas", spec, sha256).hash;
  assert.equal(hash(silent), hash(compiled({ "units/backup.service": SERVICE })));
  for (const named of ["nas", ID]) compiled({ "machines/nas/backup.service": fleet(`MachineID=${named}`) });
});

test("folders of machines that have no units leave the spec as it was", () => {
  const without = `${HEAD}machines: { nas: { id: ${ID} }, pi: {} }\n`;
  assert.equal(compiled({}).specHash, compiled({}, without).specHash);
});

test("an agent that compiles its own units finds the same", () => {
  const files = { "fleet.yaml": OWN, ...COMMON, "machines/nas/db/db.service": SERVICE };
  const all = filesOf(files);
  const manifest = readManifest("fleet.yaml", OWN).manifest!;
  const part = new CommitPart({ manifestPath: "fleet.yaml", manifest, files: all });
  const name = "db.service" as UnitName;
  const contents = new Map(all.map(({ path, bytes }) => [path, bytes]));
  assert.deepEqual(
    part.filesOf(new Set([name])).map(({ path }) => path),
    ["machines/nas/db/db.service"],
  );
  const { spec } = part.compile(new Set([name]), contents);
  const whole = compileRepository(files).spec!.units.find((unit) => unit.name === name);
  assert.deepEqual(spec?.units[0]?.options, whole?.options);
});

test("a component of a machine's folder has its own files, and not those of another of that name", () => {
  const reading = `${SERVICE}Environment=C=/var/lib/fleet/files/%n/a.conf\n`;
  const spec = compiled({
    "units/db/files/a.conf": "common",
    "units/db/db.service": reading,
    "machines/nas/db/files/a.conf": "nas",
    "machines/nas/db/cache.service": reading,
  });
  const text = (name: string) => spec.units.find((unit) => unit.name === name)?.files?.map((file) => file.text);
  assert.deepEqual([text("db.service"), text("cache.service")], [["common"], ["nas"]]);
});

test("drop-ins of common folders apply to it, and its own beside it", () => {
  const spec = compiled({
    "machines/nas/a.service": SERVICE,
    "machines/nas/a.service.d/20-own.conf": "[Service]\nNice=1\n",
    "units/service.d/10-all.conf": "[Service]\nNice=2\n",
  });
  const [a] = spec.units;
  assert.deepEqual(
    a?.dropins.map(({ name }) => name),
    ["10-all.conf", "20-own.conf"],
  );
});

const refused: readonly (readonly [why: string, files: Record<string, string>, findings: readonly string[]])[] = [
  [
    "a name that a common folder has",
    { "machines/nas/web.service": SERVICE },
    ["machines/nas/web.service duplicate-unit web.service, which units/web.service is too"],
  ],
  [
    "a name that another machine has",
    { "machines/nas/a.service": SERVICE, "machines/pi/a.service": SERVICE },
    ["machines/pi/a.service duplicate-unit a.service, which machines/nas/a.service is too"],
  ],
  [
    "options that name other machines, or several",
    {
      "machines/nas/a.service": fleet("MachineID=pi"),
      "machines/nas/b.service": fleet("Global=true"),
      "machines/nas/c.service": fleet("MachineOf=web.service"),
      "machines/nas/d.service": fleet("Replaces=web.service"),
    },
    [
      "machines/nas/a.service:4 machine-paths-option MachineID= in a.service, which lies in a folder of nas and is bound to it",
      "machines/nas/b.service:4 machine-paths-option Global= in b.service, which lies in a folder of nas and is bound to it",
      "machines/nas/c.service:4 machine-paths-option MachineOf= in c.service, which lies in a folder of nas and is bound to it",
      "machines/nas/d.service:4 machine-paths-option Replaces= in d.service, which lies in a folder of nas and is bound to it",
    ],
  ],
  [
    "drop-ins for units that may be elsewhere",
    {
      "machines/nas/a.service": SERVICE,
      "machines/nas/web.service.d/10-x.conf": "[Service]\nNice=1\n",
      "machines/nas/service.d/10-x.conf": "[Service]\nNice=1\n",
      "machines/pi/a.service.d/10-x.conf": "[Service]\nNice=1\n",
    },
    [
      "machines/nas/service.d/10-x.conf machine-paths-dropin a drop-in for service, which is no unit of the folders of nas",
      "machines/nas/web.service.d/10-x.conf machine-paths-dropin a drop-in for web.service, which is no unit of the folders of nas",
      "machines/pi/a.service.d/10-x.conf machine-paths-dropin a drop-in for a.service, which is no unit of the folders of pi",
    ],
  ],
  [
    "units of two machines that must be together",
    {
      "machines/nas/a.service": `[Unit]\nRequires=b.service\nAfter=b.service\n${SERVICE}`,
      "machines/pi/b.service": SERVICE,
    },
    [
      "machines/pi/b.service group-two-machines MachineID=pi in b.service, which is tied to a.service with MachineID=nas",
    ],
  ],
];

for (const [why, files, expected] of refused) {
  test(`refused: ${why}`, () => assert.deepEqual(findings(files), expected));
}

const folders: readonly (readonly [machines: string, findings: readonly string[]])[] = [
  [
    "{ nas: { paths: [units] } }",
    [
      "fleet.yaml:4 machine-paths the folder units/ of nas, which has files in common with units/, another folder of units",
    ],
  ],
  [
    "{ nas: { paths: [units/nas] } }",
    [
      "fleet.yaml:4 machine-paths the folder units/nas/ of nas, which has files in common with units/, another folder of units",
    ],
  ],
  [
    "{ nas: { paths: [machines/pi] }, pi: { paths: [machines] } }",
    [
      "fleet.yaml:4 machine-paths the folder machines/ of pi, which has files in common with machines/pi/, another folder of units",
    ],
  ],
  ["{ role=db: { paths: [machines/pi] } }", ["fleet.yaml:4 machine-paths paths under the selector role=db"]],
  ["{ nas: { paths: [machines/none] } }", ["fleet.yaml:4 path-missing no files under machines/none/"]],
  [
    "{ nas: { paths: [../x] } }",
    ["fleet.yaml:4 path-outside-repository the path ../x, which leads out of the repository"],
  ],
];

for (const [machines, expected] of folders) {
  test(`folders: ${machines}`, () => assert.deepEqual(findings({}, `${HEAD}machines: ${machines}\n`), expected));
}

test("a folder whose name begins as another's is another", () => {
  const spec = compiled(
    { "units-nas/a.service": SERVICE },
    `${HEAD}machines: { nas: { paths: [units-nas] }, pi: {} }\n`,
  );
  assert.equal(boundTo(spec)["a.service"], "nas");
});

test("paths that cannot be read leave no guess of what else would be there", () => {
  const { manifest, diagnostics } = readManifest("fleet.yaml", `${HEAD}machines: { nas: { paths: units } }\n`);
  assert.equal(manifest, null);
  assert.deepEqual(shownFindings(diagnostics), ['fleet.yaml:4 manifest-value paths: "units"']);
});
