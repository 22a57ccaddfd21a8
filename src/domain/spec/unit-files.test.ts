import assert from "node:assert/strict";
import { test } from "node:test";
import { compileRepository, filesOf, sha256, shownFindings } from "../../../test/compile-repository.ts";
import fc from "../../../test/property/fast-check.ts";
import { readManifest } from "../../codec/manifest/read-manifest.ts";
import type { UnitName } from "../names.ts";
import type { ClusterSpec, SpecUnit } from "./cluster-spec.ts";
import { CommitPart } from "./commit-part.ts";
import { compileSpec } from "./compile-spec.ts";
import type { RepositoryFile } from "./repository-files.ts";
import { hashOnMachine, unitOnMachine } from "./unit-on-machine.ts";

const HEAD = "apiVersion: fleet/v1\ncluster: prod\n";
const ROOT = "/var/lib/fleet/files";

type Repository = Readonly<Record<string, string | RepositoryFile>>;

function compiled(repository: Repository): ClusterSpec {
  const { spec, diagnostics } = compileRepository({ "fleet.yaml": HEAD, ...repository });
  assert.deepEqual(shownFindings(diagnostics.filter(({ severity }) => severity === "error")), []);
  return spec!;
}

function findings(repository: Repository): readonly string[] {
  return shownFindings(compileRepository({ "fleet.yaml": HEAD, ...repository }).diagnostics);
}

function service(...lines: readonly string[]): string {
  return `[Service]\nExecStart=/bin/true\n${lines.map((line) => `${line}\n`).join("")}`;
}

function blob(path: string, bytes: readonly number[], executable?: true): RepositoryFile {
  return { path, kind: "file", oid: "", bytes: new Uint8Array(bytes), ...(executable ? { executable } : {}) };
}

const one = (spec: ClusterSpec, name: string): SpecUnit => spec.units.find((unit) => unit.name === name)!;
const names = (spec: ClusterSpec, name: string) => (one(spec, name).files ?? []).map((file) => file.name);

const reads: readonly (readonly [what: string, lines: readonly string[], expected: readonly string[]])[] = [
  ["nothing where nothing is named", [], []],
  ["a file by EnvironmentFile=", [`EnvironmentFile=${ROOT}/%n/app.env`], ["app.env"]],
  ["a file that may be missing", [`EnvironmentFile=-${ROOT}/%n/app.env`], ["app.env"]],
  ["a file by its unit's name written out", [`EnvironmentFile=${ROOT}/web.service/app.env`], ["app.env"]],
  ["a credential", [`LoadCredential=conf:${ROOT}/%n/conf.d/a.conf`], ["conf.d/a.conf"]],
  ["a file by a bind mount", [`BindReadOnlyPaths=${ROOT}/%n/conf.d/a.conf:/etc/a.conf`], ["conf.d/a.conf"]],
  ["an argument", [`ExecStartPost=/bin/cat --config=${ROOT}/%n/app.env`], ["app.env"]],
  ["a command of its own", [`ExecStartPost=-${ROOT}/%n/run.sh --once`], ["run.sh"]],
  ["all of a folder", [`BindReadOnlyPaths=${ROOT}/%n/conf.d:/etc/conf.d`], ["conf.d/a.conf", "conf.d/b.conf"]],
  [
    "all files by the folder itself",
    [`Environment=DIR=${ROOT}/%n`],
    ["app.env", "conf.d/a.conf", "conf.d/b.conf", "run.sh"],
  ],
  ["all that a pattern may mean", [`EnvironmentFile=${ROOT}/%n/conf.d/*.conf`], ["conf.d/a.conf", "conf.d/b.conf"]],
  [
    "all that a machine's name may mean",
    [`EnvironmentFile=-${ROOT}/%n/conf.d/%H.conf`],
    ["conf.d/a.conf", "conf.d/b.conf"],
  ],
  [
    "by a specifier of the name",
    [`EnvironmentFile=${ROOT}/%n/conf.d/a.conf`, `X-A=${ROOT}/%p.service/run.sh`],
    ["conf.d/a.conf", "run.sh"],
  ],
  ["not what another path begins with", [`Environment=A=/srv${ROOT}/%n/app.env`, `Environment=B=${ROOT}2/x`], []],
  ["not what a later empty assignment takes back", [`EnvironmentFile=${ROOT}/%n/app.env`, "EnvironmentFile="], []],
];

for (const [what, lines, expected] of reads) {
  test(`a unit reads ${what}`, () => {
    const spec = compiled({
      "units/web/web.service": service(...lines),
      "units/web/files/app.env": "A=1\n",
      "units/web/files/conf.d/a.conf": "a\n",
      "units/web/files/conf.d/b.conf": "b\n",
      "units/web/files/run.sh": "#!/bin/sh\n",
    });
    assert.deepEqual(names(spec, "web.service"), expected);
  });
}

test("a file is root's and as git has it, with its own bytes, in a folder of its unit's", () => {
  const spec = compiled({
    "units/web/web.service": service(`EnvironmentFile=${ROOT}/%n/a`, `X-A=${ROOT}/%n/b`, `X-A=${ROOT}/%n/c`),
    "units/web/files/a": "\ufeffA=ä\r\n",
    "units/web/files/b": blob("units/web/files/b", [0xff, 0, 10], true),
    "units/web/files/c": "a\0b",
  });
  const { files } = unitOnMachine(one(spec, "web.service"), null, spec, sha256);
  const delivery = { mode: "0644", owner: "root", group: "root" };
  assert.deepEqual(files.slice(0, 3), [
    { path: `${ROOT}/web.service/a`, text: "\ufeffA=ä\r\n", delivery },
    { path: `${ROOT}/web.service/b`, text: "/wAK", delivery: { ...delivery, mode: "0755", encoding: "base64" } },
    { path: `${ROOT}/web.service/c`, text: "YQBi", delivery: { ...delivery, encoding: "base64" } },
  ]);
  assert.equal(files[3]?.path, "web.service");
});

test("instances have a folder each, from their template's component, and may read files of their own", () => {
  const spec = compiled({
    "fleet.yaml": `${HEAD}units: { web@.service: { instances: [blue, green] } }\n`,
    "units/web/web@.service": service(`EnvironmentFile=${ROOT}/%n/all.env`, `EnvironmentFile=${ROOT}/%n/%i.env`),
    "units/web/files/all.env": "A=1\n",
    "units/web/files/blue.env": "A=2\n",
    "units/web/files/green.env": "A=3\n",
  });
  assert.deepEqual(names(spec, "web@blue.service"), ["all.env", "blue.env"]);
  assert.deepEqual(names(spec, "web@green.service"), ["all.env", "green.env"]);
  const { files } = unitOnMachine(one(spec, "web@blue.service"), null, spec, sha256);
  assert.equal(files[0]?.path, `${ROOT}/web@blue.service/all.env`);
});

test("a quadlet's folder is that of its service, and what lies there is no data that would hold it to its machine", () => {
  const spec = compiled({
    "units/db/db.container": `[Container]\nImage=postgres:17\nVolume=${ROOT}/%n/pg.conf:/etc/pg.conf\n`,
    "units/db/files/pg.conf": "port = 5432\n",
  });
  assert.deepEqual(names(spec, "db.container"), ["pg.conf"]);
  assert.equal(
    unitOnMachine(one(spec, "db.container"), null, spec, sha256).files[0]?.path,
    `${ROOT}/db.service/pg.conf`,
  );
  assert.equal(spec.groups[0]?.move, "auto");
});

test("the manifest gives a unit files from elsewhere, owners and modes; the unit's own key wins over its template's", () => {
  const spec = compiled({
    "fleet.yaml": [
      HEAD.trimEnd(),
      "units:",
      "  web@.service:",
      "    instances: 1",
      "    files:",
      "      - { path: ca.pem, from: shared/ca.pem, mode: 0640, owner: web, group: 999 }",
      "      - { path: app.env, mode: 0600 }",
      "  web@1.service: { files: [{ path: app.env, mode: 0400 }] }",
      "",
    ].join("\n"),
    "units/web/web@.service": service(),
    "units/web/files/app.env": "A=1\n",
    "shared/ca.pem": "----\n",
  });
  assert.deepEqual(one(spec, "web@1.service").files, [
    { name: "app.env", path: "units/web/files/app.env", text: "A=1\n", mode: "0400", owner: "root", group: "root" },
    { name: "ca.pem", path: "shared/ca.pem", text: "----\n", mode: "0640", owner: "web", group: "999" },
  ]);
});

test("a later path overrides single files of a component, and takes the unit without them", () => {
  const spec = compiled({
    "fleet.yaml": `${HEAD}paths: [base, prod]\n`,
    "base/web/web.service": service(),
    "base/web/files/a.env": "A=1\n",
    "base/web/files/b.env": "B=1\n",
    "prod/web.service": service(`EnvironmentFile=${ROOT}/%n/`),
    "prod/web/files/b.env": "B=2\n",
  });
  assert.deepEqual(
    one(spec, "web.service").files?.map(({ path }) => path),
    ["base/web/files/a.env", "prod/web/files/b.env"],
  );
});

test("of a component's files only git's own and hidden components are for people", () => {
  const spec = compiled({
    "units/web/web.service": service(`Environment=D=${ROOT}/%n`),
    "units/web/files/.gitkeep": "",
    "units/web/files/README.md": "# to be served\n",
    "units/web/files/.htaccess": "deny\n",
    "units/.old/files/x": "x",
  });
  assert.deepEqual(names(spec, "web.service"), [".htaccess", "README.md"]);
});

test("what is delivered is in the hash of the units that read it, and in no other's", () => {
  const hashes = (files: Repository, manifest = HEAD) => {
    const spec = compiled({
      "fleet.yaml": manifest,
      "units/web/web.service": service(`EnvironmentFile=${ROOT}/%n/app.env`),
      "units/web/other.service": service(),
      "units/web/files/app.env": "A=1\n",
      ...files,
    });
    return ["web.service", "other.service"].map((name) => hashOnMachine(one(spec, name), null, spec, sha256));
  };
  const before = hashes({});
  assert.deepEqual(hashes({ "units/web/files/unread": "x" }), before, "a file that no unit reads");
  const declared = (entry: string) => `${HEAD}units: { web.service: { files: [{ path: app.env${entry} }] } }\n`;
  assert.deepEqual(hashes({}, declared("")), before, "declared as it is");
  const changes: readonly (readonly [string, ReturnType<typeof hashes>])[] = [
    ["contents", hashes({ "units/web/files/app.env": "A=2\n" })],
    ["mode", hashes({}, declared(", mode: 0640"))],
    ["owner", hashes({}, declared(", owner: web"))],
    ["group", hashes({}, declared(", group: web"))],
    ["executable", hashes({ "units/web/files/app.env": blob("units/web/files/app.env", [65, 61, 49, 10], true) })],
  ];
  for (const [what, [web, other]] of changes) {
    assert.notEqual(web, before[0], `${what} counts`);
    assert.equal(other, before[1], `${what} is no business of a unit that does not read it`);
  }
});

test("a thousand replicas with a file of a mebibyte are one file, compiled and hashed once", () => {
  let hashed = 0;
  const counting: typeof sha256 = (text) => {
    hashed += text.length;
    return sha256(text);
  };
  const repository = {
    "fleet.yaml": `${HEAD}units: { web@.service: { instances: 1000 } }\n`,
    "units/web/web@.service": service(`EnvironmentFile=${ROOT}/%n/data`),
    "units/web/files/data": "x".repeat(1024 * 1024),
  };
  const { manifest } = readManifest("fleet.yaml", repository["fleet.yaml"]);
  const input = { manifestPath: "fleet.yaml", manifest: manifest!, files: filesOf(repository) };
  const { spec } = compileSpec(input, counting);
  for (const unit of spec!.units) hashOnMachine(unit, null, spec!, counting);
  assert.equal(new Set(spec!.units.map((unit) => unit.files![0])).size, 1);
  assert.ok(hashed < 4 * 1024 * 1024, `${hashed} bytes`);
});

const refused: readonly (readonly [what: string, repository: Repository, expected: readonly string[]])[] = [
  [
    "a symbolic link and a submodule",
    {
      "units/web/web.service": service(),
      "units/web/files/a": { path: "units/web/files/a", kind: "symlink", oid: "", bytes: new Uint8Array() },
      "units/web/files/b": { path: "units/web/files/b", kind: "submodule", oid: "", bytes: new Uint8Array() },
    },
    ["units/web/files/a file-symlink a symlink", "units/web/files/b file-submodule a submodule"],
  ],
  [
    "names that no directive could name",
    { "units/web/web.service": service(), "units/web/files/a b": "x", "units/web/files/c:d": "x" },
    [
      'units/web/files/a b file-name the path "a b": a name may hold letters, digits and . _ @ + ~ -',
      'units/web/files/c:d file-name the path "c:d": a name may hold letters, digits and . _ @ + ~ -',
    ],
  ],
  [
    "names that differ in case only, and a file where another path has a folder",
    {
      "fleet.yaml": `${HEAD}paths: [base, prod]\n`,
      "base/web/web.service": service(`Environment=D=${ROOT}/%n`),
      "base/web/files/A.conf": "x",
      "base/web/files/a.conf": "x",
      "base/web/files/conf": "x",
      "prod/web/files/conf/x": "x",
    },
    [
      "base/web/files/a.conf file-clash a name that differs from base/web/files/A.conf in case only",
      "prod/web/files/conf/x file-clash a file in a folder, where base/web/files/conf is a file",
    ],
  ],
  [
    "what nobody has, with the nearest name",
    {
      "units/web/web.service": service(`EnvironmentFile=${ROOT}/%n/ap.env`, `X-A=${ROOT}/%n/../x`),
      "units/web/files/app.env": "",
    },
    [
      "units/web/files/app.env file-unread a file no unit reads",
      "units/web/web.service:3 file-unknown EnvironmentFile= names ap.env, and has no such file",
      "units/web/web.service:4 file-unknown X-A= names ../x, and has no such file",
    ],
  ],
  [
    "files of another unit",
    { "units/web/web.service": service(`EnvironmentFile=${ROOT}/db.service/db.env`, `X-A=${ROOT}`) },
    [
      `units/web/web.service:3 file-of-other-unit EnvironmentFile= names ${ROOT}/db.service/db.env, where this unit has no files`,
      `units/web/web.service:4 file-of-other-unit X-A= names ${ROOT}/, where this unit has no files`,
    ],
  ],
  [
    "a path relative to a quadlet, which podman looks for where fleet installs it",
    {
      "units/db/db.container": "[Container]\nImage=x:1\nVolume=./files/pg.conf:/etc/pg.conf\nEnvironmentFile=files/e\n",
      "units/db/files/pg.conf": "",
      "units/db/files/e": "",
    },
    [
      "units/db/db.container:3 file-relative Volume= names files/pg.conf by a relative path, which podman looks for beside the installed unit",
      "units/db/db.container:4 file-relative EnvironmentFile= names files/e by a relative path, which podman looks for beside the installed unit",
      "units/db/files/e file-unread a file no unit reads",
      "units/db/files/pg.conf file-unread a file no unit reads",
    ],
  ],
  [
    "what the manifest declares and nobody has, and what leads out of the repository",
    {
      "fleet.yaml": `${HEAD}units:\n  web.service:\n    files:\n      - { path: a }\n      - { path: b, from: shared/b }\n      - { path: c, from: ../c }\n`,
      "units/web/web.service": service(),
    },
    [
      "fleet.yaml:6 file-unknown a, which is not in the component's files/",
      "fleet.yaml:7 file-unknown shared/b, which is no file",
      "fleet.yaml:8 file-unknown ../c, which is no file",
      "fleet.yaml:8 path-outside-repository the path ../c, which leads out of the repository",
    ],
  ],
  [
    "more than one unit may have",
    {
      "units/web/web.service": service(`Environment=D=${ROOT}/%n`),
      ...Object.fromEntries(Array.from({ length: 257 }, (_, at) => [`units/web/files/f${at}`, "x"])),
    },
    ["units/web/web.service files-too-many 257 files of 257 bytes for web.service"],
  ],
];

for (const [what, repository, expected] of refused) {
  test(`refused, each with its place: ${what}`, () => assert.deepEqual(findings(repository), expected));
}

const entries: readonly (readonly [entry: string, wrong: string | null])[] = [
  ["{ path: a, mode: 0640 }", null],
  ['{ path: a, mode: "0755" }', null],
  ["{ path: a, mode: 1204 }", "1204"],
  ["{ path: a, mode: 640 }", "640"],
  ["{ path: a, mode: 0o640 }", "0o640"],
  ["{ path: a, mode: 4755 }", "4755"],
  ["{ path: a, mode: 0666 }", "0666"],
  ["{ path: a, mode: 0648 }", "0648"],
  ["{ path: a, owner: web-1, group: 0 }", null],
  ["{ path: a, owner: Web }", "Web"],
  ['{ path: a, owner: "" }', '""'],
  ["{ path: a, owner: 007 }", "007"],
  ["{ path: a, owner: ../x }", "../x"],
  ["{ path: ../a }", "../a"],
  ["{ path: /etc/passwd }", "/etc"],
  ["{ path: a//b }", "a//b"],
  ["{ path: ./a }", "./a"],
  ["{ path: a/.. }", "a/.."],
  ['{ path: "a\\0b" }', '"a'],
  ["{ path: a%i }", "a%i"],
  ["{ from: b }", "{ from"],
  ["{ path: a, moed: 0640 }", "moed"],
];

for (const [entry, wrong] of entries) {
  test(`a file declared as ${entry} is ${wrong === null ? "taken" : "refused, where it stands"}`, () => {
    const line = `    files: [${entry}]`;
    const { diagnostics } = compileRepository({
      "fleet.yaml": `${HEAD}units:\n  web.service:\n${line}\n`,
      "units/web/web.service": service(),
      "units/web/files/a": "x",
    });
    const errors = diagnostics.filter(({ severity }) => severity === "error");
    assert.deepEqual(
      errors.slice(0, 1).map(({ at }) => [at?.line, at?.column]),
      wrong === null ? [] : [[5, line.indexOf(wrong) + 1]],
    );
  });
}

/** Names in `files/`, in folders and beside them. */
const PATHS = ["a", "b.conf", "conf.d/a", "conf.d/b", "conf.d/deep/c", "run.sh"];
/** What a unit may name of them: one, a folder, all, none. */
const NAMED = [...PATHS, "conf.d", "conf.d/deep/", "", "conf.d/*"];

test("a unit's hash changes where something it reads does, and else it does not; a machine compiles the same of its own units", () => {
  const content = fc.tuple(fc.uint8Array({ maxLength: 4 }), fc.boolean());
  const change = fc.record({ path: fc.constantFrom(...PATHS), to: fc.option(content) });
  const made = fc.record({
    files: fc.dictionary(fc.constantFrom(...PATHS), content),
    named: fc.subarray(NAMED),
    declared: fc.subarray(PATHS),
    change,
  });
  fc.assert(
    fc.property(made, ({ files, named, declared, change: { path, to } }) => {
      const isThere = (name: string) => {
        const stem = name.replace(/[/*]+$/, "");
        return Object.keys(files).some((key) => stem === "" || key === stem || key.startsWith(`${stem}/`));
      };
      const after = { ...files };
      if (to === null) delete after[path];
      else after[path] = to;
      const [old, next] = [files, after].map((all) => placedOf(all, named.filter(isThere), declared.filter(isThere)));
      if (old === null || next === null || old === undefined || next === undefined) return;
      assert.deepEqual(old.inPart, old.files);
      const isOther = JSON.stringify(old.files) !== JSON.stringify(next.files);
      assert.equal(old.hash !== next.hash, isOther);
      if (isOther) assert.ok(old.names.includes(path) || next.names.includes(path));
    }),
  );
});

/** Null where the commit is refused: it names or declares what is not there. */
function placedOf(
  files: Readonly<Record<string, readonly [Uint8Array, boolean]>>,
  named: readonly string[],
  declared: readonly string[],
) {
  const entries = declared.map((path) => `{ path: ${path} }`).join(", ");
  const repository = {
    "fleet.yaml": `${HEAD}units: { web.service: { files: [${entries}] } }\n`,
    "units/web/web.service": service(...named.map((path) => `Environment=D=${ROOT}/%n/${path}`)),
    ...Object.fromEntries(
      Object.entries(files).map(([path, [bytes, isRun]]) => {
        const at = `units/web/files/${path}`;
        return [at, blob(at, [...bytes], isRun ? true : undefined)];
      }),
    ),
  };
  const { spec } = compileRepository(repository);
  const input = {
    manifestPath: "fleet.yaml",
    manifest: readManifest("fleet.yaml", repository["fleet.yaml"]).manifest!,
  };
  const all = filesOf(repository);
  const part = new CommitPart({ ...input, files: all.map((file) => ({ ...file, bytes: new Uint8Array() })) });
  const units = new Set(["web.service" as UnitName]);
  const needed = new Set(part.filesOf(units).map(({ path }) => path));
  const contents = new Map(all.filter(({ path }) => needed.has(path)).map(({ path, bytes }) => [path, bytes]));
  const compiledPart = part.compile(units, contents).spec;
  assert.equal(compiledPart === null, spec === null);
  if (spec === null || compiledPart === null) return null;
  const placed = unitOnMachine(one(spec, "web.service"), null, spec, sha256);
  const inPart = unitOnMachine(compiledPart.units[0]!, null, compiledPart, sha256);
  return { ...placed, inPart: inPart.files, names: names(spec, "web.service") };
}
