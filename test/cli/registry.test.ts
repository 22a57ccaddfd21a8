import assert from "node:assert/strict";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { ensureIdentity } from "../../src/adapters/identity/ensure-identity.ts";
import { encodeKept } from "../../src/codec/kept-record.ts";
import { encodeRecord } from "../../src/codec/record.ts";
import { registryKeys } from "../../src/codec/registry-keys.ts";
import type { MemberRecord } from "../../src/codec/registry-records.ts";
import type { KeptSet } from "../../src/domain/cluster/cluster-snapshot.ts";
import { readSnapshot } from "../../src/usecases/read-snapshot.ts";
import { makeTestRepository, type TestRepository } from "../contract/git-repository.ts";
import { pretendId } from "../pretend-machine.ts";
import { type FleetResult, fleet, fleetOnTerminal, prepareFleet } from "./fleet-process.ts";
import { PretendCluster } from "./pretend-cluster.ts";

const keys = registryKeys("shop");
const FILES = {
  "fleet.yaml": "apiVersion: fleet/v1\ncluster: shop\n",
  "units/web.service": "[Service]\nExecStart=/bin/echo one\n",
};

before(prepareFleet);

describe("a registry's backup, its loss and its return", { concurrency: false }, () => {
  const repository: TestRepository = makeTestRepository();
  const file = join(repository.path, ".git", "shop.fleet");
  let cluster: PretendCluster;
  let other: PretendCluster;
  /** What the one machine keeps, as its agent would tell it. */
  let kept: KeptSet;

  before(async () => {
    [cluster, other] = await Promise.all([PretendCluster.start(), PretendCluster.start()]);
    repository.commit(FILES);
    await cluster.join("shop", "m1");
    assert.equal((await run("apply", "--auto-approve", "--detach")).code, 0);
    await cluster.place("shop", JSON.parse((await run("show", "1", "--json")).stdout));
    const { identity, release, sets } = await snapshot();
    const { epoch, generation } = sets[0]!.header!;
    kept = {
      machine: pretendId("m1"),
      identity: identity!,
      release: release!,
      epoch,
      generation,
      placements: sets[0]!.placements,
    };
  });
  after(async () => {
    await Promise.all([cluster?.stop(), other?.stop()]);
    repository.remove();
  });

  const run = (...words: string[]): Promise<FleetResult> =>
    fleet(words, { cwd: repository.path, registry: cluster.address });
  const snapshot = async () => (await readSnapshot(cluster.registry, keys)).snapshot;
  const wipe = () => cluster.registry.txn({ when: [], then: [{ kind: "delete-prefix", prefix: keys.root }] });

  /** What an agent writes that sees an empty registry. */
  const tell = async (): Promise<void> => {
    await cluster.join("shop", "m1");
    const [entry] = (await cluster.registry.list(keys.member(kept.machine), { exact: true })).entries;
    const member: MemberRecord = { ...JSON.parse(entry!.value), acceptedSeq: 1, setEpoch: kept.epoch };
    await cluster.registry.txn({
      when: [],
      then: [
        { kind: "put", key: keys.member(kept.machine), value: encodeRecord(member) },
        { kind: "put", key: keys.kept(kept.machine), value: encodeKept(kept) },
      ],
    });
  };

  test("export writes a file that only its owner reads, or standard output", async () => {
    const { code, stderr } = await run("registry", "export", file);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /^shop, epoch 1, release 1, as of revision \d+: \d+ records\n$/);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const lines = (text: string) => text.split("\n").slice(1, -2);
    const { stdout } = await run("registry", "export");
    assert.deepEqual(lines(stdout), lines(readFileSync(file, "utf8")));
    assert.match(stdout, /"key":"assign\/web\.service"/);
    assert.doesNotMatch(stdout, /"key":"(engine|presence|status)\//);
  });

  test("state writes what a plan reads, for those who cannot reach it: their plan is the same", async () => {
    const state = join(repository.path, ".git", "shop.state");
    const written = await run("registry", "state", state);
    assert.deepEqual([written.code, written.stdout], [0, ""], written.stderr);
    assert.match(written.stderr, /^shop as of revision \d+: \d+ records\n$/);
    const options = { cwd: repository.path, registry: `file:${state}` };
    const [told, asked] = await Promise.all([fleet(["plan", "--json"], options), run("plan", "--json")]);
    assert.match(told.stderr, /^the cluster is shown as it was \d+ s ago; nobody signed that\n$/);
    assert.equal(told.stdout, asked.stdout);
  });

  test("state --push signs with the engine's key and publishes it behind a ref; without such a key nothing is", async () => {
    const engine = join(repository.path, ".git", "state-of-engine");
    const remote = makeTestRepository({ bare: true });
    const push = () => run("registry", "state", "--push", remote.path, "--engine-state", engine);
    try {
      const refused = await push();
      assert.deepEqual([refused.code, remote.git(["for-each-ref"])], [1, ""]);
      assert.match(refused.stderr, /\[no-engine-key\][\s\S]*next: do it as root on a machine/);
      const { key } = await ensureIdentity(join(engine, "engine", "identity"));
      for (const _ of ["once", "again, in its place"]) {
        const pushed = await push();
        assert.deepEqual([pushed.code, pushed.stdout], [0, ""], pushed.stderr);
      }
      assert.equal(remote.git(["rev-list", "--count", "--all"]), "1");
      const file = join(repository.path, ".git", "signed.state");
      writeFileSync(file, `${remote.git(["cat-file", "blob", "refs/fleet/state/shop:state"])}\n`);
      const told = await fleet(["plan"], { cwd: repository.path, registry: `file:${file}` });
      assert.equal(told.code, 0, told.stderr);
      assert.ok(told.stderr.endsWith(`ago; signed by ${key}, which this commit lists for no engine\n`), told.stderr);
    } finally {
      remote.remove();
    }
  });

  test("check says what is wrong with it, and roles what etcd would need to know of its users", async () => {
    const [check, json, roles] = await Promise.all([
      run("registry", "check"),
      run("registry", "check", "--json"),
      run("registry", "roles", "--machine", kept.machine),
    ]);
    assert.deepEqual([check.code, json.code, roles.code], [0, 0, 0], check.stderr + json.stderr + roles.stderr);
    assert.match(check.stdout, /^ok +registry +\S+: fleet's own/m);
    const { areas } = JSON.parse(json.stdout) as { areas: readonly { area: string }[] };
    assert.deepEqual(
      areas.map(({ area }) => area),
      ["registry", "access"],
    );
    assert.match(roles.stdout, /^grant fleet-shop-driver write \/fleet\/shop\/release # /m);
    assert.match(roles.stdout, new RegExp(`^user fleet-shop-agent-${kept.machine}$`, "m"));
    const nobody = await run("registry", "roles", "--machine", "nas");
    assert.match(nobody.stderr, /bad-machine-id/);
  });

  test("import refuses where a cluster is, a file that was edited, and one that is none", async () => {
    const before = await cluster.revision();
    assert.match((await run("registry", "import", file)).stderr, /registry-not-empty/);
    const edited = join(repository.path, ".git", "edited.fleet");
    writeFileSync(edited, readFileSync(file, "utf8").replace("m1", "m2"));
    assert.match(
      (await run("registry", "import", edited)).stderr,
      /its checksum is of other content; nothing was changed/,
    );
    assert.match((await run("registry", "import", join(repository.path, "fleet.yaml"))).stderr, /export-damaged/);
    assert.match((await run("registry", "import", "no-such-file")).stderr, /export-unreadable/);
    assert.equal(await cluster.revision(), before);
  });

  test("import into another registry makes the same cluster in a new epoch", async () => {
    const { code, stdout, stderr } = await fleet(["registry", "import", file], {
      cwd: repository.path,
      registry: other.address,
    });
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^shop, release 1, \d+ records: there, in epoch 2\n$/);
    const there = (await readSnapshot(other.registry, keys)).snapshot;
    assert.deepEqual(there.identity, { ...kept.identity, epoch: 2 });
    assert.deepEqual(there.release, kept.release);
    assert.deepEqual((await fleet(["plan"], { cwd: repository.path, registry: other.address })).code, 0);
  });

  test("adopt has nothing to adopt where nobody has told of a cluster", async () => {
    await wipe();
    const { code, stderr } = await run("registry", "adopt", "--auto-approve");
    assert.equal(code, 1);
    assert.match(stderr, /nothing-to-adopt/);
  });

  test("status, apply and adopt say what a wiped registry lost; nobody who only looks changes anything", async () => {
    await tell();
    const before = await cluster.revision();
    const applied = await run("apply", "--auto-approve", "--detach");
    assert.equal(applied.code, 1);
    assert.match(
      applied.stderr,
      /registry-replaced: .*m1 follows release 1 of shop|registry holds no cluster, and m1 follows/,
    );
    assert.match(
      (await run("plan")).stderr,
      /^warning: the registry holds no cluster, and m1 follows release 1 of shop; this/,
    );
    const unasked = await run("registry", "adopt");
    assert.equal(unasked.code, 1);
    assert.match(unasked.stdout, /the registry shows: no cluster, no release\n {2}m1 keeps 1 unit of release 1\n/);
    assert.match(unasked.stdout, /raises the epoch to 2/);
    assert.match(unasked.stderr, /not-approved/);
    const options = { cwd: repository.path, registry: cluster.address, answer: "no", atPrompt: () => {} };
    assert.match((await fleetOnTerminal(["registry", "adopt"], options)).stdout, /nothing was changed/);
    assert.equal(await cluster.revision(), before);
  });

  test("who writes while a person thinks is newer: adopt changes nothing and ends with 3", async () => {
    const atPrompt = () =>
      cluster.registry.txn({
        when: [],
        then: [{ kind: "put", key: keys.cluster, value: encodeRecord({ ...kept.identity, epoch: 7 }) }],
      });
    const options = { cwd: repository.path, registry: cluster.address, answer: "yes", atPrompt };
    assert.equal((await fleetOnTerminal(["registry", "adopt"], options)).code, 3);
    assert.equal((await snapshot()).identity?.epoch, 7);
    await wipe();
    await tell();
  });

  test("adopt puts back the cluster, its release and its index, and says so as JSON", async () => {
    const { code, stdout, stderr } = await run("registry", "adopt", "--auto-approve", "--detach", "--json");
    assert.equal(code, 0, stderr);
    const said = JSON.parse(stdout) as { identity: { epoch: number }; isReleasePutBack: boolean; left: unknown };
    assert.deepEqual([said.identity.epoch, said.isReleasePutBack, said.left], [2, true, null]);
    const { identity, release } = await snapshot();
    assert.deepEqual([identity, release], [{ ...kept.identity, epoch: 2 }, kept.release]);
    const units = await run("list-unit-files", "--no-legend");
    assert.match(units.stdout, /^web\.service/);
  });

  test("adopt that nobody carries out ends with 5 and names who is left", async () => {
    const { code, stderr } = await run("registry", "adopt", "--auto-approve", "--timeout", "1s");
    assert.equal(code, 5, stderr);
    assert.match(stderr, /not taken over yet: m1/);
  });
});
