import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { ensureDeployKey } from "../../src/adapters/join/deploy-key.ts";
import { encodeRecord } from "../../src/codec/record.ts";
import { registryKeys } from "../../src/codec/registry-keys.ts";
import { parseNodeKey } from "../../src/domain/identity/node-key.ts";
import { parseMachineId } from "../../src/domain/names.ts";
import { makeTestRepository, type TestRepository } from "../contract/git-repository.ts";
import { noSsh, sshUser, startSshServer } from "../contract/ssh-server.ts";
import { type PretendFront, specMachine, startPretendFront } from "../pretend-front.ts";
import { type FleetResult, fleet, fleetOnTerminal, prepareFleet } from "./fleet-process.ts";
import { PretendCluster } from "./pretend-cluster.ts";

const SELF = parseMachineId(existsSync("/etc/machine-id") ? readFileSync("/etc/machine-id", "utf8").trim() : "");
const skip =
  process.geteuid?.() !== 0 ? "joining needs root" : SELF === null ? "this machine has no machine id" : false;

const WEB = "[Service]\nExecStart=/bin/true\n";

describe("fleet join", { concurrency: false, skip }, () => {
  let repository: TestRepository;
  let cluster: PretendCluster;
  let front: PretendFront;
  let folder: string;

  before(async () => {
    await prepareFleet();
    cluster = await PretendCluster.start();
    repository = makeTestRepository();
    repository.commit({
      "fleet.yaml": "apiVersion: fleet/v1\ncluster: home\n",
      "units/web.service": WEB,
    });
    folder = mkdtempSync(join(tmpdir(), "fleet-join-"));
    const options = { cwd: repository.path, registry: cluster.address };
    const applied = await fleet(["apply", "--auto-approve", "--detach"], options);
    assert.equal(applied.code, 0, applied.stderr);
    const { id } = JSON.parse((await cluster.registry.list("/fleet/home/cluster", { exact: true })).entries[0]!.value);
    front = await startPretendFront(cluster.registry, {
      ...{ id, name: "home", source: "https://host/homelab", branch: "main", manifest: "fleet.yaml", epoch: 1 },
    });
  });
  after(async () => {
    await front?.close();
    await cluster?.stop();
    repository?.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  /** A machine of its own: the same id, other folders. */
  const machine = (name: string) => {
    const state = join(folder, name);
    const conf = join(state, "fleet.conf");
    const options = { cwd: folder, env: { FLEET_CONF: conf, FLEET_STATE_DIRECTORY: join(state, "fleet") } };
    return {
      ...{ conf, state: join(state, "fleet"), options },
      join: (...words: readonly string[]) => fleet(["join", ...words, "--no-start"], options),
      read: (path: string) => readFileSync(join(state, path), "utf8"),
    };
  };
  const output = ({ stdout }: FleetResult) => JSON.parse(stdout);
  const trusted = () => ["--engine-key", front.key];

  test("without a terminal no key is trusted, and the line to type is said", async () => {
    const pi = machine("pi");
    const { code, stderr } = await pi.join(front.address, "--name", "pi");
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`fleet join ${front.address} --engine-key ${front.key}`));
    assert.equal(existsSync(join(pi.state, "join.json")), false);
    assert.equal(existsSync(pi.conf), false);
  });

  test("asked at a terminal, a yes pins it; the stanza is printed, and again nobody is asked", async () => {
    const pi = machine("pi");
    const words = ["join", front.address, "--name", "pi", "--metadata", "role=edge", "--no-start"];
    const shown = await fleetOnTerminal(words, { ...pi.options, answer: "yes", atPrompt: () => undefined });
    assert.equal(shown.code, 0, shown.stdout);
    assert.ok(shown.stdout.includes(front.key));
    const [key] = /"ed25519:[^"]+"/.exec(shown.stdout) ?? [];
    assert.ok(shown.stdout.includes(`pi: { id: "${SELF}", key: ${key}, metadata: { role: edge } }`), shown.stdout);
    const again = await pi.join(front.address, "--json");
    assert.equal(again.code, 0, again.stderr);
    const { stanza, name, clusterId, standing } = output(again);
    assert.equal(stanza, `pi: { id: "${SELF}", key: ${key}, metadata: { role: edge } }`);
    assert.deepEqual([name, clusterId, standing], ["pi", front.clusterId, { code: "unlisted" }]);
    assert.equal(statSync(join(pi.state, "join.json")).mode & 0o777, 0o600);
    assert.equal(
      readFileSync(pi.conf, "utf8"),
      [
        ...[`registry="hub://${front.address}"`, 'cluster="home"', 'branch="main"', 'manifest="fleet.yaml"'],
        ...['name="pi"', 'metadata="role=edge"', ""],
      ].join("  # by fleet join\n"),
    );
  });

  test("another key than the one named is refused, and the key of the machine is not printed but its public half", async () => {
    const other = parseNodeKey(`ed25519:${"x".repeat(42)}A`);
    const { code, stdout, stderr } = await machine("other").join(front.address, "--engine-key", other!);
    assert.equal(code, 1);
    assert.match(stderr, /engine-key-differs/);
    assert.doesNotMatch(stdout + stderr, /PRIVATE/);
  });

  test("once git lists it nothing is left to commit, and --wait ends when its agent has taken a release", async () => {
    const pi = machine("pi");
    const { key } = output(await pi.join(front.address, "--json"));
    front.machines = [specMachine("attic", { id: SELF, machineKey: key })];
    const listed = await pi.join(front.address);
    assert.match(listed.stdout, /lists it as attic: nothing is left to be committed/);
    const waiting = await pi.join(front.address, "--wait", "--timeout", "1s");
    assert.equal(waiting.code, 5);
    assert.match(waiting.stderr, /waits for its agent[\s\S]*not in after 1s/);
    const present = async (bootId: string) => {
      const keys = registryKeys("home");
      const member = { name: "pi", address: "", metadata: {}, bootId, version: "0", joined: "", acceptedSeq: 1 };
      const then = [
        { kind: "put", key: keys.member(SELF!), value: encodeRecord(member) },
        { kind: "put", key: keys.presence(SELF!), value: encodeRecord({ bootId, op: "1" }) },
      ] as const;
      await cluster.registry.txn({ when: [], then });
    };
    await present("another");
    const waited = await pi.join(front.address, "--wait", "--json");
    assert.equal(waited.code, 1, "another boot is present: a copy");
    await present(readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim());
    const done = await pi.join(front.address, "--wait", "--json");
    assert.equal(done.code, 0, done.stderr);
    assert.deepEqual(output(done).progress, { standing: { code: "listed", name: "attic" }, acceptedSeq: 1 });
  });

  test("another key for the same machine id is refused by the name git has for it", async () => {
    const { code, stderr } = await machine("twin").join(front.address, ...trusted());
    assert.equal(code, 1);
    assert.match(stderr, /git lists another key for this machine's id, under the name attic[\s\S]*duplicate-id/);
    assert.equal(existsSync(join(machine("twin").state, "join.json")), false);
  });

  test("a token brings a machine in without a commit, once", async () => {
    front.machines = [];
    await cluster.registry.txn({ when: [], then: [{ kind: "delete", key: `/fleet/home/presence/${SELF}` }] });
    const at = { cwd: repository.path, registry: cluster.address };
    const words = ["token", "create", "--metadata", "site=0123", "--name-prefix", "site-"];
    const created = await fleet(words, at);
    assert.equal(created.code, 0, created.stderr);
    const token = created.stdout.trim();
    assert.match(token, /^fleet-token-[0-9a-z-]+$/);
    const one = machine("image-1");
    const joined = await one.join(front.address, ...trusted(), "--token", token, "--metadata", "ring=canary", "--json");
    assert.equal(joined.code, 0, joined.stderr);
    const name = `site-${SELF!.slice(0, 8)}`;
    assert.deepEqual([output(joined).name, output(joined).standing.code], [name, "admitted"]);
    assert.match(readFileSync(one.conf, "utf8"), new RegExp(`name="${name}".*\nmetadata="ring=canary,site=0123"`));
    const again = await machine("image-2").join(front.address, ...trusted(), "--token", token);
    assert.match(again.stderr, /a token let in another key for this machine's id/);
    const list = await fleet(["token", "list", "--json"], at);
    assert.deepEqual(
      [output(list).tokens, output(list).admitted.map((one: { name: string }) => one.name)],
      [[], [name]],
    );
  });

  test("tokens are listed without their text, taken back, and refused after that", async () => {
    const at = { cwd: repository.path, registry: cluster.address };
    const created = await fleet(["token", "create", "--expires", "2h", "--json"], at);
    const { token, hash } = output(created);
    const list = await fleet(["token", "list"], at);
    assert.match(list.stdout, new RegExp(`^${hash.slice(0, 12)} `, "m"));
    assert.ok(!list.stdout.includes(token));
    assert.equal((await fleet(["token", "revoke", hash.slice(0, 12)], at)).code, 0);
    await cluster.registry.txn({ when: [], then: [{ kind: "delete", key: `/fleet/home/admitted/${SELF}` }] });
    const refused = await machine("late").join(front.address, ...trusted(), "--token", token);
    assert.match(refused.stderr, /taken back, or never made/);
    for (const bad of [
      ["--expires", "1s"],
      ["--name-prefix", "Site"],
      ["--metadata", "site"],
    ]) {
      assert.equal((await fleet(["token", "create", ...bad], at)).code, 1, bad.join(" "));
    }
  });

  test("by a repository: the daemons are told what to follow, and the stanza has both keys", async () => {
    const hub = machine("hub");
    const words = ["--name", "hub", "--listen", "0.0.0.0:7440", "--registry", cluster.address];
    const joined = await hub.join(repository.path, ...words, "--json");
    assert.equal(joined.code, 0, joined.stderr);
    const { key, engineKey, stanza, clusterId } = output(joined);
    assert.equal(stanza, `hub: { id: "${SELF}", key: "${key}", engineKey: "${engineKey}" }`);
    assert.equal(clusterId, front.clusterId);
    assert.notEqual(key, engineKey);
    const conf = readFileSync(hub.conf, "utf8");
    assert.match(conf, new RegExp(`^source="${repository.path}"`, "m"));
    assert.match(conf, /^listen="0\.0\.0\.0:7440"/m);
    assert.equal(output(await hub.join(repository.path, ...words, "--json")).stanza, stanza, "again: the same keys");
    assert.match(
      (await hub.join(repository.path, ...words)).stdout,
      /Commit this to fleet\.yaml:\n\nmachines:\n {2}hub: \{/,
    );
  });

  test("a manifest of another cluster than the registry's is refused", async () => {
    const other = makeTestRepository();
    other.commit({ "fleet.yaml": "apiVersion: fleet/v1\ncluster: shop\n", "units/web.service": WEB });
    const { code, stderr } = await machine("shop").join(other.path, "--registry", cluster.address);
    other.remove();
    assert.equal(code, 1);
    assert.match(stderr, /the manifest is of cluster shop, and the registry .* holds home/);
  });

  test("a manifest that does not compile is told with its place, and nothing is written", async () => {
    const bad = makeTestRepository();
    bad.commit({ "fleet.yaml": "apiVersion: fleet/v1\nclster: shop\n" });
    const fresh = machine("bad");
    const { code, stderr, stdout } = await fresh.join(bad.path, "--registry", "none");
    bad.remove();
    assert.equal(code, 1);
    assert.match(stderr + stdout, /fleet\.yaml:2/);
    assert.equal(existsSync(fresh.conf), false);
  });

  test("a machine of one cluster joins no other before it has left", async () => {
    const other = makeTestRepository();
    other.commit({ "fleet.yaml": "apiVersion: fleet/v1\ncluster: shop\n", "units/web.service": WEB });
    const { code, stderr } = await machine("pi").join(other.path, "--registry", "none");
    other.remove();
    assert.equal(code, 1);
    assert.match(stderr, /belongs to cluster home, and would join shop[\s\S]*fleet leave first/);
  });

  test("an ssh address gets a deploy key to paste, and nothing is believed of a host that shows no key", async () => {
    const ssh = machine("ssh");
    const address = "ssh://git@127.0.0.1:1/me/homelab";
    const first = await ssh.join(address);
    assert.equal(first.code, 1);
    const line = /^ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI\S{43} fleet@.*$/m;
    assert.match(first.stderr, line);
    assert.match(first.stderr, /source-unreachable/);
    assert.equal(line.exec((await ssh.join(address)).stderr)?.[0], line.exec(first.stderr)?.[0]);
    assert.equal(existsSync(ssh.conf), false);
  });

  test("by ssh: the host's key is compared, then the repository is read by the deploy key", {
    skip: noSsh,
  }, async () => {
    const ssh = machine("by-ssh");
    const key = await ensureDeployKey([ssh.state], "fleet@by-ssh");
    const server = await startSshServer(2, key);
    try {
      const address = `ssh://${sshUser}@127.0.0.1:${server.port}${repository.path}`;
      const asked = await ssh.join(address, "--registry", "none");
      assert.equal(asked.code, 1);
      assert.ok(asked.stderr.includes(`--host-key ${server.fingerprint}`), asked.stderr);
      const other = await ssh.join(address, "--registry", "none", "--host-key", "SHA256:somebodyelses");
      assert.match(other.stderr, /host-key-differs/);
      assert.equal(existsSync(ssh.conf), false);
      const { code, stderr } = await ssh.join(address, "--registry", "none", "--host-key", server.fingerprint);
      assert.equal(code, 0, stderr);
      assert.ok(readFileSync(ssh.conf, "utf8").includes(`source="${address}"`));
      for (const name of ["deploy-key", "known_hosts"]) {
        assert.equal(statSync(join(`${ssh.state}-engine`, name)).mode & 0o777, 0o600);
        assert.equal(
          readFileSync(join(`${ssh.state}-engine`, name), "utf8"),
          readFileSync(join(ssh.state, name), "utf8"),
        );
      }
    } finally {
      server.stop();
    }
  });

  test("nobody there: the address and what to look at", async () => {
    const { code, stderr } = await machine("away").join("127.0.0.1:1", ...trusted());
    assert.equal(code, 1);
    assert.match(stderr, /engine-unreachable/);
  });
});
