import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { prepareFleet, shell } from "./fleet-process.ts";
import { type SeatCluster, seatCluster } from "./seat-cluster.ts";

interface Manifest {
  readonly commands: Readonly<Record<string, { readonly hidden: boolean; readonly examples?: readonly string[] }>>;
}

/** Why the examples of a command cannot be run on the machine of whoever tests; each is parsed all the same. */
const NOT_HERE: Readonly<Record<string, string>> = {
  agent: "changes what this machine runs; test/e2e",
  dns: "runs until it is ended; test/contract",
  daemon: "runs until it is ended; test/e2e",
  engine: "runs until it is ended; test/e2e",
  join: "changes what this machine is; test/cli/join.test.ts",
  leave: "changes what this machine is; test/e2e/join.test.ts",
  "reboot-guard": "asks this machine; test/e2e/reboot.test.ts",
  "registry:import": "wants a second registry; test/cli/registry.test.ts",
  "registry:serve": "runs until it is ended; test/contract",
  "trust:rewind": "asks this machine's agent; test/e2e",
  ssh: "goes to another machine; test/cli/far-machines.test.ts",
  journal: "goes to another machine; test/cli/far-machines.test.ts",
};

/** How an example ends in that cluster, where it is not 0: it is asked for what is not there, and says so. */
const ENDS_WITH: Readonly<Record<string, number>> = {
  "fleet approve": 1,
  "fleet doctor": 1,
  "fleet import /etc/systemd/system --only 'app-*' --commit": 1,
  "fleet machine remove m3": 1,
  "fleet registry adopt": 1,
  "fleet rollout": 1,
  "fleet rollout abort --reason 'not on a Friday'": 1,
  "fleet rollout pause --reason lunch": 1,
  "fleet rollout resume": 1,
  "fleet secret encrypt db-password ./password": 1,
  "fleet secret rotate db-password": 1,
  "fleet trust init --key ~/.ssh/id_ed25519.pub": 1,
  "fleet sync now": 1,
  "fleet token revoke 3f2a9c11": 1,
  "fleet why db.service": 5,
};

/** Whoever commits. */
const IDENTITY = {
  ...{ GIT_AUTHOR_NAME: "seat", GIT_AUTHOR_EMAIL: "seat@example.org" },
  ...{ GIT_COMMITTER_NAME: "seat", GIT_COMMITTER_EMAIL: "seat@example.org" },
};

/** What an example needs to be there in the repository. */
const FILES: Readonly<Record<string, string>> = {
  "fleet.conf": 'registry="hub://nas.lan"\nsource="https://git.example/infra.git"\n',
  password: "correct horse\n",
  "web.service": "[Service]\nExecStart=/bin/sleep 1d\n",
};

describe("every command's help has an example that runs", { concurrency: false }, () => {
  let seat: SeatCluster;
  let commands: Manifest["commands"];

  before(async () => {
    await prepareFleet();
    seat = await seatCluster();
    const path = join(import.meta.dirname, "../../dist/oclif.manifest.json");
    commands = (JSON.parse(readFileSync(path, "utf8")) as Manifest).commands;
    const ignored = [...Object.keys(FILES), "shop*"].map((name) => `/${name}\n`).join("");
    const tests = "machines: 2\nexpect:\n  - placed: db.service\n";
    seat.repository.commit({
      ".gitignore": ignored,
      "units/web.service": FILES["web.service"]!,
      "tests/db.yaml": tests,
    });
    await shell("git tag start", { cwd: seat.repository.path });
    for (const [name, text] of Object.entries(FILES)) writeFileSync(join(seat.repository.path, name), text);
  });

  after(() => seat?.end());

  const shown = () => Object.entries(commands).filter(([, { hidden }]) => !hidden);

  test("each has one, of that command", () => {
    const without = shown().filter(([, { examples = [] }]) => examples.length === 0);
    assert.deepEqual(
      without.map(([id]) => id),
      [],
    );
    for (const [id, { examples = [] }] of shown())
      for (const example of examples) assert.ok(`${example} `.startsWith(`fleet ${id.replaceAll(":", " ")} `), example);
    for (const id of Object.keys(NOT_HERE)) assert.ok(commands[id] !== undefined, `there is no command ${id} any more`);
  });

  test("each ends as it should, with nothing that is ours to explain", async () => {
    const problems: string[] = [];
    const examples = shown()
      .filter(([id]) => NOT_HERE[id] === undefined && !id.startsWith("lab:"))
      // Each run costs a tenth of a second.
      .flatMap(([, { examples = [] }]) => examples.slice(0, 1));
    for (const example of Object.keys(ENDS_WITH)) assert.ok(examples.includes(example), `${example} is run by nobody`);
    for (const example of examples) {
      const script = `git reset -q --hard start && git clean -fdq && ${example.replace(/^fleet\b/, "$FLEET")}`;
      const env = { FLEET_CONF: "/nowhere/fleet.conf", ...IDENTITY };
      const { code, stdout, stderr } = await shell(script, {
        cwd: seat.repository.path,
        registry: seat.cluster.address,
        env,
      });
      const expected = ENDS_WITH[example] ?? 0;
      if (code !== expected)
        problems.push(`${example}: ended with ${code}, not ${expected}: ${stdout.slice(0, 300)}${stderr}`);
      if (/fleet is wrong|\[usage\]|^ +at /m.test(stderr)) problems.push(`${example}: ${stderr}`);
    }
    assert.deepEqual(problems, [], problems.join("\n"));
  });

  test("those that cannot run here are taken by their commands", async () => {
    for (const [id, { examples = [] }] of shown()) {
      if (NOT_HERE[id] === undefined && !id.startsWith("lab:")) continue;
      for (const example of examples) {
        const script = `${example.replace(/^fleet\b/, "$FLEET").split(" -- ")[0]} --nobody-has-this`;
        const { code, stderr } = await shell(script, { cwd: seat.repository.path });
        assert.match(stderr, /^error: Nonexistent flag: --nobody-has-this \[usage\]$/m, example);
        assert.notEqual(code, 0);
      }
    }
  });
});
