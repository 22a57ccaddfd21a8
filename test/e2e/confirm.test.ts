import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { ClusterOnLab } from "./cluster-on-lab.ts";
import { eventually, labSkipReason } from "./lab-name.ts";

const UPLINK = "uplink.service";
const KEPT = "kept.service";
const CONFIRM_S = 3;

/** Sets the machine's only cable up, or pulls it: nothing but another start of it brings it back. */
const uplink = (state: "up" | "down", why = "") =>
  `# ${why}\n[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=ip link set eth0 ${state}\n`;

describe("a change that may cut its machine off", { skip: labSkipReason(), concurrency: false }, () => {
  let cluster: ClusterOnLab;

  before(async () => {
    cluster = await ClusterOnLab.up("hello", 1);
    const gone = ["red.service", "blue.service", "everywhere.service", "hello@.service", "tick.service", "tick.timer"];
    await cluster.commit("an uplink", {
      "fleet.yaml": `apiVersion: fleet/v1\ncluster: hello\nunits: { ${UPLINK}: { confirm: ${CONFIRM_S}s } }\n`,
      ...Object.fromEntries(gone.map((name) => [`units/${name}`, null])),
      [`units/${UPLINK}`]: uplink("up"),
      [`units/${KEPT}`]: "[Service]\nExecStart=/bin/sleep infinity\n",
    });
    await apply();
  });

  afterEach(async (context) => {
    if (!(context as { passed?: boolean }).passed) console.error(await cluster.report());
  });

  after(async () => cluster?.down());

  const apply = async (...words: readonly string[]): Promise<void> => {
    const all = ["apply", "--auto-approve", "--allow-deletes", "--timeout", "30s", ...words];
    const { code, stdout, stderr } = await cluster.fleet(...all);
    assert.equal(code, 0, stdout + stderr);
  };

  const show = async (unit: string, property: string): Promise<string> =>
    (await cluster.inside("m1", "systemctl", "show", "--value", `--property=${property}`, "--", unit)).trim();
  const remembered = () => cluster.inside("m1", "cat", "/var/lib/fleet/agent/state.json");
  const file = () => cluster.inside("m1", "cat", `/run/systemd/system/${UPLINK}`);
  const isCableUp = async () => /state UP|,UP/.test(await cluster.inside("m1", "ip", "link", "show", "eth0"));
  const problemOf = async (unit: string) =>
    (await cluster.status()).units.find((row) => row.unit === unit)?.problem?.code ?? null;
  const isConfirmed = () =>
    eventually("the machine is known to be reached", async () => !(await remembered()).includes('"trial"'));

  test("is undone where it does, by the machine alone, and not tried again; what it left alone ran on", async () => {
    await isConfirmed();
    const kept = await show(KEPT, "InvocationID");
    await cluster.commit("pull the cable", { [`units/${UPLINK}`]: uplink("down") });
    await apply("--detach");
    await eventually("the cable is pulled", async () => !(await isCableUp()));
    await eventually("the cable is plugged in again", isCableUp);
    await eventually("the machine says so", async () => (await problemOf(UPLINK)) === "not-confirmed");
    assert.equal(await file(), uplink("up"));
    assert.equal(await show(UPLINK, "ActiveState"), "active");
    assert.equal(await show(KEPT, "InvocationID"), kept);
    const { stdout } = await cluster.ask("status");
    assert.match(stdout, new RegExp(`m1: not-confirmed: nobody was reached for ${CONFIRM_S} s after .* ${UPLINK}`));
    const restored = await show(UPLINK, "InvocationID");
    await cluster.inside("m1", "systemctl", "restart", "fleet-agent.service");
    await eventually("its agent is back", async () => (await cluster.status()).members[0]?.present === true);
    await cluster.commit("something else", { [`units/${KEPT}`]: "[Service]\nExecStart=/bin/sleep 1000000\n" });
    await apply("--detach");
    await eventually("the other change is there", async () => (await show(KEPT, "InvocationID")) !== kept);
    assert.equal(await show(UPLINK, "InvocationID"), restored, "not tried again");
    assert.equal(await problemOf(UPLINK), "not-confirmed");
  });

  test("stays where it does not, and is what is run from then on", async () => {
    const kept = await show(KEPT, "InvocationID");
    await cluster.commit("a better uplink", { [`units/${UPLINK}`]: uplink("up").replace("eth0", "dev eth0") });
    await apply();
    await isConfirmed();
    assert.equal(await file(), uplink("up").replace("eth0", "dev eth0"));
    assert.equal(await problemOf(UPLINK), null);
    assert.doesNotMatch((await cluster.ask("status")).stdout, /not-confirmed/);
    assert.doesNotMatch(await remembered(), /refusal/);
    assert.equal(await show(KEPT, "InvocationID"), kept);
  });

  test("is undone where the agent is killed while it is cut off", async () => {
    await cluster.commit("pull the cable again", { [`units/${UPLINK}`]: uplink("down", "again") });
    await apply("--detach");
    await eventually("the cable is pulled", async () => !(await isCableUp()));
    await cluster.inside("m1", "systemctl", "kill", "--signal=KILL", "fleet-agent.service");
    await eventually("the cable is plugged in again", isCableUp);
    assert.equal(await file(), uplink("up").replace("eth0", "dev eth0"));
    await eventually("the machine says so", async () => (await problemOf(UPLINK)) === "not-confirmed");
  });
});
