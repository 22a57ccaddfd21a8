import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { makeTestRepository, type TestRepository } from "../contract/git-repository.ts";
import { pretendId } from "../pretend-machine.ts";
import { fleet, fleetOnTerminal, prepareFleet } from "./fleet-process.ts";
import { PretendCluster } from "./pretend-cluster.ts";

const STANZA = `storage: { id: ${pretendId("nas")}, metadata: { role: storage } }`;
const MANIFEST = `apiVersion: fleet/v1\ncluster: shop\nadmit: any\nmachines: { ${STANZA} }\n`;
const SERVICE = "[Service]\nExecStart=/bin/true\n";
const DB = `${SERVICE}StateDirectory=db\n[X-Fleet]\nMachineMetadata=role=storage\n`;

describe("fleet machine remove", { concurrency: false }, () => {
  let repository: TestRepository;
  let cluster: PretendCluster;

  before(async () => {
    await prepareFleet();
    cluster = await PretendCluster.start();
    repository = makeTestRepository();
    repository.commit({ "fleet.yaml": MANIFEST, "units/web.service": SERVICE, "units/db.service": DB });
    for (const name of ["nas", "pi", "zero"]) await cluster.join("shop", name);
    const options = { cwd: repository.path, registry: cluster.address };
    const applied = await fleet(["apply", "--auto-approve", "--detach"], options);
    assert.equal(applied.code, 0, applied.stderr);
    const planned = await fleet(["plan", "--json"], options);
    await cluster.place("shop", JSON.parse(planned.stdout));
  });
  after(async () => {
    await cluster?.stop();
    repository?.remove();
  });

  const options = () => ({ cwd: repository.path, registry: cluster.address });
  const remove = (...words: readonly string[]) => fleet(["machine", "remove", ...words], options());
  const names = async () => {
    const { stdout } = await fleet(["list-machines", "--json"], options());
    return (JSON.parse(stdout) as { name: string }[]).map(({ name }) => name);
  };

  test("a machine that is present is refused, with what to do instead", async () => {
    const { code, stderr } = await remove("nas", "--auto-approve", "--allow-deletes");
    assert.equal(code, 1);
    assert.match(stderr, /nas is present[\s\S]*drain it in the commit/);
    assert.deepEqual(await names(), ["nas", "pi", "zero"]);
  });

  test("one nobody knows is an error", async () => {
    const { code, stderr } = await remove("nax", "--auto-approve");
    assert.equal(code, 1);
    assert.match(stderr, /nax is no machine of this cluster[\s\S]*list-machines/);
  });

  test("nothing is removed without a yes, nor data by --auto-approve alone", async () => {
    await cluster.leave("shop", "nas");
    const before = await cluster.revision();
    const silent = await remove("storage");
    assert.equal(silent.code, 1);
    assert.match(silent.stderr, /nobody is there to say yes/);
    assert.match(
      silent.stdout,
      /db\.service: runs nowhere: no other machine may have it; its data stays behind \(StateDirectory=db\)/,
    );
    assert.match(silent.stdout, /The commit lists it as storage: when it comes back it is admitted again/);
    const costly = await remove("nas", "--auto-approve");
    assert.equal(costly.code, 1);
    assert.match(costly.stderr, /add --allow-deletes/);
    const no = await fleetOnTerminal(["machine", "remove", "nas"], { ...options(), answer: "no", atPrompt: () => {} });
    assert.equal(no.code, 1);
    assert.match(no.stdout, /Remove storage, with what is lost by it\? Only 'yes' goes on/);
    assert.equal(await cluster.revision(), before);
  });

  test("it goes with all its records, and JSON says what becomes of its units", async () => {
    const { code, stdout, stderr } = await remove("nas", "--auto-approve", "--allow-deletes", "--json");
    assert.equal(code, 0, stderr);
    const { result, machine, units, listed } = JSON.parse(stdout);
    assert.deepEqual([result, machine, listed], ["removed", pretendId("nas"), "storage"]);
    assert.deepEqual(
      units.filter(({ unit }: { unit: string }) => unit === "db.service"),
      [{ unit: "db.service", becomes: { code: "nowhere" }, data: ["StateDirectory=db"] }],
    );
    assert.deepEqual(await names(), ["pi", "zero"]);
    const { entries } = await cluster.registry.list("/fleet/shop/");
    assert.deepEqual(
      entries.filter(({ key }) => key.includes(pretendId("nas"))).map(({ key }) => key),
      [],
    );
  });

  test("a machine without anything to lose needs no more than --auto-approve", async () => {
    const { stdout } = await fleet(["list-units", "--json"], options());
    const holder = (JSON.parse(stdout) as { unit: string; machineName: string }[]).find(
      ({ unit }) => unit === "web.service",
    );
    const free = ["pi", "zero"].find((name) => name !== holder?.machineName)!;
    await cluster.leave("shop", free);
    const { code, stderr } = await remove(free, "--auto-approve");
    assert.equal(code, 0, stderr);
    assert.match(stderr, new RegExp(`${free} is removed`));
  });
});
