import assert from "node:assert/strict";
import { test } from "node:test";
import { AgentMachine, unit } from "../../test/agent-machine.ts";
import { sealedFile } from "../../test/sealed-file.ts";
import { ProcessDied } from "../adapters/memory/memory-file-store.ts";
import { sha256 } from "../adapters/sha256.ts";
import type { UnitHash } from "../domain/names.ts";
import { SECRETS_ROOT } from "../domain/secret/secret-name.ts";
import type { InstalledFile, WantedUnit } from "../domain/tasks/task.ts";
import { OperationError } from "../ports/operation-error.ts";

const FOLDER = `${SECRETS_ROOT}/web.service`;
const DB = `${FOLDER}/db`;
const TEXT = `[Service]\nExecStart=/bin/server\nLoadCredential=db:${DB}\n`;

/** What is sealed here is its value in the clear; what is for `others` is for other machines. */
const ours = {
  async read(text: string): Promise<Uint8Array> {
    const value = atob(text.split("\n").slice(1, -2).join("")).split("--- mac\n")[1]!.trim();
    if (value === "others") throw new OperationError("secret-unreadable", "it is encrypted to other keys");
    return new TextEncoder().encode(value);
  },
};

/** web.service with the secret db of that value, encrypted to those machines. */
function web(value: string, { tags = ["a"], version = value, text = TEXT } = {}): WantedUnit {
  const plain = unit("web.service", text);
  const sealed: InstalledFile = {
    path: DB,
    text: sealedFile(tags, { version, value }),
    delivery: { mode: "0600", owner: "root", group: "root", encoding: "age" },
  };
  const files = [sealed, ...plain.files];
  return { ...plain, files, hash: sha256(JSON.stringify(files)) as UnitHash };
}

function pathsBelow(machine: AgentMachine, folder: string): readonly string[] {
  return machine.disk.names(folder === "" ? "/" : folder).flatMap((name) => {
    const path = `${folder}/${name}`;
    return [path, ...pathsBelow(machine, path)];
  });
}

const process = (machine: AgentMachine) => machine.manager.running().get("web.service" as never)?.invocation;
const value = (machine: AgentMachine) => machine.disk.peek(DB)?.text ?? null;

test("a value is there before its unit starts, root's alone; another one restarts it; without its unit it is gone", async () => {
  const machine = new AgentMachine(ours);
  let atStart: string | null = "not started";
  machine.manager.onChange(() => {
    if (process(machine) !== undefined && atStart === "not started") atStart = value(machine);
  }, new AbortController().signal);
  await machine.settle([web("one")]);
  assert.equal(atStart, "one");
  assert.deepEqual([machine.disk.peek(DB)!.mode, machine.disk.peek(DB)!.owner], [0o600, "root"]);
  const first = process(machine);
  await machine.settle([web("two")]);
  assert.notEqual(process(machine), first);
  assert.equal(value(machine), "two");
  await machine.settle([]);
  assert.deepEqual(machine.disk.names(SECRETS_ROOT), []);
});

test("encrypted anew to other machines it is taken over, and nothing restarts", async () => {
  const machine = new AgentMachine(ours);
  await machine.settle([web("one")]);
  const before = process(machine);
  await machine.settle([web("one", { tags: ["a", "b"] })]);
  assert.equal(process(machine), before);
  assert.equal(value(machine), "one");
});

test("one that this machine cannot read is that unit's problem: its old version runs on with the old value", async () => {
  const machine = new AgentMachine(ours);
  const other = unit("other.service", "[Service]\nExecStart=/bin/server\n");
  await machine.settle([web("one")]);
  const before = process(machine);
  const problems = await machine.during(machine.pass([web("others"), other]));
  assert.deepEqual(
    [...problems],
    [["web.service", { code: "secret-unreadable", detail: "the secret db: it is encrypted to other keys" }]],
  );
  assert.equal(process(machine), before);
  assert.equal(value(machine), "one");
  assert.ok(machine.manager.running().has("other.service" as never), "no other unit waits for it");
});

test("a machine without a key starts nothing that needs one, and says so", async () => {
  const machine = new AgentMachine();
  const problems = await machine.during(machine.pass([web("one")]));
  assert.equal(problems.get("web.service" as never)?.detail, "the secret db: this machine has no key");
  assert.equal(process(machine), undefined);
});

test("after a reboot it is decrypted again, before the unit starts; a set that starts without an agent leaves it out", async () => {
  const machine = new AgentMachine(ours);
  const plain = unit("plain.service", "[Service]\nExecStart=/bin/server\n");
  await machine.settle([web("one"), plain]);
  await machine.keepBootSet();
  const set = machine.disk.peek("/var/lib/fleet/agent/boot-set")!.text;
  assert.match(set, /plain\.service/);
  assert.doesNotMatch(set, /web\.service/);
  machine.powerOff();
  assert.equal(value(machine), null, "it was in memory");
  await machine.settle([web("one"), plain]);
  assert.equal(value(machine), "one");
  assert.notEqual(process(machine), undefined);
});

test("values are on no disk, whatever else is", async () => {
  const machine = new AgentMachine(ours);
  await machine.settle([web("canary-value")]);
  await machine.keepBootSet();
  machine.powerOff();
  const paths = pathsBelow(machine, "");
  assert.ok(paths.includes("/var/lib/fleet/agent/boot-set"));
  const found = paths.filter((path) => machine.disk.peek(path)?.text.includes("canary-value"));
  assert.deepEqual(found, []);
});

for (const [what, hand] of [
  ["changes it", (machine: AgentMachine) => machine.disk.write(DB, "mine")],
  ["lets others read it", async (machine: AgentMachine) => machine.disk.change(DB, { mode: 0o644 })],
  ["removes it", (machine: AgentMachine) => machine.disk.remove(DB)],
] as const) {
  test(`somebody ${what}: it is put back, and nothing restarts`, async () => {
    const machine = new AgentMachine(ours);
    const wanted = [web("one")];
    for (let looks = 0; looks < 2; looks++) await machine.settle(wanted);
    const before = process(machine);
    await hand(machine);
    await machine.settle(wanted);
    assert.deepEqual([value(machine), machine.disk.peek(DB)?.mode], ["one", 0o600]);
    assert.equal(process(machine), before);
  });
}

test("wherever the agent dies, the next one ends with the new value, and none is left over", async () => {
  let died = 0;
  for (let step = 1; step < 400; step++) {
    const machine = new AgentMachine(ours);
    await machine.settle([web("one")]);
    machine.disk.dieAfter(step);
    const isDead = await machine.settle([web("two")]).then(
      () => false,
      (error) => {
        assert.ok(error instanceof ProcessDied, String(error));
        return true;
      },
    );
    machine.restart();
    if (isDead && step % 3 === 0) machine.powerOff();
    await machine.settle([web("two")]);
    assert.equal(value(machine), "two", `died at step ${step}`);
    assert.deepEqual(machine.disk.names(FOLDER), ["db"], `died at step ${step}`);
    if (!isDead) break;
    died++;
  }
  assert.ok(died > 10, `died ${died} times`);
});
