import assert from "node:assert/strict";
import { test } from "node:test";
import { AgentMachine, unit } from "../../test/agent-machine.ts";
import { ProcessDied } from "../adapters/memory/memory-file-store.ts";
import { sha256 } from "../adapters/sha256.ts";
import type { DriftPolicy } from "../domain/drift/drift-policy.ts";
import type { UnitHash } from "../domain/names.ts";
import { type Delivery, FILES_ROOT } from "../domain/spec/delivered-file.ts";
import type { InstalledFile, WantedUnit } from "../domain/tasks/task.ts";
import { AgentFiles } from "./agent-files.ts";

const FOLDER = `${FILES_ROOT}/web.service`;
const ENV = `${FOLDER}/app.env`;
const EXTRA = `${FOLDER}/conf.d/a.conf`;
const MEMORY = "/var/lib/fleet/agent/delivered.json";
const TEXT = `[Service]\nExecStart=/bin/server -d ${FOLDER}/conf.d\nEnvironmentFile=${ENV}\nExecReload=/bin/kill -HUP $MAINPID\n`;

/** web.service with those files; `drift`: of it. */
function web(files: Readonly<Record<string, string>>, drift?: DriftPolicy, as: Partial<Delivery> = {}): WantedUnit {
  const plain = unit("web.service", TEXT, drift === undefined ? {} : { drift });
  const delivery: Delivery = { mode: "0644", owner: "root", group: "root", ...as };
  const read: InstalledFile[] = Object.entries(files).map(([path, text]) => ({ path, text, delivery }));
  const all = [...read, ...plain.files];
  return { ...plain, files: all, hash: sha256(JSON.stringify(all)) as UnitHash };
}

const onDisk = (machine: AgentMachine, path: string) => machine.disk.peek(path)?.text ?? null;
const process = (machine: AgentMachine) => machine.manager.running().get("web.service" as never)?.invocation;
const remembered = (machine: AgentMachine): readonly string[] => {
  const text = onDisk(machine, MEMORY);
  return text === null ? [] : JSON.parse(text).paths;
};

test("files are there before their unit starts; a change restarts it once, or has it reload; what is gone is gone", async () => {
  const machine = new AgentMachine();
  let atStart: string | null = "not started";
  machine.manager.onChange(() => {
    if (process(machine) !== undefined && atStart === "not started") atStart = onDisk(machine, ENV);
  }, new AbortController().signal);
  await machine.settle([web({ [ENV]: "A=1\n", [EXTRA]: "a" })]);
  assert.equal(atStart, "A=1\n");
  const first = process(machine);
  await machine.settle([web({ [ENV]: "A=2\n", [EXTRA]: "a" })]);
  const second = process(machine);
  assert.notEqual(second, first, "its environment is another one");
  assert.equal(onDisk(machine, ENV), "A=2\n");
  await machine.settle([web({ [ENV]: "A=2\n", [EXTRA]: "b" })]);
  assert.equal(process(machine), second, "what it is told by its path it reads again");
  assert.equal(onDisk(machine, EXTRA), "b");
  await machine.settle([web({ [ENV]: "A=2\n" })]);
  assert.deepEqual(machine.disk.names(FOLDER), ["app.env"], "with its folder");
  assert.deepEqual(remembered(machine), [ENV]);
  await machine.settle([]);
  assert.deepEqual(machine.disk.names(FILES_ROOT), []);
  assert.deepEqual(remembered(machine), []);
});

test("systemd is not made to read anything again for a file that a unit reads", async () => {
  const machine = new AgentMachine();
  await machine.settle([web({ [ENV]: "A=1\n", [EXTRA]: "a" })]);
  const before = machine.manager.reloads;
  await machine.settle([web({ [ENV]: "A=2\n", [EXTRA]: "a" })]);
  await machine.settle([web({ [ENV]: "A=2\n", [EXTRA]: "b" })]);
  assert.equal(machine.manager.reloads, before);
});

test("a file that has not changed stays the very file, whatever changes beside it", async () => {
  const machine = new AgentMachine();
  await machine.settle([web({ [ENV]: "A=1\n", [EXTRA]: "a" })]);
  const before = await machine.disk.fingerprints([ENV]);
  machine.restart();
  await machine.settle([web({ [ENV]: "A=1\n", [EXTRA]: "b" })]);
  assert.deepEqual(await machine.disk.fingerprints([ENV]), before);
  assert.equal(onDisk(machine, EXTRA), "b");
});

test("bytes that are no text, a mode and an owner arrive as they are", async () => {
  const machine = new AgentMachine();
  machine.disk.accounts.add("web");
  await machine.settle([
    web({ [ENV]: "/wAK" }, undefined, { encoding: "base64", mode: "0640", owner: "web", group: "0" }),
  ]);
  const file = machine.disk.peek(ENV)!;
  assert.deepEqual([file.mode, file.owner, file.group], [0o640, "web", "0"]);
  assert.deepEqual([...Buffer.from(file.text, "latin1")], [0xff, 0, 10]);
});

for (const [what, fails] of [
  ["an owner the machine does not know", (machine: AgentMachine) => machine.disk.accounts.delete("web")],
  ["a full disk", (machine: AgentMachine) => (machine.disk.fault = "disk-full")],
] as const) {
  test(`${what}: it runs on with its old files, and gets the new ones when that is over`, async () => {
    const machine = new AgentMachine();
    machine.disk.accounts.add("web");
    await machine.settle([web({ [ENV]: "A=1\n" })]);
    const before = process(machine);
    const next = [web({ [ENV]: "A=2\n" }, undefined, { owner: "web" })];
    fails(machine);
    const problems = await machine.during(machine.pass(next)).catch((error) => {
      // Of a full disk: the text itself could not be kept.
      assert.equal(error.code, "disk-full");
      return null;
    });
    if (problems !== null)
      assert.deepEqual(
        [...problems].map(([, { code }]) => code),
        ["account-unknown"],
      );
    assert.equal(process(machine), before);
    assert.equal(onDisk(machine, ENV), "A=1\n");
    machine.disk.fault = null;
    machine.disk.accounts.add("web");
    await machine.settle(next);
    assert.notEqual(process(machine), before);
    assert.equal(machine.disk.peek(ENV)?.owner, "web");
  });
}

test("wherever the agent dies in a change of files, the next one ends with the new ones, and nothing is left over", async () => {
  const after = [web({ [ENV]: "A=2\n", [`${FOLDER}/new`]: "n" })];
  let died = 0;
  for (let step = 1; step < 400; step++) {
    const machine = new AgentMachine();
    await machine.settle([web({ [ENV]: "A=1\n", [EXTRA]: "a" })]);
    machine.disk.dieAfter(step);
    const isDead = await machine.settle(after).then(
      () => false,
      (error) => {
        assert.ok(error instanceof ProcessDied, String(error));
        return true;
      },
    );
    machine.restart();
    if (isDead && step % 3 === 0) machine.powerOff();
    await machine.settle(after);
    assert.deepEqual([onDisk(machine, ENV), onDisk(machine, `${FOLDER}/new`)], ["A=2\n", "n"], `died at step ${step}`);
    assert.deepEqual(machine.disk.names(FOLDER), ["app.env", "new"], `died at step ${step}`);
    assert.deepEqual(remembered(machine), [ENV, `${FOLDER}/new`], `died at step ${step}`);
    assert.notEqual(process(machine), undefined);
    if (!isDead) break;
    died++;
  }
  assert.ok(died > 10, `died ${died} times`);
});

test("a boot finds the files; what nobody wants any more goes then, and what somebody else put there stays", async () => {
  const machine = new AgentMachine();
  await machine.settle([web({ [ENV]: "A=1\n", [EXTRA]: "a" })]);
  await machine.disk.write(`${FOLDER}/theirs`, "x");
  machine.powerOff();
  assert.equal(onDisk(machine, ENV), "A=1\n");
  await machine.settle([web({ [ENV]: "A=1\n" })]);
  assert.deepEqual(machine.disk.names(FOLDER), ["app.env", "theirs"]);
  machine.powerOff();
  await machine.settle([]);
  assert.deepEqual(machine.disk.names(FOLDER), ["theirs"]);
});

test("what is restored without an agent is what a boot takes: files that units read are there", async () => {
  const machine = new AgentMachine();
  await machine.settle([web({ [ENV]: "A=1\n" })]);
  await new AgentFiles(machine.disk).bootSet.afterPass(true);
  const set = onDisk(machine, "/var/lib/fleet/agent/boot-set") ?? "";
  assert.match(set, /^file \/run\/systemd\/system\/web\.service$/m);
  assert.doesNotMatch(set, /^file \/var\/lib\/fleet\/files/m);
});

test("a memory that names files elsewhere removes none of them", async () => {
  const machine = new AgentMachine();
  await machine.disk.write("/etc/passwd", "root");
  await machine.disk.write(
    MEMORY,
    JSON.stringify({ v: 1, paths: ["/etc/passwd", `${FILES_ROOT}/../../../../etc/passwd`] }),
  );
  await machine.settle([web({ [ENV]: "A=1\n" })]);
  await machine.settle([]);
  assert.equal(onDisk(machine, "/etc/passwd"), "root");
});

const restart = async (machine: AgentMachine) => {
  await machine.during(machine.manager.stop("web.service" as never));
  await machine.during(machine.manager.start("web.service" as never));
};

const hands: readonly (readonly [what: string, hand: (machine: AgentMachine) => unknown, restarts: boolean])[] = [
  ["contents that nothing has read", (machine) => machine.disk.write(ENV, "A=evil\n"), false],
  [
    "contents that it was started with",
    async (machine) => {
      await machine.disk.write(ENV, "A=evil\n");
      await restart(machine);
    },
    true,
  ],
  ["the mode", (machine) => machine.disk.change(ENV, { mode: 0o666 }), false],
  ["the owner", (machine) => machine.disk.change(ENV, { owner: "nobody" }), false],
  ["that it is there", (machine) => machine.disk.remove(ENV), false],
  ["that it is a file", (machine) => machine.disk.mask(ENV), false],
];

for (const [what, hand, restarts] of hands) {
  test(`somebody changes of a file ${what}: it is put back, ${restarts ? "and its unit restarted" : "and nothing restarts"}`, async () => {
    const machine = new AgentMachine();
    const wanted = [web({ [ENV]: "A=1\n" })];
    // Seen whole some time after it started.
    for (let looks = 0; looks < 2; looks++) await machine.settle(wanted);
    await hand(machine);
    const before = process(machine);
    await machine.settle(wanted);
    const { text, mode, owner, target } = machine.disk.peek(ENV)!;
    assert.deepEqual({ text, mode, owner, target }, { text: "A=1\n", mode: 0o644, owner: "root", target: undefined });
    assert.equal(process(machine) !== before, restarts);
    const [report] = machine.drift.values();
    assert.deepEqual([report?.outcome, report?.corrected], ["corrected", 1]);
  });
}

test("where drift is only told of, a changed file stays and is told of by its path", async () => {
  const machine = new AgentMachine();
  const wanted = [web({ [ENV]: "A=1\n" }, "detect")];
  await machine.settle(wanted);
  await machine.disk.write(ENV, "A=mine\n");
  await machine.settle(wanted);
  assert.equal(onDisk(machine, ENV), "A=mine\n");
  assert.deepEqual(machine.drift.get("web.service" as never)?.seen, [{ kind: "edited", path: ENV }]);
});
