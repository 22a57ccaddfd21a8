import assert from "node:assert/strict";
import { test } from "node:test";
import { AgentMachine, unit } from "../../test/agent-machine.ts";
import { ProcessDied } from "../adapters/memory/memory-file-store.ts";
import type { UnitName } from "../domain/names.ts";
import type { WantedUnit } from "../domain/tasks/task.ts";
import { serviceNameOf } from "../domain/unit/unit-name.ts";
import { AgentFiles } from "./agent-files.ts";
import { findForeignUnits } from "./find-foreign-units.ts";
import { leaveUnits } from "./leave-units.ts";

const QUADLETS = "/run/containers/systemd";
const ETC = "/etc/containers/systemd";

function quadlet(name: string, text: string, changes: Parameters<typeof unit>[2] = {}): WantedUnit {
  return { ...unit(name, text, changes), service: serviceNameOf(name as UnitName) };
}

const volume = quadlet("data.volume", "[Volume]\n");
const db = (image: string, changes: Parameters<typeof unit>[2] = {}) =>
  quadlet("db.container", `[Container]\nImage=${image}\nVolume=data.volume:/data\n`, changes);

/** What runs as which service, in which version. */
function images(machine: AgentMachine): Record<string, string> {
  const found = Object.entries(machine.running()).map(([service, text]) => [
    service,
    /^Image=(.*)$/m.exec(text)?.[1] ?? "",
  ]);
  return Object.fromEntries(found);
}

async function settled(...wanted: readonly WantedUnit[]): Promise<AgentMachine> {
  const machine = new AgentMachine();
  await machine.settle(wanted);
  return machine;
}

test("quadlets land where podman's generator reads them, and start by the names it gives, after one reload", async () => {
  const machine = await settled(db("one"), volume);
  assert.deepEqual(machine.disk.names(QUADLETS), ["data.volume", "db.container"]);
  assert.deepEqual(machine.files(), [], "systemd reads none of them");
  assert.deepEqual(images(machine), { "data-volume.service": "", "db.service": "one" });
  assert.equal(machine.manager.reloads, 1);
});

test("another image is one reload and one restart, of that container alone", async () => {
  const machine = await settled(db("one"), volume);
  const before = machine.manager.running().get("data-volume.service" as UnitName)?.invocation;
  await machine.settle([db("two"), volume]);
  assert.deepEqual(images(machine), { "data-volume.service": "", "db.service": "two" });
  assert.equal(machine.manager.running().get("data-volume.service" as UnitName)?.invocation, before);
  assert.equal(machine.manager.reloads, 2);
});

test("a hundred of them are one reload as well", async () => {
  const many = (image: string) =>
    Array.from({ length: 100 }, (_, at) => quadlet(`c${at}.container`, `[Container]\nImage=${image}\n`));
  const machine = await settled(...many("one"));
  await machine.settle(many("two"));
  assert.equal(machine.manager.reloads, 2);
  assert.equal(Object.values(images(machine)).filter((image) => image === "two").length, 100);
});

test("a drop-in lands beside its quadlet, and goes with it", async () => {
  const dropin = { "db.container.d/10.conf": "[Container]\nEnvironment=A=b\n" };
  const machine = await settled(db("one", { files: dropin }), volume);
  assert.deepEqual(machine.disk.names(`${QUADLETS}/db.container.d`), ["10.conf"]);
  assert.match(machine.running()["db.service"] ?? "", /A=b/);
  await machine.settle([db("one"), volume]);
  assert.deepEqual(machine.disk.names(QUADLETS), ["data.volume", "db.container"]);
  assert.doesNotMatch(machine.running()["db.service"] ?? "", /A=b/);
});

test("what is not wanted any more is stopped, and its service is gone after one reload", async () => {
  const machine = await settled(db("one"), volume);
  await machine.settle([]);
  assert.deepEqual(machine.disk.names(QUADLETS), []);
  assert.deepEqual(images(machine), {});
  assert.equal(machine.manager.reloads, 2);
  await assert.rejects(machine.during(machine.manager.start("db.service" as UnitName)), /not-found/);
});

test("an agent that comes again touches nothing that is right", async () => {
  const machine = await settled(db("one"), volume);
  machine.restart();
  await machine.during(machine.pass([db("one"), volume]));
  assert.equal(machine.tasks, 0);
  assert.equal(machine.manager.reloads, 1);
});

test("an agent that dies at any point of a change leaves the old version running or ends in the new one", async () => {
  for (let at = 1; ; at++) {
    const machine = await settled(db("one"), volume);
    machine.disk.dieAfter(at);
    const died = await machine.during(machine.pass([db("two"), volume])).then(
      () => false,
      (error: unknown) => {
        if (!(error instanceof ProcessDied)) throw error;
        return true;
      },
    );
    machine.restart();
    await machine.settle([db("two"), volume]);
    assert.deepEqual(images(machine), { "data-volume.service": "", "db.service": "two" }, `died at ${at}`);
    assert.equal(machine.disk.peek(`${QUADLETS}/db.container`)?.text, db("two").files[0]!.text, `died at ${at}`);
    if (!died) break;
  }
});

for (const [whose, path] of [
  ["an administrator's quadlet", `${ETC}/db.container`],
  ["a package's quadlet", "/usr/share/containers/systemd/db.container"],
  ["an administrator's service of that name", "/etc/systemd/system/db.service"],
] as const) {
  test(`${whose} is a conflict: nothing is written over it`, async () => {
    const machine = new AgentMachine();
    await machine.disk.write(path, "[Container]\nImage=theirs\n");
    await machine.settle([db("ours"), volume]);
    assert.deepEqual(machine.blocked, [{ unit: "db.container", because: { code: "conflict", fragmentPath: path } }]);
    assert.deepEqual(machine.disk.names(QUADLETS), ["data.volume"]);
  });
}

test("what somebody else's quadlet runs as is a conflict as well", async () => {
  const machine = new AgentMachine();
  await machine.disk.write(`${ETC}/db.container`, "[Container]\nImage=theirs\n");
  await machine.manager.reload();
  await machine.during(machine.manager.start("db.service" as UnitName));
  await machine.settle([db("ours"), volume]);
  assert.deepEqual(
    machine.blocked.map(({ unit: name, because }) => [name, because.code]),
    [["db.container", "conflict"]],
  );
  assert.equal(images(machine)["db.service"], "theirs");
});

test("a quadlet that somebody edits and loads is put back, with one reload", async () => {
  const machine = await settled(db("one"), volume);
  await machine.disk.write(`${QUADLETS}/db.container`, "[Container]\nImage=theirs\n");
  await machine.settle([db("one"), volume]);
  assert.equal(machine.disk.peek(`${QUADLETS}/db.container`)?.text, db("one").files[0]!.text);
  assert.equal(images(machine)["db.service"], "one");
});

test("a quadlet that somebody deletes is put back", async () => {
  const machine = await settled(db("one"), volume);
  await machine.disk.remove(`${QUADLETS}/db.container`);
  await machine.settle([db("one"), volume]);
  assert.deepEqual(images(machine), { "data-volume.service": "", "db.service": "one" });
  assert.deepEqual(machine.disk.names(QUADLETS), ["data.volume", "db.container"]);
});

for (const path of [
  `${ETC}/db.container.d/theirs.conf`,
  `${QUADLETS}/db.container.d/theirs.conf`,
  "/etc/systemd/system/db.service.d/theirs.conf",
]) {
  test(`somebody's drop-in ${path} is put aside`, async () => {
    const machine = await settled(db("one"), volume);
    await machine.disk.write(path, "[Service]\nNice=5\n");
    await machine.settle([db("one"), volume]);
    assert.equal(machine.disk.peek(path), null);
    assert.deepEqual(machine.drift.get("db.container" as UnitName)?.seen, [{ kind: "extra-dropin", path }]);
  });
}

test("after a power failure they come from the registry again, with one reload", async () => {
  const machine = await settled(db("one"), volume);
  machine.powerOff();
  assert.deepEqual(images(machine), {});
  await machine.settle([db("one"), volume]);
  assert.deepEqual(images(machine), { "data-volume.service": "", "db.service": "one" });
  assert.equal(machine.manager.reloads, 2);
});

test("a boot without an agent finds them in the boot set, by path and by service, and an agent that comes reloads once", async () => {
  const machine = await settled(db("one"), volume);
  await new AgentFiles(machine.disk).bootSet.afterPass(true);
  const set = machine.disk.peek("/var/lib/fleet/agent/boot-set")?.text ?? "";
  assert.match(set, new RegExp(`^file ${QUADLETS}/db.container$`, "m"));
  assert.match(set, /^start data-volume.service\nstart db.service$/m);
  assert.match(set, /"db.container":\{[^}]*"loaded":null/);
});

test("quadlets that are kept when their machine leaves run on, from where administrators have theirs, and start at boot", async () => {
  const machine = await settled(db("one"), volume);
  const before = machine.manager.running().get("db.service" as UnitName)?.invocation;
  const { manager, disk, clock } = machine;
  const control = { wantAtBoot: async () => assert.fail("no link of systemd's starts what a generator makes") };
  const left = await machine.during(leaveUnits(true, { manager, control, disk, files: new AgentFiles(disk), clock }));
  assert.deepEqual(left.kept, ["data.volume", "db.container"]);
  assert.equal(machine.manager.running().get("db.service" as UnitName)?.invocation, before);
  assert.equal(disk.peek(`${ETC}/db.container`)?.text, db("one").files[0]!.text);
  assert.match(disk.peek(`${ETC}/db.container.d/90-fleet-install.conf`)?.text ?? "", /WantedBy=multi-user.target/);
  assert.deepEqual(disk.names(QUADLETS), []);
});

test("quadlets of a machine that leaves are stopped and gone", async () => {
  const machine = await settled(db("one"), volume);
  const { manager, disk, clock } = machine;
  const control = { wantAtBoot: async () => assert.fail("nothing stays") };
  await machine.during(leaveUnits(false, { manager, control, disk, files: new AgentFiles(disk), clock }));
  assert.deepEqual(images(machine), {});
  assert.deepEqual(disk.names(QUADLETS), []);
});

test("a quadlet that somebody installed and that says the same is taken over where it runs, if it may be", async () => {
  const machine = new AgentMachine();
  const text = "[Container]\nImage=one\n";
  const dropin = "[Container]\nEnvironment=A=b\n";
  await machine.disk.write(`${ETC}/db.container`, text);
  await machine.disk.write(`${ETC}/db.container.d/10.conf`, dropin);
  await machine.manager.reload();
  await machine.during(machine.manager.start("db.service" as UnitName));
  const before = machine.manager.running().get("db.service" as UnitName)?.invocation;
  const found = () => findForeignUnits(machine.manager, new AgentFiles(machine.disk));
  assert.deepEqual(await found(), ["db.container"]);
  const ours = (image: string) =>
    quadlet("db.container", `[Container]\nImage=${image}\n`, {
      adopt: true,
      files: { "db.container.d/5.conf": dropin },
    });
  await machine.settle([ours("two")]);
  assert.deepEqual(
    machine.blocked.map(({ because }) => because.code),
    ["conflict"],
    "it says something else",
  );
  // A conflict is looked at again after a minute's passes.
  for (let pass = 0; pass < 13; pass++) await machine.during(machine.pass([ours("one")]));
  assert.deepEqual(machine.blocked, []);
  assert.equal(machine.manager.running().get("db.service" as UnitName)?.invocation, before);
  assert.deepEqual(machine.disk.names(ETC), []);
  assert.deepEqual(machine.disk.names(`${QUADLETS}/db.container.d`), ["5.conf"]);
  assert.equal(machine.disk.peek(`/var/lib/fleet/agent/adopted/db.container${ETC}/db.container`)?.text, text);
  assert.deepEqual(await found(), []);
  await machine.settle([ours("two")]);
  assert.equal(images(machine)["db.service"], "two");
});
