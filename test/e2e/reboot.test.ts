import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import { labExec, labList } from "../../src/lab/lab.ts";
import { ClusterOnLab } from "./cluster-on-lab.ts";
import { eventually, LAB_NAME, labSkipReason } from "./lab-name.ts";

const MACHINES = ["m1", "m2", "m3"];
const RESTARTING = ["m2", "m3"];
const GUARD = "fleet-reboot-guard.service";
const UNITS = "/etc/systemd/system";
const shipped = readFileSync(join(import.meta.dirname, "../../packaging/systemd", GUARD), "utf8");

const MANIFEST =
  "apiVersion: fleet/v1\ncluster: hello\nadmit: any\nunits: { web@.service: { instances: 3, rollout: { minHealthyTime: 500ms } }, each.service: { rollout: { minHealthyTime: 500ms } } }\n";
const service = (lines: string) => `[Service]\nExecStart=/bin/sleep infinity\n${lines}`;

interface Slots {
  readonly held: readonly { readonly holder: string; readonly going?: true }[];
}

describe("machines that want to restart", { skip: labSkipReason(), concurrency: false }, () => {
  let cluster: ClusterOnLab;

  before(async () => {
    cluster = await ClusterOnLab.up("hello", MACHINES.length);
    const gone = ["red.service", "blue.service", "hello@.service", "tick.service", "tick.timer"];
    await cluster.commit("machines that restart", {
      ...Object.fromEntries(gone.map((name) => [`units/${name}`, null])),
      "fleet.yaml": MANIFEST,
      "units/web@.service": service(""),
      "units/each.service": service("[X-Fleet]\nGlobal=true\n"),
      "units/everywhere.service": null,
    });
    const { code, stdout, stderr } = await cluster.fleet(
      "apply",
      "--auto-approve",
      "--allow-deletes",
      "--timeout",
      "30s",
    );
    assert.equal(code, 0, stdout + stderr);
  });

  afterEach(async (context) => {
    if (!(context as { passed?: boolean }).passed) console.error(await cluster.report());
  });

  after(async () => cluster?.down());

  const slots = async (): Promise<Slots["held"]> => {
    const { code, stdout } = await cluster.ask("locks", "--json");
    assert.equal(code, 0);
    const locks = JSON.parse(stdout) as readonly (Slots & { readonly name: string })[];
    return locks.find(({ name }) => name === "reboot")?.held ?? [];
  };

  /** The shipped service, with what the lab tells the agent of where things are. */
  const startGuard = async (machine: string): Promise<void> => {
    const agent = await cluster.inside(machine, "cat", `${UNITS}/fleet-agent.service`);
    const lab = agent
      .split("\n")
      .filter((line) => /^(Environment="|ReadWritePaths=\/opt|BindReadOnlyPaths=)/.test(line));
    const text = shipped
      .replaceAll("/usr/lib/fleet/node", "/opt/fleet/node")
      .replaceAll("/usr/lib/fleet/", "/opt/fleet/app/")
      .replace("[Service]", () => ["[Service]", ...lab].join("\n"));
    const script = `cat > ${UNITS}/${GUARD} && mkdir -p ${UNITS}/default.target.wants && ln -s ../${GUARD} ${UNITS}/default.target.wants/`;
    const argv = ["sh", "-c", `${script} && systemctl daemon-reload && systemctl start --no-block ${GUARD}`];
    const { code, stderr } = await labExec(LAB_NAME, machine, argv, { stdin: text });
    assert.equal(code, 0, stderr);
  };

  test("they do so one after the other, within the budgets, and give their slots back", async () => {
    const boots = new Map<string, string>();
    const bootOf = async (machine: string) =>
      (await cluster.inside(machine, "cat", "/proc/sys/kernel/random/boot_id")).trim();
    for (const machine of RESTARTING) {
      boots.set(machine, await bootOf(machine));
      await cluster.inside(machine, "touch", "/run/reboot-required");
      await startGuard(machine);
    }
    const order: string[] = [];
    await eventually(
      "both have restarted, and nobody has a slot",
      async () => {
        const off = labList(LAB_NAME).filter(({ alive }) => !alive);
        assert.ok(off.length <= 1, `${off.map(({ name }) => name)} are off at once`);
        for (const { name } of off) {
          order.push(name);
          const [holder, ...others] = await slots();
          assert.equal(others.length, 0);
          assert.equal(holder?.going, true, "it said that it goes");
          const running = MACHINES.filter((machine) => machine !== name);
          for (const machine of running) await cluster.inside(machine, "systemctl", "is-active", "each.service");
          await cluster.lab("revive", name);
        }
        return order.length >= RESTARTING.length && (await slots()).length === 0;
      },
      60_000,
    );
    assert.deepEqual([...order].sort(), RESTARTING, "each once");
    for (const machine of RESTARTING) assert.notEqual(await bootOf(machine), boots.get(machine));
    const { units } = await cluster.status();
    for (const { unit, active } of units) assert.equal(active, "active", unit);
  });
});
