import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { labExec } from "../../src/lab/lab.ts";
import { needLab } from "../../src/lab/lab-state.ts";
import { ClusterOnLab, type ShownCluster } from "./cluster-on-lab.ts";
import { eventually, LAB_NAME, labSkipReason } from "./lab-name.ts";

const MACHINE = "m1";
const sleeper = (about: string) => `[Unit]\nDescription=${about}\n\n[Service]\nExecStart=/bin/sleep infinity\n`;

interface Shown extends ShownCluster {
  readonly units: readonly (ShownCluster["units"][number] & { readonly hold: { readonly reason: string } | null })[];
  readonly holds: readonly { readonly reason: string; readonly placedAt?: string }[];
}

describe("a hold at the machine itself", { skip: labSkipReason(), concurrency: false }, () => {
  let cluster: ClusterOnLab;

  before(async () => {
    cluster = await ClusterOnLab.up("hello", 1);
    const gone = Object.fromEntries(
      ["red", "blue", "everywhere", "hello@"].map((name) => [`units/${name}.service`, null]),
    );
    await cluster.commit("one to hold, and one beside it", {
      ...gone,
      "fleet.yaml": "apiVersion: fleet/v1\ncluster: hello\n",
      "units/afar.service": sleeper("afar"),
      "units/held.service": sleeper("held"),
      "units/other.service": sleeper("other"),
    });
    const { code, stdout, stderr } = await cluster.fleet("apply", "--auto-approve", "--allow-deletes");
    assert.equal(code, 0, stdout + stderr);
  });

  afterEach(async (context) => {
    if ((context as { passed?: boolean }).passed) return;
    registry("SIGCONT");
    console.error(await cluster.report());
  });

  after(async () => {
    registry("SIGCONT");
    await cluster?.down();
  });

  /** The registry's process, which answers nobody while it is stopped. */
  function registry(signal: "SIGSTOP" | "SIGCONT"): void {
    const process_ = needLab(LAB_NAME).processes.find(({ role }) => role === "registry");
    if (process_ !== undefined) process.kill(process_.pid, signal);
  }

  const hold = (...words: string[]) =>
    cluster.inside(MACHINE, "/opt/fleet/node", "/opt/fleet/app/fleet.js", "hold", ...words, "--on-this-machine");
  const systemctl = (...words: string[]) => cluster.inside(MACHINE, "systemctl", ...words);
  const activeState = async (unit: string) =>
    (await systemctl("show", "--value", "--property=ActiveState", "--", unit)).trim();
  const isRepaired = (unit: string, why: string) => eventually(why, async () => (await activeState(unit)) === "active");
  const tryHold = () =>
    labExec(LAB_NAME, MACHINE, ["/opt/fleet/node", "/opt/fleet/app/fleet.js", "hold", "--on-this-machine"]);

  test("with the registry away a unit is held at the machine; this and what the registry said survive the agent; each ends in its way", async () => {
    const placed = await cluster.fleet("hold", "afar.service", "--for", "10m", "--reason", "from afar");
    assert.equal(placed.code, 0, placed.stderr);
    await eventually("the agent knows of it", async () => /from afar/.test((await tryHold()).stdout));
    registry("SIGSTOP");
    assert.match(
      await hold("held.service", "--for", "10m", "--reason", "a look inside"),
      /hold: held\.service \(asked at m1 itself, and ended there\) is left as it is, by root until \S+ \(\d+ min more\): a look inside/,
    );
    await systemctl("restart", "fleet-agent");
    await systemctl("stop", "held.service", "afar.service", "other.service");
    await isRepaired("other.service", "the agent, with no registry, repairs what is not held");
    assert.deepEqual([await activeState("held.service"), await activeState("afar.service")], ["inactive", "inactive"]);
    assert.match(await hold(), /afar\.service is left as it is, .*: from afar\n.*held\.service .*: a look inside/);
    registry("SIGCONT");
    const shown = await eventually("status shows the machine's own hold", async () => {
      const { code, stdout } = await cluster.ask("status", "--json");
      const status = code === 0 ? (JSON.parse(stdout) as Shown) : null;
      return status?.holds.some(({ placedAt }) => placedAt === status.members[0]!.id) && status;
    });
    const held = shown.units.filter(({ hold }) => hold !== null).map(({ unit, hold }) => [unit, hold!.reason]);
    assert.deepEqual(held, [
      ["afar.service", "from afar"],
      ["held.service", "a look inside"],
    ]);
    await hold("held.service", "--end");
    await isRepaired("held.service", "its end there is the end of it");
    const startedMs = performance.now();
    await hold("other.service", "--for", "5s", "--reason", "for a moment");
    await systemctl("stop", "other.service");
    await isRepaired("other.service", "it ends by itself");
    assert.ok(performance.now() - startedMs >= 5_000, "not before its time");
    await eventually("nobody is told of it any more", async () => {
      const { stdout } = await cluster.fleet("hold", "--json");
      return !/a look inside|for a moment/.test(stdout) && stdout.includes("from afar");
    });
    assert.equal(await activeState("afar.service"), "inactive");
    assert.equal((await cluster.fleet("hold", "afar.service", "--end")).code, 0);
    await isRepaired("afar.service", "its end is the end of it");
  });
});
