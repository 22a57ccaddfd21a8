import assert from "node:assert/strict";
import { test } from "node:test";
import { AgentMachine, server, UNITS, unit } from "../../test/agent-machine.ts";
import { ProcessDied } from "../adapters/memory/memory-file-store.ts";
import type { UnitName } from "../domain/names.ts";
import { atMostOneDropin } from "../domain/spec/at-most-one-dropin.ts";
import { FILES_ROOT } from "../domain/spec/delivered-file.ts";
import { AgentFiles } from "./agent-files.ts";
import { type LeftUnits, leaveUnits } from "./leave-units.ts";

const ETC = "/etc/systemd/system";
const [A, B, T] = ["a.service", "b.service", "t.timer"] as const;
const THEIRS = "# By hand\n[Service]\nExecStart=/bin/server theirs\n";
const SET = [
  unit(A, server("a"), { files: { [`${A}.d/10-limit.conf`]: "[Service]\nTimeoutStopSec=7\n" } }),
  unit(B, server("b", `After=${A}\n`), { goal: "loaded" }),
  unit(T, "[Timer]\nOnCalendar=daily\n"),
];

/** A machine on which a set runs, and nobody's agent. */
async function machineWith(wanted = SET) {
  const machine = new AgentMachine();
  await machine.settle(wanted);
  const wants: string[] = [];
  const control = {
    async wantAtBoot(target: string, units: readonly string[]) {
      wants.push(...units.map((name) => `${target} wants ${name}`));
    },
  };
  const leave = (keep: boolean): Promise<LeftUnits> => {
    const { manager, disk, clock } = machine;
    return machine.during(leaveUnits(keep, { manager, control, disk, files: new AgentFiles(disk), clock }));
  };
  return { machine, leave, wants };
}

const starts = (machine: AgentMachine) => [...machine.manager.running()].map(([name, one]) => [name, one.invocation]);
const under = (machine: AgentMachine, folder: string): string[] =>
  machine.disk.names(folder).flatMap((name) => {
    const path = `${folder}/${name}`;
    return machine.disk.peek(path) === null ? under(machine, path) : [path];
  });

test("leaving stops and removes what fleet runs, and nothing of others", async () => {
  const { machine, leave } = await machineWith();
  await machine.disk.write(`${ETC}/other.service`, server("other"));
  await machine.during(machine.manager.start("other.service" as UnitName));
  assert.deepEqual(await leave(false), { kept: [], removed: [A, B, T], givenBack: [], shadowed: [] });
  assert.deepEqual(Object.keys(machine.running()), ["other.service"]);
  assert.deepEqual(under(machine, UNITS), []);
  assert.deepEqual(
    await leave(false),
    { kept: [], removed: [A, B, T], givenBack: [], shadowed: [] },
    "again: harmless",
  );
});

test("what units read goes with them, or stays where kept ones name it, also when an agent comes again", async () => {
  const path = `${FILES_ROOT}/${A}/app.env`;
  const file = { path, text: "A=1\n", delivery: { mode: "0644", owner: "root", group: "root" } };
  const reader = unit(A, server("a"));
  const set = [{ ...reader, files: [file, ...reader.files] }];
  for (const keep of [false, true]) {
    const { machine, leave } = await machineWith(set);
    await leave(keep);
    assert.deepEqual(under(machine, FILES_ROOT), keep ? [path] : []);
    machine.restart();
    await machine.settle([]);
    assert.deepEqual(under(machine, FILES_ROOT), keep ? [path] : []);
  }
});

test("kept units run on, have files of their own, and those that fleet had started start at boot", async () => {
  const { machine, leave, wants } = await machineWith();
  const before = starts(machine);
  assert.deepEqual(await leave(true), { kept: [A, B, T], removed: [], givenBack: [], shadowed: [] });
  assert.deepEqual(starts(machine), before, "nothing restarted");
  assert.deepEqual(under(machine, UNITS), []);
  assert.deepEqual(
    under(machine, ETC),
    [A, `${A}.d/10-limit.conf`, B, T].map((path) => `${ETC}/${path}`),
  );
  assert.deepEqual(wants, [`multi-user.target wants ${A}`, `timers.target wants ${T}`]);
  await machine.manager.reload();
  machine.powerOff();
  assert.equal(await machine.during(machine.manager.start(A as UnitName)), "done", "also after a boot");
});

test("dying at any step of either, also by the power, the same again does the rest", async () => {
  for (const [keep, powerOff] of [
    [false, false],
    [true, false],
    [true, true],
  ] as const) {
    for (let step = 1; ; step++) {
      const { machine, leave, wants } = await machineWith();
      const before = starts(machine);
      machine.disk.dieAfter(step);
      const died = await leave(keep).then(
        () => false,
        (error: unknown) => {
          assert.ok(error instanceof ProcessDied, String(error));
          return true;
        },
      );
      if (powerOff) machine.powerOff();
      else machine.restart();
      const left = await leave(keep);
      const because = `keep ${keep}, step ${step}`;
      assert.deepEqual(under(machine, UNITS), [], because);
      if (keep) {
        if (!powerOff) assert.deepEqual(starts(machine), before, because);
        if (died && left.kept.length > 0) assert.ok(wants.includes(`multi-user.target wants ${A}`), because);
        if (left.kept.length > 0) assert.equal(machine.disk.peek(`${ETC}/${A}`)?.text, server("a"), because);
      } else assert.deepEqual(machine.running(), {}, because);
      if (!died) break;
      assert.ok(step < 500, "it ends");
    }
  }
});

async function machineWithTaken() {
  const machine = new AgentMachine();
  await machine.disk.write(`${ETC}/${A}`, THEIRS);
  await machine.disk.write(`${ETC}/multi-user.target.wants/${A}`, THEIRS);
  await machine.during(machine.manager.start(A as UnitName));
  await machine.settle([unit(A, server("theirs"), { adopt: true })]);
  return machine;
}

test("what was taken over goes back to its owner and runs on, kept or not, wherever it was cut short", async () => {
  for (const keep of [false, true]) {
    for (let step = 1; ; step++) {
      const machine = await machineWithTaken();
      const { manager, disk, clock } = machine;
      const before = starts(machine);
      const control = { wantAtBoot: async () => undefined };
      const leave = () =>
        machine.during(leaveUnits(keep, { manager, control, disk, files: new AgentFiles(disk), clock }));
      disk.dieAfter(step);
      const died = await leave().then(
        ({ givenBack }) => {
          assert.deepEqual(givenBack, [A]);
          return false;
        },
        () => true,
      );
      machine.restart();
      await leave();
      const because = `keep ${keep}, step ${step}`;
      assert.deepEqual(starts(machine), before, because);
      assert.deepEqual(under(machine, UNITS), [], because);
      assert.deepEqual(under(machine, ETC), [`${ETC}/${A}`, `${ETC}/multi-user.target.wants/${A}`], because);
      assert.equal(disk.peek(`${ETC}/${A}`)?.text, THEIRS, because);
      if (!died) break;
    }
  }
});

test("a file somebody else put there since counts, and is not written over", async () => {
  const { machine, leave, wants } = await machineWith();
  await machine.disk.write(`${ETC}/${A}`, THEIRS);
  assert.deepEqual((await leave(true)).shadowed, [A]);
  assert.equal(machine.disk.peek(`${ETC}/${A}`)?.text, THEIRS);
  assert.deepEqual(wants, [`timers.target wants ${T}`]);
});

test("a kept unit is not bound to a lease that nobody renews any more", async () => {
  const files = { [`${A}.d/90-fleet-at-most-one.conf`]: atMostOneDropin(A as UnitName, "stop-after=20s") };
  const { machine, leave } = await machineWith([unit(A, server("a"), { files, goal: "loaded" })]);
  await leave(true);
  assert.deepEqual(under(machine, ETC), [`${ETC}/${A}`]);
});

test("a kept unit that reads machine.env finds it after a boot", async () => {
  const text = server("a", "").replace("[Service]", "[Service]\nEnvironmentFile=/run/fleet/machine.env");
  const { machine, leave } = await machineWith([unit(A, text)]);
  await machine.disk.write("/run/fleet/machine.env", "FLEET_NAME=pi\n");
  await leave(true);
  assert.equal(machine.disk.peek("/etc/fleet/machine.env")?.text, "FLEET_NAME=pi\n");
  assert.match(
    machine.disk.peek("/etc/tmpfiles.d/fleet-machine-env.conf")?.text ?? "",
    /^C \/run\/fleet\/machine\.env/m,
  );
});

test("what was begun one way is not ended the other way", async () => {
  const { leave } = await machineWith();
  await leave(true);
  await assert.rejects(leave(false), { code: "leave-begun" });
});
