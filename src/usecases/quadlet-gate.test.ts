import assert from "node:assert/strict";
import { test } from "node:test";
import { unit } from "../../test/agent-machine.ts";
import { MemoryFileStore } from "../adapters/memory/memory-file-store.ts";
import { MemoryPodman } from "../adapters/memory/memory-podman.ts";
import { VirtualClock } from "../adapters/memory/virtual-clock.ts";
import type { UnitName } from "../domain/names.ts";
import type { WantedUnit } from "../domain/tasks/task.ts";
import { serviceNameOf } from "../domain/unit/unit-name.ts";
import { AgentFiles } from "./agent-files.ts";
import { QuadletGate } from "./quadlet-gate.ts";

function quadlet(name: string, text: string): WantedUnit {
  return { ...unit(name, text), service: serviceNameOf(name as UnitName) };
}
const web = (image: string, more = "") => quadlet("web.container", `[Container]\nImage=${image}\n${more}`);
const volume = quadlet("data.volume", "[Volume]\n");

class Machine {
  readonly clock = new VirtualClock();
  readonly disk = new MemoryFileStore();
  readonly files = new AgentFiles(this.disk);
  readonly podman = new MemoryPodman(this.disk);
  wakes = 0;
  readonly gate = new QuadletGate({
    podman: this.podman,
    files: this.files,
    clock: this.clock,
    wake: () => {
      this.wakes++;
    },
  });

  /** These are in force. */
  async runs(...units: readonly WantedUnit[]): Promise<void> {
    const owned = units.map(({ name, service, hash, files }) => {
      return [
        name,
        { service, files: files.map(({ path }) => path), onDisk: hash, loaded: hash, started: hash },
      ] as const;
    });
    await this.files.writeOwned(new Map(owned));
    for (const { goal: _, ...stored } of units) await this.files.writeUnit(stored);
  }

  /** What stays as it is, once images had their time. */
  async told(...wanted: readonly WantedUnit[]): Promise<Record<string, string>> {
    await this.gate.judge(wanted, new Set());
    await this.clock.advance(1);
    const problems = await this.gate.judge(wanted, new Set());
    return Object.fromEntries([...problems].map(([name, { code, detail }]) => [name, `${code}: ${detail}`]));
  }
}

test("what would be started into nothing waits along, until there is a service, be it the old one", async () => {
  const timer = unit("web.timer", "[Timer]\nOnCalendar=daily\n");
  const machine = new Machine();
  machine.podman.lacking.add("one");
  assert.deepEqual(Object.keys(await machine.told(web("one"), timer, unit("other.service", "[Unit]\n"))), [
    "web.container",
    "web.timer",
  ]);
  await machine.runs(web("zero"));
  assert.deepEqual(Object.keys(await machine.told(web("one"), timer)), ["web.container"]);
});

test("what the generator takes and whose image can be had may change", async () => {
  const machine = new Machine();
  assert.deepEqual(await machine.told(web("one"), volume), {});
  assert.deepEqual([...machine.podman.images], ["one"]);
});

test("an image is waited for, and its coming wakes", async () => {
  const machine = new Machine();
  const first = await machine.gate.judge([web("one")], new Set());
  assert.equal(first.get("web.container" as UnitName)?.code, "pulling-image");
  await machine.clock.advance(1);
  assert.equal(machine.wakes, 1);
  assert.equal((await machine.gate.judge([web("one")], new Set())).size, 0);
});

test("an image nobody has leaves what runs as it is, with podman's own words, and is asked for again later", async () => {
  const machine = new Machine();
  await machine.runs(web("one"));
  machine.podman.lacking.add("two");
  const words = "image-pull-failed: two: Error: initializing source docker://two: manifest unknown";
  assert.deepEqual(await machine.told(web("two")), { "web.container": words });
  machine.podman.lacking.clear();
  assert.deepEqual(await machine.told(web("two")), { "web.container": words }, "not at once");
  await machine.clock.advance(11_000);
  assert.deepEqual(await machine.told(web("two")), {});
});

test("a quadlet the generator rejects is told in its words, and its neighbours change", async () => {
  const machine = new Machine();
  const broken = quadlet("web.container", "[Container]\nExec=x\n");
  const told = await machine.told(broken, quadlet("b.container", "[Container]\nImage=b\n"));
  assert.deepEqual(told, {
    "web.container": 'quadlet-rejected: converting "web.container": no Image or Rootfs key specified',
  });
});

test("one that would leave the whole folder unread keeps none of its neighbours back", async () => {
  const machine = new Machine();
  const told = await machine.told(quadlet("a.container", "Image=x\n"), web("one"), volume);
  assert.deepEqual(Object.keys(told), ["a.container"]);
});

test("where the old version of what is rejected stays, those that need it change all the same", async () => {
  const machine = new Machine();
  await machine.runs(volume, web("one"));
  const broken = quadlet("data.volume", "Driver=x\n");
  assert.deepEqual(Object.keys(await machine.told(broken, web("two", "Volume=data.volume:/data\n"))), ["data.volume"]);
});

test("where there is no old version, those that need it stay too", async () => {
  const machine = new Machine();
  const broken = quadlet("data.volume", "Driver=x\n");
  const told = await machine.told(broken, web("two", "Volume=data.volume:/data\n"));
  assert.deepEqual(Object.keys(told).sort(), ["data.volume", "web.container"]);
});

test("a machine without the generator changes no quadlet, and says why; other units are not its business", async () => {
  const machine = new Machine();
  machine.podman.isThere = false;
  const told = await machine.told(web("one"), unit("a.service", "[Service]\nExecStart=/bin/a\n"));
  assert.deepEqual(Object.keys(told), ["web.container"]);
  assert.match(told["web.container"] ?? "", /^no-quadlet-generator: podman's generator for systemd is not on/);
});

test("what is as it is wanted is not tried, and a refusal is not tried anew in every pass", async () => {
  const machine = new Machine();
  await machine.runs(web("one"), volume);
  await machine.told(web("one"), volume);
  assert.equal(machine.podman.dryRuns, 0);
  const broken = quadlet("web.container", "[Container]\n");
  await machine.told(broken, volume);
  const runs = machine.podman.dryRuns;
  await machine.told(broken, volume);
  assert.equal(machine.podman.dryRuns, runs);
  await machine.clock.advance(61_000);
  await machine.told(broken, volume);
  assert.ok(machine.podman.dryRuns > runs, "podman may be a newer one by now");
});

test("a release is ready for once the images of all it changes are there, and not with one missing", async () => {
  const machine = new Machine();
  const images = ["one", "two"].map((image, at) => quadlet(`w${at}.container`, `[Container]\nImage=${image}\n`));
  assert.deepEqual(machine.gate.prepare(images), { isReady: false, problem: null });
  await machine.clock.advance(1);
  assert.deepEqual(machine.gate.prepare(images), { isReady: true, problem: null });
  machine.podman.lacking.add("three");
  const next = [quadlet("w0.container", "[Container]\nImage=three\n")];
  machine.gate.prepare(next);
  await machine.clock.advance(1);
  const { isReady, problem } = machine.gate.prepare(next);
  assert.equal(isReady, false);
  assert.match(problem?.detail ?? "", /^three: Error: .* manifest unknown$/);
});
