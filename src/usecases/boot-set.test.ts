import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryFileStore, ProcessDied } from "../adapters/memory/memory-file-store.ts";
import type { OwnedUnit } from "../codec/agent-state.ts";
import type { UnitHash, UnitName } from "../domain/names.ts";
import { AT_MOST_ONE_DROPIN, atMostOneDropin } from "../domain/spec/at-most-one-dropin.ts";
import { AgentFiles } from "./agent-files.ts";

const PATH = "/var/lib/fleet/agent/boot-set";
const READY = "/run/fleet-agent/ready";
const hashOf = (digit: string) => digit.repeat(64) as UnitHash;

interface Shape {
  readonly started?: boolean;
  readonly whole?: boolean;
  readonly after?: readonly string[];
  /** Bound to its machine's lease. */
  readonly single?: boolean;
}

/** A machine's files with these units written and known, each by the digit of its hash. */
async function machine(units: Readonly<Record<string, string>>, shapes: Readonly<Record<string, Shape>> = {}) {
  const disk = new MemoryFileStore();
  const files = new AgentFiles(disk);
  await write(files, units, shapes);
  return { disk, files };
}

async function write(
  files: AgentFiles,
  units: Readonly<Record<string, string>>,
  shapes: Readonly<Record<string, Shape>> = {},
): Promise<void> {
  const owned = new Map<UnitName, OwnedUnit>();
  for (const [key, digit] of Object.entries(units)) {
    const name = key as UnitName;
    const { started = true, whole = true, after = [], single = false } = shapes[key] ?? {};
    const hash = hashOf(digit);
    const text = { path: name, text: `[Service]\nExecStart=/bin/${digit}\n` };
    const dropin = {
      path: `${name}.d/${AT_MOST_ONE_DROPIN}`,
      text: atMostOneDropin(name, "stop-after=20s"),
    };
    await files.writeUnit({
      name,
      service: name,
      hash,
      files: single ? [text, dropin] : [text],
      after: after as readonly UnitName[],
      oneshot: false,
    });
    const onDisk = whole ? hash : null;
    owned.set(name, { service: name, files: [name], onDisk, loaded: onDisk, started: started ? hash : null });
  }
  await files.writeOwned(owned);
}

const lines = (disk: MemoryFileStore) => disk.peek(PATH)?.text.trimEnd().split("\n") ?? [];
const starts = (disk: MemoryFileStore) => lines(disk).filter((line) => line.startsWith("start "));

test("holds every file as it stands, the machine's environment, the agent's memory, then what to start", async () => {
  const { disk, files } = await machine({ "a.service": "a" });
  await files.writeMachineEnv("FLEET_MACHINE_ID=1\n");
  await files.bootSet.afterPass(true);
  const memory = lines(disk)[lines(disk).indexOf("file /run/fleet-agent/owned.json") + 1];
  assert.deepEqual(lines(disk), [
    "file /run/systemd/system/a.service",
    "|[Service]",
    "|ExecStart=/bin/a",
    "file /run/fleet/machine.env",
    "|FLEET_MACHINE_ID=1",
    "file /run/fleet-agent/owned.json",
    memory,
    "start a.service",
    "end",
  ]);
  assert.equal(`${memory?.slice(1)}\n`, disk.peek("/run/fleet-agent/owned.json")?.text);
});

test("starts are in the order of After=; what is only loaded is copied and not started", async () => {
  const { disk, files } = await machine(
    { "a.service": "a", "b.service": "b", "c.service": "c" },
    { "a.service": { after: ["b.service"] }, "c.service": { started: false } },
  );
  await files.bootSet.afterPass(true);
  assert.deepEqual(starts(disk), ["start b.service", "start a.service"]);
  assert.ok(lines(disk).includes("file /run/systemd/system/c.service"));
});

test("a unit whose write was cut short is not in it", async () => {
  const { disk, files } = await machine({ "a.service": "a", "b.service": "b" }, { "b.service": { whole: false } });
  await files.bootSet.afterPass(true);
  assert.deepEqual(starts(disk), ["start a.service"]);
  assert.ok(!lines(disk).some((line) => line.includes("b.service")));
});

test("writes nothing where nothing changed, also not in the next process", async () => {
  const { disk, files } = await machine({ "a.service": "a" });
  await files.bootSet.afterPass(true);
  const steps = disk.steps;
  await files.bootSet.afterPass(true);
  assert.equal(disk.steps, steps);
  const next = new AgentFiles(disk);
  await next.bootSet.afterPass(true);
  const before = disk.steps;
  await next.bootSet.afterPass(true);
  assert.equal(disk.steps, before);
});

test("an agent that knows no set leaves the last one, and is ready all the same", async () => {
  const { disk, files } = await machine({ "a.service": "a" });
  await files.bootSet.afterPass(true);
  disk.powerOff();
  assert.equal(disk.peek(READY), null);
  await new AgentFiles(disk).bootSet.afterPass(false);
  assert.deepEqual(starts(disk), ["start a.service"]);
  assert.notEqual(disk.peek(READY), null);
});

test("after a boot into a set without units nothing is started any more", async () => {
  const { disk, files } = await machine({ "a.service": "a" });
  await files.bootSet.afterPass(true);
  disk.powerOff();
  await new AgentFiles(disk).bootSet.afterPass(true);
  assert.deepEqual(starts(disk), []);
});

for (const end of ["the process dies", "the power goes"] as const) {
  test(`where ${end} at any step, the set is the old one or the new one, whole`, async () => {
    let died = 0;
    for (let step = 1; ; step++) {
      const { disk, files } = await machine({ "a.service": "a" });
      await files.bootSet.afterPass(true);
      const old = disk.peek(PATH)!.text;
      await write(files, { "a.service": "b", "b.service": "c" });
      disk.dieAfter(step);
      const ended = await files.bootSet.afterPass(true).then(
        () => true,
        (error: unknown) => {
          if (!(error instanceof ProcessDied)) throw error;
          return false;
        },
      );
      if (end === "the power goes") disk.powerOff();
      else disk.restartProcess();
      const now = disk.peek(PATH)!.text;
      assert.ok(now.endsWith("\nend\n"));
      if (ended) {
        assert.notEqual(now, old);
        break;
      }
      died++;
      await write(new AgentFiles(disk), { "a.service": "b", "b.service": "c" });
      await new AgentFiles(disk).bootSet.afterPass(true);
      assert.deepEqual(starts(disk), ["start a.service", "start b.service"]);
    }
    assert.ok(died >= 2);
  });
}

test("a full disk is the world's error, and the last set stays", async () => {
  const { disk, files } = await machine({ "a.service": "a" });
  await files.bootSet.afterPass(true);
  const old = disk.peek(PATH)?.text;
  await write(files, { "a.service": "b" });
  disk.fault = "disk-full";
  await assert.rejects(files.bootSet.afterPass(true), { code: "disk-full" });
  assert.equal(disk.peek(PATH)?.text, old);
});

test("what runs at most once is there and not started: it may run elsewhere by now", async () => {
  const { disk, files } = await machine({ "a.service": "a", "db.service": "b" }, { "db.service": { single: true } });
  await files.bootSet.afterPass(true);
  assert.deepEqual(starts(disk), ["start a.service"]);
  assert.ok(lines(disk).includes("file /run/systemd/system/db.service"));
  const memory = lines(disk)[lines(disk).indexOf("file /run/fleet-agent/owned.json") + 1];
  assert.equal(
    JSON.parse(memory!.slice(1)).units["db.service"].started,
    null,
    "so that an agent that comes later starts it",
  );
});
