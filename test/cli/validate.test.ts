import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { makeTestRepository, type TestRepository } from "../contract/git-repository.ts";
import { fleet, prepareFleet } from "./fleet-process.ts";

const MANIFEST = "apiVersion: fleet/v1\ncluster: check\n";
const SERVICE = "[Service]\nExecStart=/bin/true\n";

/** In no name of a variable or flag, so that it is found nowhere but as a value. */
const CANARY = "xcanaryx";
/** Each place a unit or a manifest can hold a secret in, beside findings that point near it. */
const SECRETS = {
  "fleet.yaml": [
    "apiVersion: fleet/v1",
    "cluster: check",
    "units:",
    "  web.service:",
    `    environment: { API_TOKEN: ${CANARY}1, "DB_PASSWORD": "${CANARY} 2" }`,
    "    stat: launched",
    "  db.service:",
    "    environment:",
    `      DB_PASSWORD: |`,
    `        ${CANARY}3`,
    `      CLIENT_SECRET: [${CANARY}4]`,
    "",
  ].join("\n"),
  "units/web.service": [
    "[Service]",
    `Environment=API_KEY=${CANARY}5 "DB_PASSWORD=${CANARY} 6" URL=https://me:${CANARY}7@host/x`,
    "Environment=A=b \\",
    `  AUTH_TOKEN=${CANARY}8`,
    `"DB_PASSWORD=${CANARY}9" and no assignment`,
    `# PASSWORD=${CANARY}10`,
    `ExecStart=/bin/web --password ${CANARY}11 --token=${CANARY}12 > /dev/null`,
    `SetCredential=anything:${CANARY}13`,
    `Evironment=API_KEY=${CANARY}14`,
    `--password ${CANARY}15 is what a broken continuation leaves`,
    "",
  ].join("\n"),
  "units/db.service": `${SERVICE}BadKey=PASSWORD=${CANARY}16\n[X-Fleet]\nMachineMetadat=SECRET_KEY=${CANARY}17\n`,
};

describe("fleet validate", () => {
  const repositories: TestRepository[] = [];
  let repository: TestRepository;

  before(prepareFleet);
  after(() => {
    for (const one of repositories) one.remove();
  });

  /** A repository of these files and nothing else. */
  const commit = (files: Readonly<Record<string, string>>) => {
    repository = makeTestRepository();
    repositories.push(repository);
    repository.commit({ "fleet.yaml": MANIFEST, ...files });
  };
  const validate = (...words: string[]) => fleet(["validate", ...words], { cwd: repository.path });

  test("0 where nothing is an error, with the warnings on standard error", async () => {
    commit({ "units/a.service": `[Unit]\nBindTo=b.service\n${SERVICE}` });
    const { code, stdout, stderr } = await validate();
    assert.equal(code, 0);
    assert.match(stdout, /^check: 1 unit in 1 group is valid at [0-9a-f]{7}; 1 warning\n$/);
    assert.match(
      stderr,
      /^units\/a\.service:2:1: warning: BindTo=.*\n {4}BindTo=b\.service\n {4}\^\n {2}next: did you mean/m,
    );
  });

  test("1 for findings, all of them in one run", async () => {
    commit({ "units/a.service": "[Service]\n", "units/b.service": "[Service\n", "units/c.service": `${SERVICE}x\n` });
    const { code, stdout, stderr } = await validate();
    assert.equal(code, 1);
    assert.equal(stdout, "");
    assert.match(stderr, /a\.service:1:1: error: .*\n[\s\S]*b\.service:1:1: error: .*\n[\s\S]*c\.service:3:1: error: /);
    assert.match(stderr, /^3 errors; nothing was changed$/m);
  });

  test("2 for a wrong flag, which is no finding", async () => {
    commit({});
    const { code, stderr } = await validate("--strict");
    assert.equal(code, 2);
    assert.match(stderr, /^error: Nonexistent flag: --strict \[usage\]$/m);
  });

  test("the manifest makes a finding an error, and a rule silent", async () => {
    commit({
      "fleet.yaml": `${MANIFEST}lint: { unit-old-spelling: error, unit-refused: off }\n`,
      "units/a.service": "[Unit]\nBindTo=b.service\n[Service]\n",
    });
    const { code, stderr } = await validate();
    assert.equal(code, 1);
    assert.match(stderr, /error: BindTo=/);
    assert.doesNotMatch(stderr, /unit-refused/);
  });

  test("JSON has the same content, absent parts as null", async () => {
    commit({ "units/a.service": "[Service]\nRestrat=no\nExecStart=/bin/true\n" });
    const { code, stdout, stderr } = await validate("--json");
    assert.equal(code, 0);
    assert.equal(stderr, "");
    const { commit: id, ...rest } = JSON.parse(stdout);
    assert.match(id, /^[0-9a-f]{40}$/);
    assert.deepEqual(rest, {
      valid: true,
      cluster: "check",
      units: 1,
      groups: 1,
      diagnostics: [
        {
          code: "directive-unknown",
          severity: "warning",
          path: "units/a.service",
          line: 2,
          column: 1,
          saw: "the unknown directive Restrat= in [Service]",
          expected: null,
          next: "did you mean Restart=?",
          excerpt: { text: "Restrat=no", column: 1 },
          at: { path: "units/a.service", line: 2, column: 1 },
        },
      ],
    });
  });

  test("edits that no commit holds are mentioned, and seen with --worktree", async () => {
    commit({ "units/a.service": SERVICE });
    writeFileSync(join(repository.path, "units/a.service"), "[Service]\n");
    const head = await validate();
    assert.equal(head.code, 0);
    assert.match(head.stderr, /--worktree/);
    assert.equal((await validate("--worktree")).code, 1);
  });

  test("a secret in any place is in no output", async () => {
    commit(SECRETS);
    for (const words of [["validate"], ["validate", "--json"], ["plan"], ["plan", "--json"]]) {
      const { code, stdout, stderr } = await fleet(words, { cwd: repository.path });
      assert.equal(code, 1, words.join(" "));
      assert.match(stdout + stderr, /secret-in-environment|manifest-unknown-key/);
      assert.doesNotMatch(stdout + stderr, new RegExp(CANARY), words.join(" "));
    }
  });
});
