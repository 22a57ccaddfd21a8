import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { makeTestRepository, type TestRepository } from "../contract/git-repository.ts";
import { type FleetResult, fleet, prepareFleet } from "./fleet-process.ts";
import { PretendCluster } from "./pretend-cluster.ts";

const MANIFEST = "apiVersion: fleet/v1\ncluster: bad\n";
const SERVICE = "[Service]\nExecStart=/bin/true\n";

type Files = Readonly<Record<string, string>>;

/** What a commit holds, and the line that names the problem: its place, what was seen, its code. */
const COMMITS: readonly (readonly [sentence: string, files: Files, line: RegExp])[] = [
  [
    "a manifest that is no YAML",
    { "fleet.yaml": "apiVersion: fleet/v1\ncluster: [bad\n" },
    /^fleet\.yaml:3:1: error: not YAML: .* \[manifest-yaml\]$/m,
  ],
  [
    "an unknown key",
    { "fleet.yaml": `${MANIFEST}unitz: {}\n` },
    /^fleet\.yaml:3:1: error: the unknown key unitz \[manifest-unknown-key\]$/m,
  ],
  [
    "one key twice",
    { "fleet.yaml": `${MANIFEST}paths: [units]\npaths: [units]\n` },
    /^fleet\.yaml:4:1: error: the same key twice in one mapping \[manifest-yaml\]$/m,
  ],
  [
    "two files of one unit",
    { "units/x/twice.service": SERVICE, "units/y/twice.service": SERVICE },
    /^units\/y\/twice\.service: error: twice\.service, which units\/x\/twice\.service is too \[duplicate-unit\]$/m,
  ],
  [
    "a path that is not there",
    { "fleet.yaml": `${MANIFEST}paths: [units, nowhere]\n` },
    /^fleet\.yaml:3:16: error: no files under nowhere\/ \[path-missing\]$/m,
  ],
  [
    "a path that leads out of the repository",
    { "fleet.yaml": `${MANIFEST}paths: [../../etc]\n` },
    /^fleet\.yaml:3:9: error: the path \.\.\/\.\.\/etc, which leads out of the repository \[path-outside-repository\]$/m,
  ],
  [
    "a hundred million instances",
    { "units/web@.service": SERVICE, "fleet.yaml": `${MANIFEST}units:\n  web@.service:\n    instances: 100000000\n` },
    /^fleet\.yaml:5:16: error: instances: "100000000" \[manifest-value\]$/m,
  ],
  [
    "a file with a sticky bit",
    {
      "fleet.yaml": `${MANIFEST}units:\n  a.service: { files: [{ path: x, mode: 1204 }] }\n`,
      "units/a.service": SERVICE,
    },
    /^fleet\.yaml:4:41: error: mode: "1204" \[manifest-value\]$/m,
  ],
  [
    "a file that leads out of its unit's folder",
    {
      "fleet.yaml": `${MANIFEST}units:\n  a.service: { files: [{ path: ../../etc/x }] }\n`,
      "units/a.service": SERVICE,
    },
    /^fleet\.yaml:4:32: error: path: "\.\.\/\.\.\/etc\/x" \[manifest-value\]$/m,
  ],
  [
    "a unit file with a broken header",
    { "units/broken.service": "[Service\nExecStart=/bin/true\n" },
    /^units\/broken\.service:1:1: error: a malformed section header: .* \[unit-section-header\]$/m,
  ],
  [
    "an option of fleet that is misspelt",
    { "units/typo.service": `${SERVICE}\n[X-Fleet]\nMachineMetadat=a=b\n` },
    /^units\/typo\.service:5:1: error: the unknown option "MachineMetadat" in \[X-Fleet\] \[x-fleet-unknown-option\]$/m,
  ],
  [
    "characters that would steer a terminal",
    { "fleet.yaml": `${MANIFEST}"\\e[31mred": {}\n` },
    /^fleet\.yaml:3:1: error: the unknown key \\x1b\[31mred \[manifest-unknown-key\]$/m,
  ],
];

describe("bad input is told with a place and a next step, and changes nothing", { concurrency: false }, () => {
  let repository: TestRepository;
  let cluster: PretendCluster;

  before(async () => {
    await prepareFleet();
    cluster = await PretendCluster.start();
    await cluster.join("bad", "m1");
    repository = makeTestRepository();
  });

  after(async () => {
    await cluster?.stop();
    repository?.remove();
  });

  /** Runs it against the cluster and proves that the registry is as it was. */
  const run = async (...words: readonly string[]): Promise<FleetResult> => {
    const revision = await cluster.revision();
    const result = await fleet(words, { cwd: repository.path, registry: cluster.address });
    assert.equal(await cluster.revision(), revision, "something was written to the registry");
    return result;
  };

  for (const [sentence, files, line] of COMMITS) {
    test(sentence, async () => {
      rmSync(join(repository.path, "units"), { recursive: true, force: true });
      repository.commit({ "fleet.yaml": MANIFEST, "units/good.service": SERVICE, ...files });
      refused(await run("apply", "--auto-approve", "--detach"), line);
    });
  }

  test("plan and validate tell all findings of a commit at once, and as JSON the same ones", async () => {
    const files = Object.assign({}, ...COMMITS.slice(-3, -1).map(([, files]) => files));
    repository.commit({ "fleet.yaml": MANIFEST, ...files });
    for (const result of await Promise.all([run("validate"), run("plan")])) {
      for (const [, , line] of COMMITS.slice(-3, -1)) refused(result, line);
      assert.match(result.stderr, /^2 errors; nothing was changed$/m);
    }
    const { code, stdout } = await run("validate", "--json");
    const { valid, diagnostics } = JSON.parse(stdout) as { valid: boolean; diagnostics: { code: string }[] };
    assert.deepEqual(
      [code, valid, diagnostics.map((diagnostic) => diagnostic.code)],
      [1, false, ["unit-section-header", "x-fleet-unknown-option"]],
    );
  });

  describe("of a good commit", () => {
    before(() => {
      rmSync(join(repository.path, "units"), { recursive: true, force: true });
      repository.commit({ "fleet.yaml": MANIFEST, "units/good.service": SERVICE });
    });

    test("a unit that fits on no machine is refused with what each machine lacks", async () => {
      repository.commit({ "units/gpu.service": `${SERVICE}\n[X-Fleet]\nMachineMetadata=gpu=yes\n` });
      const planned = await run("plan");
      assert.equal(planned.code, 1);
      assert.match(planned.stdout, /^! gpu\.service fits on no machine\n +lacks gpu=yes .*: 1 machine \(m1\)$/m);
      const applied = await run("apply", "--auto-approve", "--detach");
      assert.equal(applied.code, 1);
      assert.match(
        applied.stderr,
        /^error: gpu\.service fit.* on no machine; nothing was changed \[unplaceable\]\n {2}next: /m,
      );
      repository.commit({ "units/gpu.service": null });
    });

    test("a registry that nobody serves", async () => {
      const line = /^error: .*etcd:\/\/127\.0\.0\.1:1.*ECONNREFUSED 127\.0\.0\.1:1 \[registry-unreachable\]$/m;
      const commands = [["plan"], ["apply", "--auto-approve"], ["status"]];
      const runs = commands.map((command) => run(...command, "--registry", "etcd://127.0.0.1:1"));
      for (const result of await Promise.all(runs)) refused(result, line);
    });

    test("a registry's address that is none", async () => {
      refused(
        await run("plan", "--registry", "redis://here"),
        /^error: "redis:\/\/here" .* \[registry-address-invalid\]$/m,
      );
    });

    test("no registry where one is needed", async () => {
      refused(await run("apply", "--registry", "none"), /^error: no registry is configured, .* \[no-registry\]$/m);
    });

    test("a remote that nobody serves", async () => {
      const result = await run("apply", "--auto-approve", "--detach", "--source", "http://127.0.0.1:1/x.git");
      assert.equal(result.code, 1);
      assert.match(result.stderr, /^error: .*127\.0\.0\.1:1\/x\.git.* \[source-unreachable\]$/m);
      readable(result);
    });

    test("a commit that does not exist", async () => {
      const line = /^error: there is no commit nosuch in this repository \[commit-unknown\]$/m;
      for (const command of ["plan", "validate"]) refused(await run(command, "--revision", "nosuch"), line);
      refused(await run("apply", "--auto-approve", "--revision", "nosuch"), line);
    });

    test("a manifest that is not in the commit", async () => {
      writeFileSync(join(repository.path, "uncommitted.yaml"), MANIFEST);
      const line = /^uncommitted\.yaml: error: no uncommitted\.yaml in the commit \[manifest-missing\]$/m;
      refused(await run("plan", "--manifest", "uncommitted.yaml"), line, /^the working tree has changes/);
      rmSync(join(repository.path, "uncommitted.yaml"));
    });

    test("a folder that is in no git repository", async () => {
      refused(await run("plan", "-C", "/proc"), /^error: \/proc is not in a git repository \[not-a-repository\]$/m);
    });

    test("a repository without a commit", async () => {
      const empty = makeTestRepository();
      refused(await run("plan", "-C", empty.path), /^error: there is no commit HEAD .* \[commit-unknown\]$/m);
      empty.remove();
    });

    test("a flag, a command or a duration nobody knows ends with 1, never with the 2 that means changes", async () => {
      refused(await run("plan", "--bogus"), /^error: Nonexistent flag: --bogus \[usage\]$/m);
      refused(await run("plam"), /^error: command plam not found \[usage\]$/m);
      refused(await run("show"), /^error: Missing 1 required arg: .* \[usage\]$/m);
      refused(await run("apply", "--timeout", "soon"), /^error: soon is not a duration \[bad-timeout\]$/m);
    });

    test("a plan file that is none, and one that is not there", async () => {
      const file = join(repository.path, ".git", "no-plan");
      writeFileSync(file, "{}");
      for (const command of ["show", "apply"]) {
        refused(await run(command, file), /^error: .*no-plan is not a plan this fleet can use: .* \[plan-refused\]$/m);
        refused(await run(command, `${file}2`), /^error: cannot read the plan file .* \[plan-unreadable\]$/m);
      }
    });
  });
});

/** Exit code 1, nothing on standard output, the line that names the problem, what to do, and no talk of our insides. */
function refused(result: FleetResult, line: RegExp, talk?: RegExp): void {
  assert.equal(result.stdout, "");
  assert.equal(result.code, 1);
  assert.match(result.stderr, line);
  if (talk !== undefined) assert.match(result.stderr, talk);
  readable(result);
}

function readable({ stderr }: FleetResult): void {
  assert.match(stderr, /^ {2}(next|expected): /m, stderr);
  assert.doesNotMatch(stderr, /^ +at |node:internal|fleet is wrong/m);
}
