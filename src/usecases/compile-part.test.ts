import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { MemoryGitSource, MemoryRepository } from "../adapters/memory/memory-git-source.ts";
import { sha256 } from "../adapters/sha256.ts";
import type { CommitId, UnitHash, UnitName } from "../domain/names.ts";
import type { ClusterSpec, SpecUnit } from "../domain/spec/cluster-spec.ts";
import { unitOnMachine } from "../domain/spec/unit-on-machine.ts";
import type { CommitCompiler } from "./commit-compiler.ts";
import { commitCompiler } from "./compile-commit.ts";
import { partCompiler } from "./compile-part.ts";

const EXAMPLES = fileURLToPath(new URL("../../examples/", import.meta.url));

/** Everything by which a file can come to belong to a unit. */
const RICH = {
  "fleet.yaml": `apiVersion: fleet/v1
cluster: prod
defaults: { environment: { WHERE: here } }
units:
  web@.service: { instances: 3, environment: { VERSION: "1" } }
  web@2.service: { drift: detect, adopt: true }
  db.service: { confirm: 30s, onDisconnect: stop-after=10s }
  idle.service: { state: inactive }
machines:
  m1: { id: ${"1".repeat(32)}, dropins: { db.service: [overlays/10-disk.conf] } }
  m2: { id: ${"2".repeat(32)}, drain: true }
`,
  "overlays/10-disk.conf": "[Service]\nEnvironment=DISK=fast\n",
  "units/web@.service": "[Unit]\nAfter=db.service\nOnFailure=notify@%n.service\n[Service]\nExecStart=/bin/web %i\n",
  "units/web@.service.d/10-all.conf": "[Service]\nNice=5\n",
  "units/web@2.service.d/10-all.conf": "[Service]\nNice=7\n",
  "units/service.d/50-every.conf": "[Service]\nRestart=always\nRestartSec=5\n",
  "units/app-.service.d/20-apps.conf": "[Service]\nUMask=0077\n",
  "units/app-one.service": "[Unit]\nBefore=idle.service\n[Service]\nExecStart=/bin/one\n",
  "units/db.service": "[Service]\nExecStart=/bin/db\nTimeoutStopSec=2\n",
  "units/idle.service": "[Service]\nExecStart=/bin/idle\n",
  "units/notify@.service": "[Unit]\nOnFailure=page@%n.service\n[Service]\nType=oneshot\nExecStart=/bin/notify %i\n",
  "units/notify@.service.d/10-x.conf": "[Service]\nNice=1\n",
  "units/page@.service": "[Service]\nType=oneshot\nExecStart=/bin/page %i\n",
  "units/chat.socket": "[Socket]\nListenStream=9000\nAccept=yes\n",
  "units/chat@.service": "[Service]\nExecStart=/bin/chat\n",
  "units/everywhere.service": "[Service]\nExecStart=/bin/everywhere\n[X-Fleet]\nGlobal=true\n",
  "units/never/read.service": "[Service]\nExecStart=/bin/read\n",
};

const filesIn = (folder: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .map((path) => join(folder, path))
      .filter((path) => statSync(path).isFile())
      .map((path) => [relative(folder, path), readFileSync(path, "utf8")]),
  );

const REPOSITORIES: readonly (readonly [string, Record<string, string>])[] = [
  ["one in which files belong to units in every way", RICH],
  ...readdirSync(EXAMPLES)
    .filter((name) => existsSync(join(EXAMPLES, name, "fleet.yaml")))
    .map((name): [string, Record<string, string>] => [`the example ${name}`, filesIn(join(EXAMPLES, name))]),
];

function world(files: Record<string, string>) {
  const repository = new MemoryRepository();
  const source = new MemoryGitSource(repository, "main");
  const read: string[] = [];
  const counted = {
    listFiles: (commit: CommitId, folders: readonly string[]) => source.listFiles(commit, folders),
    readBlob: (oid: string, maxBytes: number) => {
      read.push(oid);
      return source.readBlob(oid, maxBytes);
    },
  };
  return {
    push: (more: Record<string, string> = {}) => repository.push("main", { ...files, ...more }),
    source,
    read,
    whole: commitCompiler({ source, manifestPath: "fleet.yaml", sha256 }),
    part: partCompiler({ source: counted, manifestPath: "fleet.yaml" }),
  };
}

async function compiled(whole: CommitCompiler, commit: CommitId): Promise<ClusterSpec> {
  const { spec, diagnostics } = await whole(commit);
  return spec ?? assert.fail(JSON.stringify(diagnostics));
}

/** But for what only others' files say of it. */
const alone = ({ group: _group, goal, after: _after, ...unit }: SpecUnit) => ({ ...unit, isOff: goal === "inactive" });

describe("some units of a commit", () => {
  for (const [says, files] of REPOSITORIES) {
    test(`are what they are in the whole: ${says}`, async () => {
      const { push, whole, part } = world(files);
      const commit = push();
      const { units, cluster, machines, admit, loss } = await compiled(whole, commit);
      assert.ok(units.length > 0);
      const every = units.map(({ name }) => name);
      for (const names of [...every.map((name) => [name]), every, []]) {
        const { spec } = await part(commit, new Set(names));
        assert.deepEqual({ ...spec, units: [] }, { units: [], cluster, machines, admit, loss });
        const wanted = units.filter(({ name }) => names.includes(name));
        assert.deepEqual(spec?.units.map(alone), wanted.map(alone));
        for (const [at, unit] of wanted.entries()) {
          for (const machine of [null, ...machines.map(({ key }) => key)]) {
            const hashOf = (one: SpecUnit): UnitHash => unitOnMachine(one, machine, { machines }, sha256).hash;
            assert.equal(hashOf(spec!.units[at]!), hashOf(unit), `${unit.name} on ${machine}`);
          }
        }
      }
    });

    test(`start in the order of the whole where all of them are there: ${says}`, async () => {
      const { push, whole, part } = world(files);
      const commit = push();
      const { units } = await compiled(whole, commit);
      const { spec } = await part(commit, new Set(units.map(({ name }) => name)));
      const orders = [spec?.units, units].map((ofOne) => ofOne?.map(({ name, after }) => [name, after]));
      assert.deepEqual(orders[0], orders[1]);
    });
  }

  test("start after what they name, also where that is not among them", async () => {
    const { push, part } = world(RICH);
    const { spec } = await part(push(), new Set(["web@1.service" as UnitName]));
    assert.deepEqual(spec?.units[0]?.after, ["db.service"]);
  });

  test("cost the reading of their own files, and of the next commit what is new in those", async () => {
    const many = Object.fromEntries(
      Array.from({ length: 500 }, (_, index) => [`units/other-${index}.service`, "[Service]\nExecStart=/bin/other\n"]),
    );
    const { push, part, read } = world({ ...RICH, ...many });
    const units = new Set(["db.service" as UnitName]);
    await part(push(), units);
    // The manifest, db, its two drop-ins, three templates and one drop-in of theirs.
    assert.equal(new Set(read).size, 8);
    read.length = 0;
    await part(push({ "units/other-7.service": "[Service]\nExecStart=/bin/changed\n" }), units);
    assert.deepEqual(read, []);
    const changed = { "units/db.service": "[Service]\nExecStart=/bin/db --new\n" };
    const { spec } = await part(push(changed), units);
    assert.equal(read.length, 1);
    assert.equal(spec?.units[0]?.fragment.text, changed["units/db.service"]);
  });

  test("change with the names in the commit, though their own files stay", async () => {
    const { push, part } = world({
      ...RICH,
      "units/early.service": "[Unit]\nAfter=late.service\n[Service]\nExecStart=/bin/e\n",
    });
    const units = new Set(["early.service" as UnitName]);
    const afterOf = async (more: Record<string, string>) => (await part(push(more), units)).spec?.units[0]?.after;
    assert.deepEqual(await afterOf({}), []);
    assert.deepEqual(await afterOf({ "units/late.service": "[Service]\nExecStart=/bin/l\n" }), ["late.service"]);
    assert.deepEqual(await afterOf({}), []);
  });

  test("that the commit does not know are left out", async () => {
    const { push, part } = world(RICH);
    const { spec } = await part(push(), new Set(["gone.service" as UnitName, "web@.service" as UnitName]));
    assert.deepEqual(spec?.units, []);
  });

  const broken: readonly (readonly [string, Record<string, string>, string])[] = [
    [
      "the manifest names a unit there is not",
      { "fleet.yaml": `${RICH["fleet.yaml"]}`.replace("idle.", "idel.") },
      "unit-unknown",
    ],
    [
      "a machine's drop-in is missing",
      { "fleet.yaml": `${RICH["fleet.yaml"]}`.replace("10-disk", "11-disk") },
      "dropin-missing",
    ],
    ["one of them is empty", { "units/db.service": "" }, "unit-empty"],
    ["one of them is too large", { "units/db.service": `#${"x".repeat(2 * 1024 * 1024)}` }, "file-too-large"],
  ];
  for (const [says, more, code] of broken) {
    test(`are none where the commit cannot be gone by: ${says}`, async () => {
      const { push, part } = world(RICH);
      const { spec, diagnostics } = await part(push(more), new Set(["db.service" as UnitName]));
      assert.equal(spec, null);
      assert.ok(
        diagnostics.some((one) => one.code === code),
        JSON.stringify(diagnostics),
      );
    });
  }

  test("are read again once a source that was away is back", async () => {
    const { push, part, source } = world(RICH);
    const commit = push();
    source.down = true;
    await assert.rejects(part(commit, new Set()), { code: "source-unreachable" });
    source.down = false;
    assert.equal((await part(commit, new Set())).spec?.cluster, "prod");
  });
});
