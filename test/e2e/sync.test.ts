import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { needLab } from "../../src/lab/lab-state.ts";
import { sshSigner } from "../ssh-signer.ts";
import { ClusterOnLab } from "./cluster-on-lab.ts";
import { ForgeOnLab, type Told } from "./forge-on-lab.ts";
import { eventually, LAB_NAME, labSkipReason } from "./lab-name.ts";
import { SignedBranch } from "./signed-branch.ts";

const MACHINES = ["m1", "m2", "m3", "m4"];
const SERVICE = "[Service]\nExecStart=/bin/sleep infinity\n";
const EVERYWHERE = `${SERVICE}[X-Fleet]\nGlobal=true\n`;
const FIRST = ["a", "b", "c", "d", "e", "f"].map((name) => `units/${name}.service`);
const [ann, bob] = [sshSigner("ann"), sshSigner("bob")];

describe("four machines whose engines follow the branch over HTTP", {
  skip: labSkipReason(),
  concurrency: false,
}, () => {
  let cluster: ClusterOnLab;
  let forge: ForgeOnLab;
  let branch: SignedBranch;
  /** A commit one of whose units fails, and goes on failing under those that come after it. */
  let broken: string;

  const manifest = (more = "") => `apiVersion: fleet/v1
cluster: hello
admit: any
release: { by: sync }
sync: { interval: 2s }
notify: [{ on: [failed, held], webhook: "${forge.webhook}" }]
status: { forge: github, tokenFile: /etc/fleet/forge-token }
defaults: { rollout: { minHealthyTime: 500ms } }
${more}`;

  before(async () => {
    cluster = await ClusterOnLab.up("hello", MACHINES.length);
    forge = await ForgeOnLab.up(cluster, MACHINES);
    branch = new SignedBranch(cluster.repository, "main");
    branch.git(["config", "user.name", "ann"]);
    branch.git(["config", "user.email", "ann@localhost"]);
    const old = branch.git(["ls-files", "units"]).split("\n");
    await cluster.commit("the engine follows", {
      ...Object.fromEntries(old.map((path) => [path, null])),
      ...Object.fromEntries(FIRST.map((path) => [path, SERVICE])),
      "fleet.yaml": manifest(),
    });
    const { hostAddress } = needLab(LAB_NAME);
    // The first of them is asked, the second is whose statuses they are.
    const source = `http://${hostAddress}:8418/repo.git,https://github.com/ann/infra.git`;
    const words = ["--auto-approve", "--allow-deletes", "--timeout", "60s", "--source", source];
    const { code, stderr } = await cluster.fleet("apply", ...words);
    assert.equal(code, 0, stderr);
  });

  afterEach(async (context) => {
    if (!(context as { passed?: boolean }).passed) console.error(await cluster.report());
  });

  after(async () => {
    forge?.down();
    await cluster?.down();
  });

  const rows = async () => (await cluster.status()).units;
  const active = async () => (await rows()).filter(({ active }) => active === "active").map(({ unit }) => unit);
  const invocations = async () =>
    (await rows()).map(({ unit, machineName, invocation }) => `${unit} ${machineName} ${invocation}`).sort();
  const isReleased = (commit: string) =>
    eventually(`${commit} is released`, async () => (await cluster.status()).release?.commit === commit);
  const look = async () => {
    const { stdout, stderr } = await cluster.fleet("sync", "now");
    return stdout + stderr;
  };

  test("a commit is pushed, and runs, with nobody typing", async () => {
    const commit = await cluster.commit("one more", { "units/g.service": SERVICE });
    await eventually("the pushed unit runs", async () => (await active()).includes("g.service"));
    const { release } = await cluster.status();
    assert.deepEqual([release?.seq, release?.commit], [2, commit]);
  });

  test("what an agent fetches is taken apart by a process that is not root, can do nothing", async () => {
    const log = await cluster.inside("m1", "journalctl", "-q", "-o", "cat", "-u", "fleet-agent");
    const [, pid, user] = /fetching in process (\d+), as (\S+),/.exec(log)!;
    const status = await cluster.inside("m1", "cat", `/proc/${pid}/status`);
    assert.equal(user, "fleet-fetch");
    assert.match(status, /^Uid:\t([1-9]\d*)\t\1\t\1\t\1$/m);
    assert.match(status, /^Gid:\t([1-9]\d*)\t\1\t\1\t\1$/m);
    assert.match(status, /^Groups:\t *$/m);
    for (const set of ["CapInh", "CapPrm", "CapEff", "CapAmb"]) assert.match(status, new RegExp(`^${set}:\t0+$`, "m"));
    assert.match(status, /^NoNewPrivs:\t1$/m);
  });

  test("one that stops most units is held and said, and goes once it is approved; what stays is not restarted", async () => {
    const kept = async () =>
      (await rows()).filter(({ unit }) => ["e.service", "f.service", "g.service"].includes(unit));
    const before = (await kept()).map(({ invocation }) => invocation);
    const commit = await cluster.commit("fewer", Object.fromEntries(FIRST.slice(0, 4).map((path) => [path, null])));
    await eventually("the status says what is held", async () =>
      (await cluster.ask("status")).stdout.includes(`commit ${commit.slice(0, 7)} is held`),
    );
    assert.match((await cluster.ask("status")).stdout, /it stops 4 of 7 units; fleet approve shows it and asks/);
    assert.equal((await active()).length, 7);
    const approved = await cluster.fleet("approve", "--auto-approve", "--allow-deletes", "--remote", ".");
    assert.equal(approved.code, 0, approved.stderr);
    assert.match(await look(), /^(release 3: commit|nothing new)/);
    await eventually("four units are gone", async () => (await active()).length === 3);
    assert.equal((await cluster.status()).release?.commit, commit);
    assert.deepEqual(
      (await kept()).map(({ invocation }) => invocation),
      before,
    );
  });

  test("one whose unit fails is a failure at the forge", async () => {
    const failing = "[Service]\nType=oneshot\nExecStart=/bin/false\n";
    broken = await cluster.commit("it fails", { "units/bad.service": failing });
    await eventually("the forge shows it", async () => postedOf(broken).at(-1) === "failure");
  });

  const postedOf = (commit: string) =>
    forge.statuses.filter(({ path }) => path === `/repos/ann/infra/statuses/${commit}`).map(({ state }) => state);

  test("from the commit on that switches it on, what runs is signed; a signer is replaced, and may no more", async () => {
    const trusting = manifest("trust: { mode: range, signers: trust/allowed_signers }\n");
    await isReleased(branch.push("signed", { "fleet.yaml": trusting, "trust/allowed_signers": `${ann.line}\n` }, ann));
    await isReleased(branch.push("bob for ann", { "trust/allowed_signers": `${bob.line}\n` }, ann));
    const good = branch.push("by bob", { "units/h.service": EVERYWHERE }, bob);
    await isReleased(good);
    const refused = branch.push("by ann", { "units/h.service": SERVICE }, ann);
    assert.match(await look(), /is held: untrusted: .* may not sign/);
    await eventually("why says that it is held", async () =>
      (await cluster.fleet("why", "h.service")).stdout.includes(`commit ${refused.slice(0, 7)} is held`),
    );
    branch.set(good);
    assert.match(await look(), /nothing new/);
    assert.match((await cluster.fleet("blame", "h.service")).stdout, /bob/);
  });

  test("whoever can push, and may not sign, changes nothing; each attack has its name, and one look ends it", async () => {
    const good = branch.tip;
    const before = await invocations();
    const parent = branch.git(["rev-parse", `${good}^`]);
    const tree = branch.git(["rev-parse", `${good}^{tree}`]);
    const empty = branch.git(["mktree"], "");
    const idOf = (path: string) => branch.git(["rev-parse", `${good}:${path}`]);
    const evil = branch.blob("[Service]\nExecStart=/bin/touch /evil\n[X-Fleet]\nGlobal=true\n");
    const top = [
      ["100644", "fleet.yaml", idOf("fleet.yaml")],
      ["40000", "trust", idOf("trust")],
    ] as const;
    const withUnits = (...units: Parameters<SignedBranch["rawTree"]>[0]) =>
      branch.rawTree([...top, ["40000", "units", branch.rawTree(units)]]);
    const link = branch.blob("/etc/shadow");
    const attacks: readonly (readonly [string, () => string | null, RegExp])[] = [
      [
        "a signed commit beside the good one, pushed by force",
        () => branch.commit(tree, parent, "aside", bob),
        /rewritten/,
      ],
      ["the branch is set back to a signed commit of before", () => parent, /set back|before the release/],
      [
        "nobody has signed it",
        () => branch.commit(branch.treeWith(good, { "units/z.service": SERVICE }), good, "z", null),
        /untrusted/,
      ],
      ["somebody signed it who may not", () => branch.commit(tree, good, "ann again", ann), /untrusted/],
      ["an empty tree", () => branch.commit(empty, good, "nothing", bob), /fleet\.yaml|manifest/],
      [
        "no unit is left",
        () => branch.commit(withUnits(["100644", "README", evil]), good, "no units", bob),
        /no-units|it has no units|held/,
      ],
      [
        "a name that leads out of its folder",
        () => branch.commit(withUnits(["100644", "../evil.service", evil]), good, "out", bob),
        /tree-name-refused/,
      ],
      [
        "a link where a unit should be",
        () => branch.commit(withUnits(["120000", "link.service", link]), good, "link", bob),
        /is held: .*link/,
      ],
      ["the branch is gone", () => null, /branch-missing|no branch|not there/],
    ];
    for (const [attack, make, says] of attacks) {
      branch.set(make());
      const said = await look();
      assert.match(said, says, attack);
      assert.equal((await cluster.status()).release?.commit, good, attack);
      assert.deepEqual(await invocations(), before, attack);
      branch.set(good);
      assert.match(await look(), /nothing new/, `${attack}: one look after it`);
    }
    await eventually("nothing is in the way any more", async () => {
      const { stdout } = await cluster.ask("status");
      return !/is held|cannot be looked at/.test(stdout);
    });
  });

  test("an agent that forgot everything does not go back, and a server that is silent stops nothing", async () => {
    const good = branch.tip;
    const started = () => cluster.inside("m4", "systemctl", "show", "--value", "-p", "InvocationID", "h.service");
    const before = await started();
    branch.set(branch.git(["rev-parse", `${good}~2`]));
    const forget = "systemctl stop fleet-agent && rm -r /var/lib/fleet/agent && systemctl start fleet-agent";
    await cluster.inside("m4", "sh", "-c", forget);
    await eventually("it says what is in its way", async () =>
      (await cluster.ask("status")).stdout.includes(
        `m4: not-on-branch: commit ${good} is not on this machine's branch`,
      ),
    );
    assert.equal(await started(), before);
    branch.set(good);
    await eventually("it follows again", async () => !(await cluster.ask("status")).stdout.includes("not-on-branch"));
    const source = needLab(LAB_NAME).processes.find(({ role }) => role === "source")!;
    process.kill(source.pid, "SIGSTOP");
    let next: string;
    try {
      next = branch.push("into the silence", { "units/i.service": SERVICE }, bob);
      const { stderr } = await cluster.fleet("sync", "now", "--timeout", "3s");
      assert.match(stderr, /no engine has looked within 3s/);
      assert.equal((await cluster.status()).release?.commit, good);
      assert.equal(await started(), before);
    } finally {
      process.kill(source.pid, "SIGCONT");
    }
    await isReleased(next);
    await eventually("it runs", async () => (await active()).includes("i.service"));
    assert.equal(await started(), before);
  });

  test("meanwhile somebody was told of what failed, of each thing once; and once it is mended the forge shows that", async () => {
    const ofBroken = ({ commit, unit }: Told) => commit === broken || unit === "bad.service";
    const told = () => forge.told.filter(ofBroken).map(({ event, text }) => `${event}: ${text}`);
    for (const event of ["held", "failed"]) {
      await eventually(`${event} is told`, async () => told().some((text) => text.startsWith(event)));
    }
    const mended = branch.push("mended", { "units/bad.service": SERVICE }, bob);
    await eventually("the forge shows it", async () => postedOf(mended).includes("success"));
    assert.deepEqual(told(), [...new Set(told())], "each thing once, by name and machine");
    for (const { context, authorization } of forge.statuses) {
      assert.deepEqual([context, authorization], ["fleet/hello/converged", `Bearer ${forge.token}`]);
    }
  });
});
