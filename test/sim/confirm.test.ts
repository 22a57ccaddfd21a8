import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { UnitName } from "../../src/domain/names.ts";
import { Random } from "../../src/sim/random.ts";
import { SimCluster } from "../../src/sim/sim-cluster.ts";
import type { SimMachine } from "../../src/sim/sim-machine.ts";

const uplink = "uplink.service" as UnitName;
const web = "web.service" as UnitName;
const firewall = "nftables.service" as UnitName;
const STATE = "/var/lib/fleet/agent/state.json";
const BOOT_SET = "/var/lib/fleet/agent/boot-set";
const STEP_MS = 100;
/** What is asked for by default, and a question at the end of it. */
const RESTORED_MS = 90_000 + 15_000;

const service = (command: string) => `[Service]\nExecStart=/bin/${command}\n`;
const MANIFEST = "apiVersion: fleet/v1\ncluster: edge\n";
const FILES: Readonly<Record<string, string>> = {
  "fleet.yaml": MANIFEST,
  [`units/${uplink}`]: service("up"),
  [`units/${firewall}`]: service("rules"),
  [`units/${web}`]: service("web"),
};
/** While it runs, nobody is reached. */
const CUT = { ...FILES, [`units/${uplink}`]: service("up cut") };

describe("a change that cuts its machine off", () => {
  test("is undone by the machine itself, told of later, and not tried again", async () => {
    const { sim, machine, pass, release } = await running();
    const before = invocations(machine);
    await release({ ...CUT, "units/new.service": service("new") });
    assert.ok(await pass(20_000, () => isCut(machine)));
    assert.ok(await pass(RESTORED_MS, () => !isCut(machine)));
    await pass(30_000);
    assert.equal(machine.manager.running().has("new.service" as UnitName), false, "what came along went along");
    const after = invocations(machine);
    assert.equal(after.get(web), before.get(web), "what was not changed runs on");
    assert.notEqual(after.get(firewall), before.get(firewall), "what else touches the network did its work again");
    assert.deepEqual(await told(sim), ["new.service not-confirmed", `${uplink} not-confirmed`]);
    assert.match(
      (await sim.snapshot()).members[0]?.problem?.detail ?? "",
      /nobody was reached for 90 s.* uplink\.service/,
    );
    await pass(600_000);
    assert.deepEqual(invocations(machine), after, "neither tried again nor fought about");
    const { revision } = await sim.snapshot();
    await pass(600_000);
    assert.equal((await sim.snapshot()).revision, revision, "told once");
    await sim.end();
  });

  test("is undone where the agent dies and comes again, or the machine boots, in between; all of it in twice the time at most", async () => {
    for (const how of ["agent", "machine"] as const) {
      const { sim, machine, pass, release } = await running();
      await release(CUT);
      assert.ok(await pass(20_000, () => isCut(machine)));
      const startMs = sim.clock.monotonicMs();
      for (let times = 0; times < 12 && isUplink(machine, "cut"); times++) {
        await pass(50_000, () => isUplink(machine, ""));
        if (isUplink(machine, "")) break;
        if (how === "agent") machine.crashAgent();
        else machine.powerOff();
        if (how === "agent") machine.startAgent();
        else machine.powerOn(true);
        await pass(25_000, () => isUplink(machine, "cut"));
      }
      assert.ok(await pass(RESTORED_MS, () => isUplink(machine, "")), how);
      assert.ok(sim.clock.monotonicMs() - startMs < 2 * RESTORED_MS + 6 * 25_000, how);
      await pass(60_000);
      assert.deepEqual(await told(sim), [`${uplink} not-confirmed`]);
      machine.powerOff();
      machine.powerOn(true);
      await pass(120_000);
      assert.ok(isUplink(machine, ""), "also after a boot it is not tried again");
      await sim.end();
    }
  });

  test("is undone wherever the agent dies while it puts back, and ends as it was before", async () => {
    for (let seed = 1; seed <= 25; seed++) {
      const random = new Random(seed);
      const { sim, machine, pass, release } = await running();
      await release(CUT);
      assert.ok(await pass(20_000, () => isCut(machine)));
      await pass(random.between(85_000, 96_000), () => !isCut(machine));
      machine.crashAgentSoon(
        random.chance(0.5) ? { calls: random.between(0, 20) } : { diskSteps: random.between(1, 20) },
      );
      await pass(30_000);
      machine.crashAgent();
      machine.startAgent();
      assert.ok(await pass(RESTORED_MS, () => !isCut(machine)), `seed ${seed}`);
      await pass(60_000);
      for (const [unit, text] of [uplink, firewall, web].map((name) => [name, FILES[`units/${name}`]] as const)) {
        assert.equal(machine.files.peek(`/run/systemd/system/${unit}`)?.text, text, `seed ${seed}`);
        assert.equal(machine.manager.running().get(unit)?.text, text, `seed ${seed}`);
      }
      await sim.end();
    }
  });

  test("is what a boot without an agent does not start", async () => {
    const { sim, machine, pass, release } = await running();
    await release(CUT);
    assert.ok(await pass(20_000, () => isCut(machine)));
    await pass(60_000);
    assert.doesNotMatch(machine.files.peek(BOOT_SET)?.text ?? "", /cut/);
    assert.match(machine.files.peek(BOOT_SET)?.text ?? "", /bin\/up/);
    await sim.end();
  });

  test("is followed by one that does not, and is taken at once; what has nothing to do with it is taken meanwhile", async () => {
    const { sim, machine, pass, release } = await running();
    await release(CUT);
    assert.ok(await pass(20_000, () => isCut(machine)));
    assert.ok(await pass(RESTORED_MS, () => !isCut(machine)));
    const kept = invocations(machine).get(uplink);
    await release({ ...CUT, [`units/${web}`]: service("web 2") });
    assert.ok(await pass(60_000, () => machine.manager.running().get(web)?.text === service("web 2")));
    assert.equal(invocations(machine).get(uplink), kept);
    machine.powerOff();
    machine.powerOn(true);
    assert.ok(await pass(60_000, () => isUplink(machine, "")), "its text outlives the sets that do not name it");
    await release({ ...FILES, [`units/${uplink}`]: service("up better") });
    assert.ok(await pass(60_000, () => isUplink(machine, "better")));
    await pass(200_000);
    assert.deepEqual(await told(sim), []);
    assert.equal((await sim.snapshot()).members[0]?.problem, null);
    assert.doesNotMatch(machine.files.peek(STATE)?.text ?? "", /refusal/);
    assert.ok((await sim.convergence())?.converged);
    await sim.end();
  });

  test("is undone along with what came while it was on trial", async () => {
    const { sim, machine, pass, release } = await running();
    await release({ ...FILES, [`units/${uplink}`]: service("up 2") });
    assert.ok(await pass(20_000, () => isUplink(machine, "2")));
    await release({ ...FILES, [`units/${uplink}`]: service("up 2"), [`units/${web}`]: service("web 2") });
    assert.ok(await pass(4_000, () => machine.manager.running().get(web)?.text === service("web 2")));
    machine.setPartitioned(true);
    machine.source.down = true;
    await sim.clock.advance(RESTORED_MS);
    assert.ok(isUplink(machine, ""));
    assert.equal(machine.manager.running().get(web)?.text, service("web"));
    await sim.end();
  });

  test("leaves a unit that moved meanwhile where it went", async () => {
    const on = (zone: string) => `[X-Fleet]\nMachineMetadata=zone=${zone}\n`;
    const pinned = {
      ...FILES,
      [`units/${uplink}`]: service("up") + on("a"),
      [`units/${web}`]: service("web") + on("a"),
    };
    const { sim, machine, pass, release } = await running(pinned, 2);
    const other = sim.machines[1]!;
    assert.ok(machine.manager.running().has(web));
    await release({
      ...pinned,
      [`units/${uplink}`]: service("up cut") + on("a"),
      [`units/${web}`]: service("web") + on("b"),
    });
    assert.ok(await pass(60_000, () => isCut(machine) && other.manager.running().has(web)));
    assert.ok(await pass(RESTORED_MS, () => !isCut(machine)));
    await pass(60_000);
    assert.ok(machine.manager.running().has(uplink));
    assert.equal(machine.manager.running().has(web), false);
    assert.ok(other.manager.running().has(web));
    await sim.end();
  });

  test("is left where the manifest says off, however long", async () => {
    const { sim, machine, pass, release } = await running();
    await release({ ...CUT, "fleet.yaml": `${MANIFEST}defaults: { confirm: off }\n` });
    assert.ok(await pass(20_000, () => isCut(machine)));
    await pass(600_000);
    assert.ok(isCut(machine));
    await sim.end();
  });
});

describe("a change that does not", () => {
  test("is confirmed by either of registry and source, and nothing of it is undone when both are gone later", async () => {
    for (const gone of ["registry", "source"] as const) {
      const { sim, machine, pass, release } = await running();
      await release({ ...FILES, [`units/${uplink}`]: service("up 2") });
      assert.ok(await pass(20_000, () => isUplink(machine, "2")));
      if (gone === "registry") machine.setPartitioned(true);
      else machine.source.down = true;
      await sim.clock.advance(30_000);
      assert.doesNotMatch(machine.files.peek(STATE)?.text ?? "", /trial/);
      machine.setPartitioned(true);
      machine.source.down = true;
      await sim.clock.advance(900_000);
      assert.ok(isUplink(machine, "2"), gone);
      await sim.end();
    }
  });

  test("is kept where somebody is reached just before the end, and undone where it is just after", async () => {
    for (const [awayMs, expected] of [
      [80_000, "2"],
      [RESTORED_MS, ""],
    ] as const) {
      const { sim, machine, release, pass } = await running();
      await release({ ...FILES, [`units/${uplink}`]: service("up 2") });
      assert.ok(await pass(20_000, () => isUplink(machine, "2")));
      machine.setPartitioned(true);
      machine.source.down = true;
      await sim.clock.advance(awayMs);
      machine.setPartitioned(false);
      machine.source.down = false;
      await sim.clock.advance(60_000);
      assert.ok(isUplink(machine, expected), `after ${awayMs} ms`);
      await sim.end();
    }
  });

  test("is never on trial where it does not touch the network, unless the manifest asks for it", async () => {
    for (const [manifest, text] of [
      [MANIFEST, "web 2"],
      [`${MANIFEST}units: { web.service: { confirm: 20s } }\n`, "web"],
    ] as const) {
      const { sim, machine, release, pass } = await running();
      await release({ ...FILES, "fleet.yaml": manifest, [`units/${web}`]: service("web 2") });
      assert.ok(await pass(20_000, () => machine.manager.running().get(web)?.text === service("web 2")));
      machine.setPartitioned(true);
      machine.source.down = true;
      await sim.clock.advance(60_000);
      assert.equal(machine.manager.running().get(web)?.text, service(text));
      await sim.end();
    }
  });

  test("is not undone by an agent that was stopped for longer than all of the time", async () => {
    const { sim, machine, release, pass } = await running();
    await release({ ...FILES, [`units/${uplink}`]: service("up 2") });
    assert.ok(await pass(20_000, () => isUplink(machine, "2")));
    machine.setPaused(true);
    await sim.clock.advance(600_000);
    machine.setPaused(false);
    await sim.clock.advance(60_000);
    assert.ok(isUplink(machine, "2"));
    assert.doesNotMatch(machine.files.peek(STATE)?.text ?? "", /trial/);
    await sim.end();
  });
});

/** Machines that run everything and have confirmed it, and time that goes by on the first: while its uplink cuts, it reaches nobody. */
async function running(files = FILES, machines = 1) {
  const sim = new SimCluster({ seed: 1, machines, engines: machines, cluster: "edge" });
  sim.start();
  const machine = sim.machines[0]!;
  const pass = async (limitMs: number, until: () => boolean = () => false): Promise<boolean> => {
    for (let ms = 0; ms < limitMs && !until(); ms += STEP_MS) {
      await sim.clock.advance(STEP_MS);
      const cut = isCut(machine);
      if (machine.partitioned !== cut) machine.setPartitioned(cut);
      machine.source.down = cut;
    }
    return until();
  };
  const release = async (files: Readonly<Record<string, string>>): Promise<void> => {
    await sim.apply(sim.commit(files, "a change"));
  };
  await sim.clock.advance(3_000);
  await release(files);
  const count = () => sim.machines.reduce((sum, { manager }) => sum + manager.running().size, 0);
  assert.ok(await pass(300_000, () => count() === 3));
  await pass(30_000);
  return { sim, machine, pass, release };
}

function isCut(machine: SimMachine): boolean {
  return machine.manager.running().get(uplink)?.text.includes("cut") === true;
}

function isUplink(machine: SimMachine, version: string): boolean {
  return machine.manager.running().get(uplink)?.text === service(`up ${version}`.trim());
}

function invocations(machine: SimMachine): Map<UnitName, string> {
  return new Map([...machine.manager.running()].map(([unit, { invocation }]) => [unit, invocation]));
}

async function told(sim: SimCluster): Promise<string[]> {
  const { statuses } = await sim.snapshot();
  return statuses.flatMap(({ unit, problem }) => (problem === null ? [] : [`${unit} ${problem.code}`]));
}
