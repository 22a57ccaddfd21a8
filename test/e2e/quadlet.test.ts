import assert from "node:assert/strict";
import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import { thirdPartyBinary } from "../../scripts/third-party.ts";
import { labFolder } from "../../src/lab/lab-state.ts";
import { ClusterOnLab } from "./cluster-on-lab.ts";
import { eventually, LAB_NAME, labSkipReason } from "./lab-name.ts";
import { COUNTED_GENERATOR, STAND_IN_PODMAN } from "./stand-in-podman.ts";

const EXAMPLE = ["blue.service", "everywhere.service", "hello@.service", "red.service", "tick.service", "tick.timer"];
const IMAGE = "registry.example/web";
const web = (tag: string, more = "") =>
  `[Container]\nImage=${IMAGE}:${tag}\nVolume=data.volume:/data\nNetwork=net.network\nPod=front.pod\n${more}[X-Fleet]\nMove=never\n`;

const MANIFEST =
  "apiVersion: fleet/v1\ncluster: hello\nloss: { agentTtl: 3s, grace: 1s }\n" +
  "defaults: { rollout: { minHealthyTime: 500ms, healthDeadline: 5s, onFailure: rollback } }\n";

/** podman's generator is the real one, of 5.4.2; podman itself is a stand-in. At first only m2 of two machines has them. */
describe("quadlets on machines", { skip: labSkipReason(), concurrency: false }, () => {
  let cluster: ClusterOnLab;

  before(async () => {
    const quadlet = await thirdPartyBinary("quadlet");
    cluster = await ClusterOnLab.up("hello", 2);
    const shared = join(labFolder(LAB_NAME), "shared");
    cpSync(quadlet, join(shared, "quadlet"));
    writeFileSync(join(shared, "stand-in-podman"), STAND_IN_PODMAN);
    writeFileSync(join(shared, "stand-in-generator"), COUNTED_GENERATOR);
    writeFileSync(join(shared, "stand-in-registry"), [1, 2, 3].map((tag) => `${IMAGE}:${tag}\n`).join(""));
    await givePodman("m2");
    await cluster.commit("a container with its volume, network and pod", {
      ...Object.fromEntries(EXAMPLE.map((name) => [`units/${name}`, null])),
      "fleet.yaml": MANIFEST,
      "units/web.container": web("1"),
      "units/api.container": `[Container]\nImage=${IMAGE}:1\n`,
      "units/data.volume": "[Volume]\n",
      "units/net.network": "[Network]\n",
      "units/front.pod": "[Pod]\n",
    });
  });
  afterEach(async (context) => {
    if (!(context as { passed?: boolean }).passed) console.error(await cluster.report());
  });
  after(() => cluster?.down());

  async function givePodman(machine: string): Promise<void> {
    const script =
      "install -D -m 755 /opt/fleet/shared/stand-in-generator /run/systemd/system-generators/podman-system-generator;" +
      "install -m 755 /opt/fleet/shared/stand-in-podman /usr/bin/podman; systemctl restart fleet-agent";
    await cluster.inside(machine, "sh", "-c", script);
  }

  const inside = (script: string) => cluster.inside("m2", "sh", "-c", script);
  const reloads = async () => Number(await inside("wc -l < /run/generated"));
  const invocation = async () => (await inside("systemctl show -P InvocationID web.service")).trim();
  const runs = async () =>
    (await inside("systemctl show -P ExecStart web.service | grep -o 'web:[0-9]*' | head -n 1")).trim();

  async function apply(...flags: readonly string[]): Promise<void> {
    const { code, stdout, stderr } = await cluster.fleet("apply", "--auto-approve", ...flags);
    assert.equal(code, 0, stdout + stderr);
  }

  test("a group of them goes to the machine that has podman's generator, and starts by the names it gives", async () => {
    await eventually("m1 says that it has no generator, and m2 that it has", async () => {
      const { stdout } = await cluster.fleet("plan");
      return /web\.container.*m2/.test(stdout) && !/web\.container.*m1/.test(stdout);
    });
    await apply("--timeout", "60s");
    const states = await inside(
      "systemctl is-active web.service data-volume.service net-network.service front-pod.service",
    );
    assert.deepEqual(states.trim().split("\n"), ["active", "active", "active", "active"]);
    assert.doesNotMatch(await inside("cat /run/systemd/generator/web.service"), /Fleet/);
    const { units } = await cluster.status();
    assert.deepEqual(
      units.map(({ unit, machineName, active }) => `${unit} ${machineName} ${active}`),
      [
        "api.container m2 active",
        "data.volume m2 active",
        "front.pod m2 active",
        "net.network m2 active",
        "web.container m2 active",
      ],
    );
    for (const name of ["web.container", "web.service"]) {
      const { stdout } = await cluster.fleet("status", name);
      assert.match(stdout, /web\.container/, `asked for ${name}`);
    }
  });

  test("another image is one reload, and a restart of that container", async () => {
    const [before, reloaded] = [await invocation(), await reloads()];
    const volume = await inside("systemctl show -P InvocationID data-volume.service");
    await cluster.commit("another image", { "units/web.container": web("2") });
    await apply("--timeout", "60s");
    assert.equal(await runs(), "web:2");
    assert.notEqual(await invocation(), before);
    assert.equal(await inside("systemctl show -P InvocationID data-volume.service"), volume);
    assert.equal((await reloads()) - reloaded, 1);
  });

  test("an image that no registry has leaves the old container running, in podman's words, and a commit mends it", async () => {
    const before = await invocation();
    await cluster.commit("an image nobody has", { "units/web.container": web("9") });
    await apply("--detach");
    await eventually("m2 says why it is not ready", async () => {
      const { stdout } = await cluster.fleet("list-machines", "--json");
      return stdout.includes("image-pull-failed") && stdout.includes("manifest unknown");
    });
    assert.equal(await invocation(), before);
    await cluster.commit("one that is there", { "units/web.container": web("3") });
    await apply("--timeout", "60s");
    assert.equal(await runs(), "web:3");
  });

  test("a quadlet that the generator rejects never replaces the one that works, is told in its words, and goes back", async () => {
    const before = await invocation();
    await cluster.commit("a key too many", { "units/web.container": web("3", "Imge=typo\n") });
    const { code, stdout, stderr } = await cluster.fleet("apply", "--auto-approve", "--timeout", "60s");
    assert.equal(code, 1, stdout + stderr);
    assert.match(stdout + stderr, /web\.container on m2: .*unsupported key 'Imge' in group 'Container'/);
    assert.match(stdout + stderr, /failed and was rolled back: release \d runs/);
    assert.equal(await invocation(), before);
    assert.doesNotMatch(await inside("cat /run/containers/systemd/web.container"), /Imge/);
  });

  test("a machine that is lost loses the container that may move to the one the plan said, and keeps the one with data", async () => {
    await givePodman("m1");
    const moving = /api\.container.*m1/;
    await eventually("the plan says so", async () =>
      moving.test((await cluster.fleet("plan", "--without", "m2")).stdout),
    );
    await cluster.lab("kill", "m2");
    const places = async () =>
      (await cluster.status()).units
        .filter(({ unit, present, active }) => unit.endsWith(".container") && present && active === "active")
        .map(({ unit, machineName }) => `${unit} ${machineName}`);
    await eventually("it runs there", async () => (await places()).join() === "api.container m1");
    assert.match(
      await cluster.inside("m1", "systemctl", "status", "api.service"),
      /the stand-in runs registry\.example\/web:1/,
    );
  });
});
