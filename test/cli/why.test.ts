import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { encodeRecord } from "../../src/codec/record.ts";
import { registryKeys } from "../../src/codec/registry-keys.ts";
import type { UnitName } from "../../src/domain/names.ts";
import type { Plan } from "../../src/domain/plan/plan.ts";
import { makeTestRepository, type TestRepository } from "../contract/git-repository.ts";
import { pretendId } from "../pretend-machine.ts";
import { type FleetResult, fleet, prepareFleet } from "./fleet-process.ts";
import { PretendCluster } from "./pretend-cluster.ts";

const SERVICE = "[Service]\nExecStart=/bin/true\n";

interface Shown {
  readonly units: readonly {
    readonly unit: string;
    readonly machineName: string | null;
    readonly verdict: { readonly state: string; readonly because: { readonly code: string } };
    readonly links: readonly { readonly link: string }[];
    readonly next: string | null;
  }[];
  readonly unknown: readonly { readonly asked: string; readonly because: { readonly code: string } }[];
}

describe("fleet why, by its exit codes and what it prints", { concurrency: false }, () => {
  let repository: TestRepository;
  let cluster: PretendCluster;
  let elsewhere: string;

  before(async () => {
    await prepareFleet();
    cluster = await PretendCluster.start();
    elsewhere = mkdtempSync(join(tmpdir(), "fleet-why-"));
    repository = makeTestRepository();
    repository.commit({
      "fleet.yaml": "apiVersion: fleet/v1\ncluster: shop\n",
      "units/web.service": SERVICE,
      "units/gpu.service": `${SERVICE}[X-Fleet]\nMachineMetadata=gpu=yes\n`,
    });
  });

  after(async () => {
    await cluster?.stop();
    repository?.remove();
    rmSync(elsewhere, { recursive: true, force: true });
  });

  const why = (...words: readonly string[]): Promise<FleetResult> =>
    fleet(["why", ...words], { cwd: repository.path, registry: cluster.address });

  test("before the first release there is nothing to explain", async () => {
    const { code, stderr } = await why("web");
    assert.equal(code, 1);
    assert.match(stderr, /nothing has been released to this cluster yet/);
  });

  test("a unit that waits ends with 5, and its chain says for whom", async () => {
    await cluster.join("shop", "m1");
    await cluster.join("shop", "m2", { gpu: "yes" });
    const cwd = repository.path;
    const registry = cluster.address;
    const planned = await fleet(["plan", "--json"], { cwd, registry });
    assert.equal((await fleet(["apply", "--auto-approve", "--detach"], { cwd, registry })).code, 0);
    const { placements } = JSON.parse(planned.stdout) as Pick<Plan, "placements">;
    const web = placements.filter(({ unit }) => unit === "web.service");
    await cluster.place("shop", { placements: web.map((one) => ({ ...one, machine: pretendId("m1") })) });
    const { code, stdout } = await why("web");
    assert.equal(code, 5);
    assert.match(stdout, /^o web\.service on m1: the agent on m1 has said nothing of it yet$/m);
    assert.match(stdout, /^> agent +there, /m);
    assert.match(stdout, /^ {2}files +units\/web\.service:2$/m);
  });

  test("a unit that is up ends with 0; JSON holds the same chain", async () => {
    const keys = registryKeys("shop");
    const { entries } = await cluster.registry.list(keys.assign("web.service" as UnitName));
    const { hash } = JSON.parse(entries[0]!.value) as { hash: string };
    const status = {
      load: "loaded",
      active: "active",
      sub: "running",
      hash,
      since: "",
      result: "success",
      invocation: "",
      started: true,
      problem: null,
    };
    const key = keys.status(pretendId("m1"), "web.service" as UnitName);
    await cluster.registry.txn({ when: [], then: [{ kind: "put", key, value: encodeRecord(status) }] });
    const [text, json] = await Promise.all([why("web"), why("web", "--json")]);
    assert.deepEqual([text.code, json.code], [0, 0]);
    const [unit] = (JSON.parse(json.stdout) as Shown).units;
    assert.deepEqual([unit?.verdict.because.code, unit?.machineName, unit?.next], ["runs", "m1", null]);
    const titles = [...text.stdout.matchAll(/^[ >] (\w+) /gm)].map(([, title]) => title);
    const links = unit?.links.map(({ link }) => (link === "placement" ? "placed" : link));
    assert.deepEqual(
      titles,
      links?.filter((link) => link !== "group"),
    );
  });

  test("a unit that fits nowhere for now ends with 5, and says what keeps each machine from it", async () => {
    await cluster.leave("shop", "m2");
    const { code, stdout } = await why("gpu");
    assert.equal(code, 5);
    assert.match(stdout, /^o gpu\.service: no machine takes it for now$/m);
    assert.match(stdout, /^> placed +nowhere: no machine takes it$/m);
    assert.match(stdout, /^ +not m2: is absent$/m);
  });

  test("what is committed and not applied, or not committed, is said, and ends with 1", async () => {
    repository.commit({ "units/new.service": SERVICE });
    writeFileSync(join(repository.path, "units/draft.service"), SERVICE);
    const { code, stderr } = await why("new", "draft", "wep");
    assert.equal(code, 1);
    assert.match(stderr, /^new\.service: in the commit you stand on, and not in the release: fleet apply$/m);
    assert.match(stderr, /^draft\.service: in your working tree, and in no commit/m);
    assert.match(stderr, /^no unit wep in the release or on a machine; did you mean web\.service\?$/m);
    const { unknown } = JSON.parse((await why("new", "--json")).stdout) as Shown;
    assert.deepEqual(
      unknown.map(({ because }) => because.code),
      ["not-applied"],
    );
  });

  test("outside of a repository the registry's word is enough", async () => {
    const { code, stdout } = await fleet(["why", "web"], { cwd: elsewhere, registry: cluster.address });
    assert.equal(code, 0);
    assert.match(stdout, /^\* web\.service on m1 runs as the commit wants it$/m);
    assert.match(stdout, /this repository does not have it/);
  });
});
