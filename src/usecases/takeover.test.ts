import assert from "node:assert/strict";
import { test } from "node:test";
import { AgentMachine, unit } from "../../test/agent-machine.ts";
import { ProcessDied } from "../adapters/memory/memory-file-store.ts";
import type { UnitName } from "../domain/names.ts";
import { blockedDetail } from "./blocked-detail.ts";

const A = "a.service";
const ETC = "/etc/systemd/system";
const KEPT = "/var/lib/fleet/agent/adopted";
const LIMIT = `${A}.d/10-limit.conf`;
const TEXT = "[Unit]\nDescription=A\n[Service]\nExecStart=/bin/server a\nRestart=always\n";
const OTHER_WORDS =
  "# By hand\n[Service]\nRestart=always\nExecStart=/bin/server a\n[Install]\nWantedBy=multi-user.target\n";
const DROPIN = "[Service]\nTimeoutStopSec=7\n";

const ours = (text = TEXT, changes = {}) => unit(A, text, { adopt: true, files: { [LIMIT]: DROPIN }, ...changes });

/** A machine on which somebody has installed a.service, with a drop-in, and enabled and started it. */
async function machineWith(files: Readonly<Record<string, string>>): Promise<AgentMachine> {
  const machine = new AgentMachine();
  for (const [path, text] of Object.entries(files)) await machine.disk.write(`${ETC}/${path}`, text);
  await machine.during(machine.manager.start(A as UnitName));
  return machine;
}

const INSTALLED = {
  [A]: OTHER_WORDS,
  [`${A}.d/99-by-hand.conf`]: DROPIN,
  [`multi-user.target.wants/${A}`]: OTHER_WORDS,
};

const starts = (machine: AgentMachine) => [...machine.manager.running()].map(([name, one]) => [name, one.invocation]);
const etc = (machine: AgentMachine) =>
  ["", `/${A}.d`, "/multi-user.target.wants"].flatMap((folder) =>
    machine.disk.names(`${ETC}${folder}`).filter((name) => machine.disk.peek(`${ETC}${folder}/${name}`) !== null),
  );

function assertTakenOver(machine: AgentMachine, because = ""): void {
  assert.deepEqual(machine.blocked, [], because);
  assert.deepEqual(etc(machine), [], because);
  assert.deepEqual(machine.files(), [A, LIMIT], because);
  for (const [path, text] of Object.entries(INSTALLED)) {
    assert.equal(machine.disk.peek(`${KEPT}/${A}${ETC}/${path}`)?.text, text, `${path} is kept; ${because}`);
  }
}

test("a foreign unit of the same meaning becomes ours where it runs; its files are kept, and systemd is told nothing", async () => {
  const machine = await machineWith(INSTALLED);
  const started = starts(machine);
  await machine.during(machine.pass([ours()]));
  assertTakenOver(machine);
  assert.deepEqual([starts(machine), machine.manager.reloads], [started, 0]);
  await machine.pass([ours()]);
  assert.equal(machine.tasks, 0, "one pass was enough");
  await machine.manager.reload();
  await machine.settle([ours()]);
  assert.deepEqual(starts(machine), started);
});

test("dying at any step of a takeover, with or without a new text after it: it is finished and nothing restarts", async () => {
  const later = ours(TEXT.replace("Restart=always", "Restart=no"));
  for (const goal of [ours(), later]) {
    for (let step = 1; ; step++) {
      const machine = await machineWith(INSTALLED);
      const started = starts(machine);
      machine.disk.dieAfter(step);
      const died = await machine.during(machine.pass([ours()])).then(
        () => false,
        (error: unknown) => {
          assert.ok(error instanceof ProcessDied, String(error));
          return true;
        },
      );
      machine.restart();
      // Until it is ours, another definition than theirs is a conflict; so what was begun is begun again by the same text.
      if (died && goal === later) await machine.during(machine.pass([ours()]));
      await machine.settle([goal]);
      assertTakenOver(machine, `step ${step}`);
      assert.deepEqual(starts(machine), started, `step ${step}`);
      await machine.manager.reload();
      await machine.settle([goal]);
      assert.deepEqual(starts(machine), started, `step ${step}`);
      if (!died) break;
    }
  }
});

test("the power going at any step of a takeover ends in one definition, running", async () => {
  for (let step = 1; ; step++) {
    const machine = await machineWith(INSTALLED);
    machine.disk.dieAfter(step);
    const died = await machine.during(machine.pass([ours()])).then(
      () => false,
      () => true,
    );
    machine.powerOff();
    const { load } = (await machine.during(machine.manager.start(A as UnitName)).then(
      () => ({ load: "loaded" }),
      () => ({ load: "not-found" }),
    )) as { load: string };
    await machine.settle([ours()]);
    assertTakenOver(machine, `step ${step}, after which it was ${load}`);
    assert.equal(machine.running()[A] !== undefined, true, `step ${step}`);
    if (!died) break;
  }
});

test("after a takeover a new command restarts the unit by our text, and leaving the commit stops it", async () => {
  const machine = await machineWith(INSTALLED);
  await machine.settle([ours()]);
  const started = starts(machine);
  const next = ours(TEXT.replace("server a", "server b"));
  await machine.settle([next]);
  machine.assertAs([next]);
  assert.notDeepEqual(starts(machine), started);
  const other = await machineWith(INSTALLED);
  await other.settle([ours()]);
  await other.settle([]);
  other.assertAs([]);
});

const CONFLICTS: readonly [string, Readonly<Record<string, string>>, object, string][] = [
  ["without adopt", INSTALLED, { adopt: false }, "amounts to the same; adopt: true would take it over"],
  [
    "another command",
    { ...INSTALLED, [A]: OTHER_WORDS.replace("server a", "server b") },
    {},
    "differs in [Service] ExecStart=",
  ],
  [
    "a drop-in of theirs",
    { ...INSTALLED, [`${A}.d/20-more.conf`]: "[Service]\nUser=web\n[Unit]\nAfter=x.service\n" },
    {},
    "differs in [Service] User=, [Unit] After=",
  ],
];

for (const [sentence, files, changes, detail] of CONFLICTS) {
  test(`a conflict that names what differs, and nothing is touched: ${sentence}`, async () => {
    const machine = await machineWith(files);
    const [started, before] = [starts(machine), etc(machine)];
    await machine.settle([ours(TEXT, changes)]);
    assert.deepEqual(
      machine.blocked.map(({ because }) => blockedDetail(because)),
      [`${ETC}/${A}: ${detail}`],
    );
    assert.deepEqual([starts(machine), etc(machine), machine.files()], [started, before, []]);
  });
}

test("files that changed since systemd loaded them are no proof of what runs", async () => {
  const machine = await machineWith({ ...INSTALLED, [A]: OTHER_WORDS.replace("server a", "server b") });
  await machine.disk.write(`${ETC}/${A}`, OTHER_WORDS);
  await machine.settle([ours()]);
  assert.match(blockedDetail(machine.blocked[0]!.because), /changed since systemd loaded them/);
});

test("who puts the files back has a conflict again, and fleet's own is not stopped for it", async () => {
  const machine = await machineWith(INSTALLED);
  await machine.settle([ours()]);
  const started = starts(machine);
  await machine.disk.write(`${ETC}/${A}`, OTHER_WORDS);
  await machine.settle([ours()]);
  assert.deepEqual(
    machine.blocked.map(({ because }) => because.code),
    ["shadowed"],
  );
  assert.deepEqual(starts(machine), started);
});

test("an instance of a foreign template is taken over, and the template, which is others' too, stays", async () => {
  const machine = new AgentMachine();
  const [one, two] = ["w@1.service", "w@2.service"] as UnitName[];
  await machine.disk.write(`${ETC}/w@.service`, "[Service]\nExecStart=/bin/server %i\n");
  await machine.disk.write(`${ETC}/w@.service.d/10.conf`, DROPIN);
  for (const name of [one!, two!]) await machine.during(machine.manager.start(name));
  const started = starts(machine);
  const wanted = unit(one!, "[Service]\nExecStart=/bin/server %i\n", { adopt: true });
  await machine.settle([wanted]);
  assert.deepEqual([machine.blocked, machine.files(), starts(machine)], [[], [one], started]);
  assert.deepEqual(machine.disk.names(ETC), ["w@.service", "w@.service.d"]);
  await machine.manager.reload();
  await machine.settle([wanted]);
  assert.deepEqual([machine.blocked, starts(machine)], [[], started]);
});
