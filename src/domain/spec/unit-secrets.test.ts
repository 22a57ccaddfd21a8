import assert from "node:assert/strict";
import { test } from "node:test";
import { compileRepository, sha256, shownFindings } from "../../../test/compile-repository.ts";
import { sealedFile } from "../../../test/sealed-file.ts";
import type { ClusterSpec } from "./cluster-spec.ts";
import { filesOnMachine, hashOnMachine } from "./unit-on-machine.ts";

const HEAD = "apiVersion: fleet/v1\ncluster: prod\n";
const ROOT = "/run/fleet/secrets";

function compiled(files: Readonly<Record<string, string>>, manifest = HEAD) {
  return compileRepository({ "fleet.yaml": manifest, ...files });
}

function specOf(files: Readonly<Record<string, string>>, manifest = HEAD): ClusterSpec {
  const { spec, diagnostics } = compiled(files, manifest);
  assert.deepEqual(shownFindings(diagnostics), []);
  return spec!;
}

function service(...lines: readonly string[]): string {
  return `[Service]\nExecStart=/bin/true\n${lines.map((line) => `${line}\n`).join("")}`;
}

const secretsOf = (spec: ClusterSpec, unit: string) =>
  spec.units.find(({ name }) => name === unit)!.secrets?.map(({ name }) => name) ?? [];

const uses: readonly (readonly [what: string, line: string, expected: readonly string[]])[] = [
  ["nothing where nothing is named", "LoadCredential=db:/etc/db", []],
  ["by LoadCredential=", `LoadCredential=x:${ROOT}/%n/db`, ["db"]],
  ["by the unit's name written out", `LoadCredential=x:${ROOT}/web.service/db`, ["db"]],
  ["by systemd's own word for /run", "LoadCredential=x:%t/fleet/secrets/%n/db", ["db"]],
  ["by EnvironmentFile=, also where it may be missing", `EnvironmentFile=-${ROOT}/%n/db`, ["db"]],
  ["as an argument, and two of them", `ExecStartPost=/bin/cat --a=${ROOT}/%n/db ${ROOT}/%n/api.key`, ["api.key", "db"]],
  ["by a specifier of the name", `LoadCredential=x:${ROOT}/%p.service/db`, ["db"]],
  ["by a bind mount", `BindReadOnlyPaths=${ROOT}/%n/db:/etc/db`, ["db"]],
  ["not by what another path ends or begins with", `Environment=A=/srv${ROOT}/%n/db B=${ROOT}-old/x`, []],
];

for (const [what, line, expected] of uses) {
  test(`a unit names a secret: ${what}`, () => {
    const files = {
      "units/web.service": service(line),
      "units/secrets/db.age": sealedFile([]),
      "units/secrets/api.key.age": sealedFile([]),
    };
    const { spec, diagnostics } = compiled(files);
    assert.deepEqual(shownFindings(diagnostics.filter(({ code }) => code !== "secret-unused")), []);
    assert.deepEqual(secretsOf(spec!, "web.service"), expected);
  });
}

test("secrets of a component, of instances and of a machine's own drop-in are found", () => {
  const spec = specOf(
    {
      "units/app/web@.service": service(`LoadCredential=key:${ROOT}/%n/web-%i`),
      "units/app/secrets/web-blue.age": sealedFile([]),
      "units/secrets/web-green.age": sealedFile([]),
      "units/app/secrets/own.age": sealedFile([]),
      "machines/own.conf": `[Service]\nLoadCredential=own:${ROOT}/%n/own\n`,
    },
    `${HEAD}units: { web@.service: { instances: [blue, green] } }\nmachines: { nas: { dropins: { web@.service: [machines/own.conf] } } }\n`,
  );
  assert.deepEqual(secretsOf(spec, "web@blue.service"), ["own", "web-blue"]);
  assert.deepEqual(secretsOf(spec, "web@green.service"), ["own", "web-green"]);
});

test("a quadlet's secret lies in the folder of its service", () => {
  const spec = specOf({
    "units/db.container": `[Container]\nImage=docker.io/library/postgres:17\nVolume=${ROOT}/%n/db:/run/secrets/db:ro\n`,
    "units/secrets/db.age": sealedFile([]),
  });
  const [unit] = spec.units;
  assert.deepEqual(
    filesOnMachine(unit!, null, spec).map(({ path, delivery }) => [path, delivery?.mode, delivery?.encoding]),
    [
      [`${ROOT}/db.service/db`, "0600", "age"],
      ["db.container", undefined, undefined],
    ],
  );
});

test("what is in a secret's file counts in the hash of the units that use it, and of no others", () => {
  const files = (value: string) => ({
    "units/web.service": service(`LoadCredential=db:${ROOT}/%n/db`),
    "units/other.service": service(),
    "units/secrets/db.age": sealedFile([], { value }),
  });
  const [before, after] = [specOf(files("one")), specOf(files("two"))];
  const hash = (spec: ClusterSpec, unit: string) =>
    hashOnMachine(spec.units.find(({ name }) => name === unit)!, null, spec, sha256);
  assert.notEqual(hash(before, "web.service"), hash(after, "web.service"));
  assert.equal(hash(before, "other.service"), hash(after, "other.service"));
});

test("a secret is of the owner and mode that the manifest says, and root's alone where it says nothing", () => {
  const files = {
    "units/db.container": `[Container]\nImage=docker.io/library/postgres:17\nVolume=${ROOT}/%n/db:/run/secrets/db:ro\nVolume=${ROOT}/%n/tls:/run/secrets/tls:ro\n`,
    "units/secrets/db.age": sealedFile([]),
    "units/secrets/tls.age": sealedFile([]),
  };
  const settings = "{ secrets: [{ name: db, owner: 999, mode: 0400 }] }";
  const deliveries = (spec: ClusterSpec) =>
    filesOnMachine(spec.units[0]!, null, spec).flatMap(({ delivery }) =>
      delivery === undefined ? [] : [`${delivery.mode} ${delivery.owner}:${delivery.group}`],
    );
  const spec = specOf(files, `${HEAD}units: { db.container: ${settings} }\n`);
  assert.deepEqual(deliveries(spec), ["0400 999:root", "0600 root:root"]);
  assert.deepEqual(deliveries(specOf(files, `${HEAD}defaults: ${settings}\n`)), deliveries(spec));
  assert.notEqual(
    hashOnMachine(spec.units[0]!, null, spec, sha256),
    hashOnMachine(specOf(files).units[0]!, null, specOf(files), sha256),
  );
});

test("defaults are for the units that name the secret; of one unit's own an entry it does not name is refused", () => {
  const files = { "units/web.service": service() };
  const secrets = "{ secrets: [{ name: db, owner: web }] }";
  assert.deepEqual(shownFindings(compiled(files, `${HEAD}defaults: ${secrets}\n`).diagnostics), []);
  assert.deepEqual(shownFindings(compiled(files, `${HEAD}units: { web.service: ${secrets} }\n`).diagnostics), [
    "fleet.yaml:3 secret-unnamed db, which web.service does not name",
  ]);
});

test("a mode for others to read, or to execute, is refused", () => {
  for (const mode of ["0604", "0700", "0644", "1600", "600"]) {
    const { diagnostics } = compiled(
      { "units/web.service": service() },
      `${HEAD}units: { web.service: { secrets: [{ name: db, mode: "${mode}" }] } }\n`,
    );
    assert.deepEqual(
      diagnostics.map(({ code }) => code),
      ["manifest-value"],
      mode,
    );
  }
});

const refused: readonly (readonly [what: string, files: Readonly<Record<string, string>>, expected: string])[] = [
  [
    "one that is not in the commit",
    { "units/web.service": service(`LoadCredential=db:${ROOT}/%n/db`) },
    "units/web.service:3 secret-missing the secret db, of which the commit has no secrets/db.age",
  ],
  [
    "one of another unit",
    { "units/web.service": service(`LoadCredential=db:${ROOT}/db.service/db`) },
    `units/web.service:3 secret-path ${ROOT}/db.service/db, which is no secret of web.service`,
  ],
  [
    "all of them",
    { "units/web.service": service(`BindReadOnlyPaths=${ROOT}`) },
    `units/web.service:3 secret-path ${ROOT}, which is no secret of web.service`,
  ],
  [
    "a path that leads out",
    { "units/web.service": service(`EnvironmentFile=${ROOT}/%n/../db.service/db`) },
    `units/web.service:3 secret-path ${ROOT}/web.service/../db.service/db, which is no secret of web.service`,
  ],
  [
    "what only the machine knows",
    { "units/web.service": service(`LoadCredential=db:${ROOT}/%n/%H`) },
    `units/web.service:3 secret-path ${ROOT}/web.service/%H, which is no secret of web.service`,
  ],
  [
    "a value that nobody encrypted",
    { "units/web.service": service(`LoadCredential=db:${ROOT}/%n/db`), "units/secrets/db.age": "hunter2\n" },
    "units/secrets/db.age secret-format a file that is no armored age file",
  ],
  [
    "a name that would be no file's",
    { "units/web.service": service(), "units/secrets/a b.age": sealedFile([]) },
    'units/secrets/a b.age secret-name a secret called "a b", which is not 1 to 64 letters, digits, dots, _ and -, beginning with a letter or a digit',
  ],
  [
    "two of one name",
    {
      "units/web.service": service(`LoadCredential=db:${ROOT}/%n/db`),
      "units/secrets/db.age": sealedFile([]),
      "units/app/secrets/db.age": sealedFile([]),
    },
    "units/secrets/db.age duplicate-secret the secret db, which units/app/secrets/db.age is too",
  ],
  [
    "one as podman's own",
    {
      "units/db.container":
        "[Container]\nImage=docker.io/library/postgres:17\nSecret=db,type=mount\nSecret=of-the-host\n",
      "units/secrets/db.age": sealedFile([]),
    },
    "units/db.container:3 secret-of-podman Secret=db, which podman would look for in its own storage",
  ],
  [
    "one in a template that only travels",
    {
      "units/web.service": `[Unit]\nOnFailure=notify@%n.service\n${service()}`,
      "units/notify@.service": service(`LoadCredential=key:${ROOT}/%n/key`),
      "units/secrets/key.age": sealedFile([]),
    },
    "units/notify@.service:3 secret-unsupported a secret in notify@.service, of which fleet makes no instances",
  ],
];

for (const [what, files, expected] of refused) {
  test(`a commit is refused that names ${what}`, () => {
    const { spec, diagnostics } = compiled(files);
    assert.equal(spec, null);
    assert.deepEqual(shownFindings(diagnostics.filter(({ severity }) => severity === "error")), [expected]);
  });
}

test("a secret that no unit names is a warning, and the nearest name is proposed for one that is missing", () => {
  const { diagnostics } = compiled({
    "units/web.service": service(`LoadCredential=db:${ROOT}/%n/db-pasword`),
    "units/secrets/db-password.age": sealedFile([]),
  });
  assert.deepEqual(
    diagnostics.map(({ code, severity, next }) => [code, severity, next]),
    [
      ["secret-unused", "warning", `name ${ROOT}/%n/db-password in a unit, or remove the file`],
      ["secret-missing", "error", "did you mean db-password?"],
    ],
  );
});
