import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { parse } from "yaml";
import { confOptions } from "../../src/codec/fleet-conf.ts";
import { type FleetResult, fleet, prepareFleet } from "./fleet-process.ts";

interface Shown {
  readonly valid: boolean;
  readonly options: readonly {
    readonly option: string;
    readonly value: string | null;
    readonly from: string;
    readonly line: number | null;
  }[];
  readonly problems: readonly {
    readonly line: number | null;
    readonly severity: string;
    readonly saw: string;
    readonly next: string;
  }[];
}

/** Files, and what is said of them: line, severity, what was seen, what to do. */
const FILES: readonly (readonly [sentence: string, text: string, problems: readonly string[]])[] = [
  ["what is as it should be", '# ours\nregistry="hub://nas.lan"\nmetadata="role=web,zone=a"\n\nagent_ttl = 30s\n', []],
  ["a misspelt option", 'regsitry="hub://nas.lan"\n', ["1 error the unknown option regsitry; did you mean registry?"]],
  [
    "an option nobody has",
    "\nfrobnicate=1\n",
    ["2 error the unknown option frobnicate; fleet config check lists what there is"],
  ],
  ["a line that says nothing", "[fleet]\n", ['1 error no assignment: [fleet]; write key="value", or # in front of it']],
  [
    "one option twice",
    'branch="a"\nbranch="b"\n',
    ["2 warning branch again, which line 1 has: the first counts; remove one"],
  ],
  [
    "old fleet's file",
    'etcd_servers=["http://127.0.0.1:2379"]\npublic_ip=""\nmetadata="region=us-west"\nagent_ttl="60s"\nverbosity=1\nauthorized_keys_file="~/keys"\n',
    [
      "5 warning verbosity, an option of old fleet's, has no meaning here; what is worth knowing is in the journal, by priority: journalctl -u fleet-agent -p debug",
      "6 warning authorized_keys_file, an option of old fleet's, has no meaning here; who may sign is in the manifest: trust: (docs/trust.md)",
    ],
  ],
  [
    "a duration that is none",
    "agent_ttl=soon\n",
    ["1 error agent_ttl soon, which is no duration; write one such as 30s or 2m"],
  ],
  ["metadata that is none", "metadata=web\n", ["1 error metadata web is not key=value; write it like role=db,zone=a"]],
  [
    "a registry of no kind",
    "registry=redis://x\n",
    ["1 error registry redis://x, which names no kind of registry; etcd://…, etcds://…, hub://… or unix:/…"],
  ],
  ["no mode of trust", "trust_mode=maybe\n", ["1 error trust_mode maybe; one of head, range, strict"]],
  ["neither yes nor no", "standalone=perhaps\n", ["1 error standalone perhaps; yes or no"]],
  [
    "no address to listen on",
    "listen=a b\n",
    ["1 error listen a b is no address to listen on; write host:port, as in 0.0.0.0:7440, [::]:7440 or :7440"],
  ],
  [
    "a password, which is not shown",
    "registry=http://me:secret@x\n",
    ["1 error registry http://me:***@x, which names no kind of registry; etcd://…, etcds://…, hub://… or unix:/…"],
  ],
];

describe("fleet config", { concurrency: 2 }, () => {
  let folder: string;
  before(async () => {
    await prepareFleet();
    folder = mkdtempSync(join(tmpdir(), "fleet-config-"));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const written = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  const run = (words: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<FleetResult> =>
    fleet(words, { cwd: folder, env: { FLEET_CONF: "/nowhere/fleet.conf", ...env } });

  for (const [index, [sentence, text, problems]] of FILES.entries()) {
    test(`check tells of ${sentence}`, async () => {
      const { code, stdout } = await run(["config", "check", "--json", written(`${index}.conf`, text)]);
      const shown = JSON.parse(stdout) as Shown;
      assert.deepEqual(
        shown.problems.map(({ line, severity, saw, next }) => `${line} ${severity} ${saw}; ${next}`),
        problems,
      );
      const isBad = shown.problems.some(({ severity }) => severity === "error");
      assert.deepEqual([code, shown.valid], [isBad ? 1 : 0, !isBad]);
    });
  }

  test("check says of every option where its value is from", async () => {
    const path = written("origin.conf", 'branch="file"\ngrace="10s"\nsource="https://me:secret@git.example/x.git"\n');
    const { code, stdout, stderr } = await run(["config", "check", "--agent-ttl", "45s"], {
      FLEET_CONF: path,
      FLEET_GRACE: "20s",
    });
    assert.deepEqual([code, stderr], [0, ""]);
    for (const line of [
      /^OPTION +VALUE +FROM$/m,
      /^agent_ttl +45s +flag$/m,
      /^grace +20s +FLEET_GRACE$/m,
      new RegExp(`^branch +file +${path}:1$`, "m"),
      /^source +https:\/\/me:\*\*\*@git\.example\/x\.git /m,
      /^manifest +fleet\.yaml +default$/m,
      /^name +- +default$/m,
    ])
      assert.match(stdout, line);
  });

  test("check tells of a variable that is wrong, and of a file that is not there", async () => {
    const wrong = await run(["config", "check"], { FLEET_POLL: "often" });
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /^error: environment: poll often, which is no duration$/m);
    const missing = await run(["config", "check", "nowhere.conf"]);
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /cannot read nowhere\.conf \[conf-unreadable\]/);
  });

  test("a daemon does not start with an option nobody has", async () => {
    const { code, stderr } = await run(["agent"], { FLEET_CONF: written("daemon.conf", "regsitry=x\n") });
    assert.equal(code, 1);
    assert.match(
      stderr,
      /daemon\.conf: line 1: the unknown option regsitry \[conf-refused\]\n {2}next: did you mean registry\?/,
    );
  });

  const TOLD = ["--registry", "hub://nas.lan", "--source", "https://git.example/x.git", "--metadata", "role=web"];

  test("cloud-init: a cloud-config that writes fleet.conf and enables what this machine runs", async () => {
    const { code, stdout, stderr } = await run(["config", "cloud-init", ...TOLD], {
      FLEET_BRANCH: "not-this-machines",
    });
    assert.deepEqual([code, stderr], [0, ""]);
    assert.ok(stdout.startsWith("#cloud-config\n"));
    const { write_files, runcmd } = parse(stdout) as {
      write_files: { path: string; permissions: string; content: string }[];
      runcmd: unknown;
    };
    assert.deepEqual(
      write_files.map(({ path, permissions }) => [path, permissions]),
      [["/etc/fleet/fleet.conf", "0644"]],
    );
    assert.deepEqual(Object.fromEntries(confOptions(write_files[0]!.content)), {
      metadata: "role=web",
      registry: "hub://nas.lan",
      source: "https://git.example/x.git",
    });
    assert.deepEqual(runcmd, [["systemctl", "enable", "--now", "fleet-agent.service", "fleet-restore.service"]]);
  });

  test("cloud-init: joining by a token needs no service named, and says that it is a secret", async () => {
    const words = ["config", "cloud-init", "--join", "nas.lan", "--token", "t-1", "--engine-key", "ed25519:abc"];
    const { code, stdout, stderr } = await run(words);
    assert.equal(code, 0);
    assert.match(stderr, /it holds a token/);
    assert.deepEqual(parse(stdout), {
      runcmd: [["fleet", "join", "nas.lan", "--token", "t-1", "--engine-key", "ed25519:abc"]],
    });
  });

  test("ignition: version 3.4.0, with the same file and services", async () => {
    const conf = written("ignition.conf", 'source="https://git.example/x.git"\nlisten=":7440"\n');
    const { code, stdout } = await run(["config", "ignition", "--conf", conf]);
    assert.equal(code, 0);
    const { ignition, storage, systemd } = JSON.parse(stdout);
    assert.deepEqual(ignition, { version: "3.4.0" });
    const [file] = storage.files as { path: string; mode: number; overwrite: boolean; contents: { source: string } }[];
    assert.deepEqual([file!.path, file!.mode, file!.overwrite], ["/etc/fleet/fleet.conf", 0o644, true]);
    const written_ = Buffer.from(file!.contents.source.replace(/^data:;base64,/, ""), "base64").toString();
    assert.deepEqual(Object.fromEntries(confOptions(written_)), {
      listen: ":7440",
      source: "https://git.example/x.git",
    });
    assert.deepEqual(
      systemd.units,
      ["fleet-registry", "fleet-engine", "fleet-agent", "fleet-restore"].map((name) => ({
        name: `${name}.service`,
        enabled: true,
      })),
    );
    const shipped = (name: string) => readFileSync(join(import.meta.dirname, "../../packaging/systemd", name), "utf8");
    for (const { name } of systemd.units) assert.match(shipped(name), /^\[Install\]$/m);
  });

  test("ignition: joining is a unit that runs once", async () => {
    const { stdout } = await run(["config", "ignition", "--join", "nas.lan", "--token", "a%b$c"]);
    const [unit] = JSON.parse(stdout).systemd.units as { name: string; enabled: boolean; contents: string }[];
    assert.deepEqual([unit!.name, unit!.enabled], ["fleet-first-join.service", true]);
    assert.match(unit!.contents, /^ExecStart=\/usr\/bin\/env "fleet" "join" "nas\.lan" "--token" "a%%b\$\$c"$/m);
    assert.match(unit!.contents, /^ConditionPathExists=!/m);
  });

  test("neither is made of nothing, of what a daemon would refuse, or of a question nobody answers", async () => {
    for (const [words, said] of [
      [["config", "ignition"], /nothing-said/],
      [
        ["config", "cloud-init", "--agent-ttl", "soon"],
        /flag: agent_ttl soon, which is no duration[\s\S]*conf-refused/,
      ],
      [["config", "cloud-init", "--join", "nas.lan"], /nobody can be asked at a first boot[\s\S]*next: --token/],
      [["config", "cloud-init", "--branch", 'a"b'], /branch cannot be written/],
    ] as const) {
      const { code, stdout, stderr } = await run(words);
      assert.deepEqual([code, stdout], [1, ""]);
      assert.match(stderr, said);
    }
  });
});
