import assert from "node:assert/strict";
import { test } from "node:test";
import type { UnitName } from "../../src/domain/names.ts";
import { parseUnitName } from "../../src/domain/unit/unit-name.ts";
import { detailsOf } from "../details-of.ts";
import { type Looking, looking, type UnitWorld, until } from "./unit-world.ts";

const service = (command: string, unit = "", rest = "") =>
  `[Unit]\n${unit}\n[Service]\nExecStart=${command}\n${rest}\n`;
const oneshot = (command: string, unit = "", rest = "") => service(command, unit, `Type=oneshot\n${rest}`);
const OLD = "/bin/sleep 86401";
const NEW = "/bin/sleep 86402";

function name(text: string): UnitName {
  const parsed = parseUnitName(`ct-${text}`);
  assert.ok(parsed !== null);
  return parsed;
}

const [a, b, c] = [name("a.service"), name("b.service"), name("c.service")];

/** What every UnitManager does, and the laws of systemd that fleet's agent rests on. `make` gives a clean world for each test. */
export function unitManagerContract(label: string, make: () => Promise<UnitWorld>, skip: string | false = false): void {
  const it = (sentence: string, run: (world: UnitWorld & Looking) => Promise<void>) =>
    test(`${label}: ${sentence}`, { skip, timeout: 60_000 }, async () => {
      const world = await make();
      try {
        await run({ ...world, ...looking(world) });
      } finally {
        await world.close();
      }
    });

  it("a new unit needs no reload", async ({ write, manager, runs, becomes }) => {
    await write(a, service(OLD));
    assert.deepEqual(await manager.list([a]), [], "a file alone is not held, and looking does not load it");
    assert.equal(await manager.start(a), "done");
    await becomes(a, "loaded active running");
    await until(() => runs(OLD), `${OLD} to run`);
  });

  it("says which files a unit was loaded from, and that one of them is another by now", async (world) => {
    const { write, manager, becomes } = world;
    const dropin = `${a}.d/10-more.conf`;
    assert.equal(await manager.sources(a), null);
    await write(a, service(OLD));
    await write(dropin, "[Unit]\nDescription=more\n");
    assert.equal(await manager.sources(a), null, "asking loads nothing");
    await manager.start(a);
    await becomes(a, "loaded active running");
    const path = (file: string) => `/run/systemd/system/${file}`;
    const sources = { fragmentPath: path(a), dropinPaths: [path(dropin)], names: [a] };
    assert.deepEqual(await manager.sources(a), { ...sources, isOutdated: false });
    await world.remove(dropin);
    assert.deepEqual(await manager.sources(a), { ...sources, isOutdated: true });
    await manager.reload();
    assert.deepEqual(await manager.sources(a), { ...sources, dropinPaths: [], isOutdated: false });
  });

  it("a stopped unit is collected, and starts with the text it has by then", async ({
    write,
    manager,
    runs,
    becomes,
  }) => {
    await write(a, service(OLD));
    await manager.start(a);
    await write(a, service(NEW));
    assert.equal(await manager.start(a), "done", "it is up already");
    await until(() => runs(OLD), `${OLD} to run`);
    assert.equal(await manager.stop(a), "done");
    await becomes(a, null);
    assert.equal(await detailsOf(manager, a), null);
    await manager.start(a);
    await until(() => runs(NEW), `${NEW} to run`);
    assert.ok(!(await runs(OLD)));
  });

  it("a stopped unit that a running one names in After= is held with its old text until a reload", async (world) => {
    const { write, manager, runs, becomes } = world;
    await write(a, service(OLD));
    await write(b, service("/bin/sleep 86403", `After=${a}`));
    await manager.start(a);
    await manager.start(b);
    await write(a, service(NEW));
    await manager.stop(a);
    await becomes(a, "loaded inactive dead");
    await manager.start(a);
    await until(() => runs(OLD), `${OLD} to run`);
    await manager.stop(a);
    await manager.reload();
    await manager.start(a);
    await until(() => runs(NEW), `${NEW} to run`);
  });

  it("a failed unit is held with its old text until its failure is reset", async ({
    write,
    manager,
    runs,
    becomes,
  }) => {
    await write(a, oneshot("/bin/false"));
    assert.equal(await manager.start(a), "failed");
    await becomes(a, "loaded failed failed");
    await write(a, service(NEW));
    assert.equal(await manager.start(a), "failed", "the old text ran again");
    assert.equal(await manager.stop(a), "done");
    await becomes(a, "loaded failed failed");
    await manager.resetFailed(a);
    await becomes(a, null);
    assert.equal(await manager.start(a), "done");
    await until(() => runs(NEW), `${NEW} to run`);
  });

  it("a reload changes what is held, not what runs", async ({ write, manager, runs, becomes }) => {
    await write(a, service(OLD));
    await manager.start(a);
    const before = await detailsOf(manager, a);
    await write(a, service(NEW));
    await manager.reload();
    await becomes(a, "loaded active running");
    await until(() => runs(OLD), `${OLD} to run`);
    assert.equal((await detailsOf(manager, a))?.invocation, before?.invocation);
  });

  it("a unit's own reload runs what systemd holds as its ExecReload=, and leaves its process alone", async (world) => {
    const { write, manager, runs, becomes } = world;
    const text = (word: string) => service(OLD, "", `ExecReload=/bin/echo ${word}`);
    const said = async () => (await manager.journal(a, 20)).filter((line) => line.startsWith("heard"));
    await write(a, text("heard-one"));
    await manager.start(a);
    const before = await detailsOf(manager, a);
    assert.equal(await manager.reloadUnit(a), "done");
    await write(a, text("heard-two"));
    assert.equal(await manager.reloadUnit(a), "done");
    await until(async () => (await said()).length === 2, "two lines of the first text");
    await manager.reload();
    assert.equal(await manager.reloadUnit(a), "done");
    await until(async () => (await said()).length === 3, "one line more");
    assert.deepEqual(await said(), ["heard-one", "heard-one", "heard-two"]);
    await becomes(a, "loaded active running");
    await until(() => runs(OLD), `${OLD} to run`);
    assert.equal((await detailsOf(manager, a))?.invocation, before?.invocation);
  });

  it("an ExecReload= that fails fails the job, not the unit", async ({ write, manager, runs, becomes }) => {
    await write(a, service(OLD, "", "ExecReload=/bin/false"));
    await manager.start(a);
    assert.equal(await manager.reloadUnit(a), "failed");
    await becomes(a, "loaded active running");
    await until(() => runs(OLD), `${OLD} to run`);
  });

  it("a unit without a reload of its own is refused, as is one that is nowhere", async (world) => {
    const { write, manager, refuses, becomes } = world;
    await write(a, service(OLD));
    await manager.start(a);
    await refuses("unit-not-reloadable", a, manager.reloadUnit(a));
    await becomes(a, "loaded active running");
    const target = name("x.target");
    await write(target, "[Unit]\nDescription=x\n");
    await manager.start(target);
    await refuses("unit-not-reloadable", target, manager.reloadUnit(target));
    await refuses("unit-not-found", b, manager.reloadUnit(b));
  });

  it("a reload of one that is down starts nothing", async ({ write, manager, becomes }) => {
    await write(a, service(OLD, "", "ExecReload=/bin/true"));
    assert.equal(await manager.reloadUnit(a), "invalid");
    await becomes(a, null);
    await write(b, oneshot("/bin/false", "", "ExecReload=/bin/true"));
    await manager.start(b);
    assert.equal(await manager.reloadUnit(b), "invalid");
    await becomes(b, "loaded failed failed");
  });

  it("a mount is mounted again in place", async ({ write, manager, becomes }) => {
    const mount = name("mnt.mount");
    const text = (options: string) => `[Mount]\nWhat=tmpfs\nType=tmpfs\nWhere=/ct/mnt\nOptions=${options}\n`;
    await write(mount, text("size=1m"));
    assert.equal(await manager.start(mount), "done");
    const before = await detailsOf(manager, mount);
    await write(mount, text("size=2m"));
    await manager.reload();
    assert.equal(await manager.reloadUnit(mount), "done");
    await becomes(mount, "loaded active mounted");
    assert.equal((await detailsOf(manager, mount))?.invocation, before?.invocation);
  });

  it("a first drop-in of a held unit waits for the reload, that of a new one does not", async (world) => {
    const { write, manager, runs } = world;
    await write(a, service(OLD));
    await write(b, service("/bin/sleep 86403", `After=${a}`));
    await manager.start(a);
    await manager.start(b);
    await manager.stop(a);
    await write(`${a}.d/10-new.conf`, `[Service]\nExecStart=\nExecStart=${NEW}\n`);
    await manager.start(a);
    await until(() => runs(OLD), `${OLD} to run`);
    await write(c, service(OLD));
    await write(`${c}.d/10-new.conf`, "[Service]\nExecStart=\nExecStart=/bin/sleep 86404\n");
    await manager.start(c);
    await until(() => runs("/bin/sleep 86404"), "it to run");
  });

  it("a unit without its file runs on through a reload, and is gone once stopped", async (world) => {
    const { write, remove, manager, becomes } = world;
    await write(a, service(OLD));
    await manager.start(a);
    await remove(a);
    await manager.reload();
    await becomes(a, "not-found active running");
    assert.equal(await manager.stop(a), "done");
    await becomes(a, null);
  });

  it("a missing unit that is only named is held as not found, and starts without a reload once it has a file", async (world) => {
    const { write, manager, becomes } = world;
    await write(a, service(OLD, `Wants=${b}\nAfter=${c}`));
    assert.equal(await manager.start(a), "done");
    await becomes(b, "not-found inactive dead");
    await becomes(c, "not-found inactive dead");
    await write(b, service(NEW));
    assert.equal(await manager.start(b), "done");
    await becomes(b, "loaded active running");
  });

  it("a unit that is nowhere: stop and reset are done, start is refused by name", async ({ manager, refuses }) => {
    assert.deepEqual(await manager.list([a]), []);
    assert.equal(await detailsOf(manager, a), null);
    assert.equal(await manager.stop(a), "done");
    await manager.resetFailed(a);
    await refuses("unit-not-found", a, manager.start(a));
    assert.deepEqual(await manager.list([a]), []);
  });

  it("one that requires what is nowhere is refused, and leaves nothing behind", async (world) => {
    const { write, manager, refuses, becomes } = world;
    for (const key of ["Requires", "BindsTo", "Requisite"]) {
      await write(a, service(OLD, `${key}=${b}`));
      await refuses("unit-not-found", b, manager.start(a));
      await becomes(a, null);
    }
  });

  it("a masked unit, a service without a program and a template are refused", async ({ write, manager, refuses }) => {
    await write(a, "");
    await refuses("unit-masked", a, manager.start(a));
    await write(b, "[Service]\nType=simple\n");
    await refuses("unit-bad-setting", b, manager.start(b));
    await refuses("systemd-refused", "ct-t@.service", manager.start(name("t@.service")));
  });

  it("a oneshot that succeeds ends inactive and is collected; with RemainAfterExit it stays", async (world) => {
    const { write, manager, becomes } = world;
    await write(a, oneshot("/bin/true"));
    assert.equal(await manager.start(a), "done");
    await becomes(a, null);
    await write(b, oneshot("/bin/true", "", "RemainAfterExit=yes"));
    assert.equal(await manager.start(b), "done");
    await becomes(b, "loaded active exited");
  });

  it("a simple service that fails has started first: the job is done, then the unit is failed", async (world) => {
    const { write, manager, becomes } = world;
    await write(a, service("/bin/false"));
    assert.equal(await manager.start(a), "done");
    await becomes(a, "loaded failed failed");
    assert.equal((await detailsOf(manager, a))?.result, "exit-code");
    await write(b, service("/bin/nonexistent"));
    assert.equal(await manager.start(b), "done");
    await becomes(b, "loaded failed failed");
  });

  it("a service whose program ends well is inactive and collected", async ({ write, manager, becomes }) => {
    await write(a, service("/bin/sleep 0.2"));
    assert.equal(await manager.start(a), "done");
    await becomes(a, "loaded active running");
    await becomes(a, null);
  });

  it("a program that is killed leaves its unit failed by a signal", async ({ write, manager, kill, becomes }) => {
    await write(a, service(OLD));
    await manager.start(a);
    await kill(a);
    await becomes(a, "loaded failed failed");
    assert.equal((await detailsOf(manager, a))?.result, "signal");
  });

  it("the journal holds the lines of the last start, oldest first", async ({ write, manager, becomes }) => {
    await write(a, service("/bin/sh -c 'echo one; echo two; exit 3'"));
    await manager.start(a);
    await becomes(a, "loaded failed failed");
    const said = async () => (await manager.journal(a, 20)).filter((line) => ["one", "two"].includes(line));
    await until(async () => (await said()).length === 2, "both lines are in the journal");
    await manager.start(a);
    await becomes(a, "loaded failed failed");
    await until(async () => (await said()).length === 2, "the lines of the second start alone");
    assert.deepEqual(await said(), ["one", "two"]);
    assert.equal((await manager.journal(a, 1)).length, 1);
  });

  it("details say what was loaded, since when, and which start it was", async ({ write, manager, becomes }) => {
    await write(a, oneshot("/bin/false"));
    await manager.start(a);
    await becomes(a, "loaded failed failed");
    const first = await detailsOf(manager, a);
    assert.equal(first?.fragmentPath, `/run/systemd/system/${a}`);
    assert.match(first?.since ?? "", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.match(first?.invocation ?? "", /^[0-9a-f]{32}$/);
    assert.equal(first?.result, "exit-code");
    await manager.start(a);
    const second = await detailsOf(manager, a);
    assert.notEqual(second?.invocation, first?.invocation);
    assert.ok(second!.since >= first!.since);
    await write(a, service(OLD));
    await manager.reload();
    await manager.start(a);
    const third = await detailsOf(manager, a);
    assert.equal(third?.result, "success", "what failed before is forgotten with a start");
    assert.ok(third!.since >= second!.since);
  });

  it("a target has no result, and a stopped dependency never had a start", async ({ write, manager }) => {
    const target = name("x.target");
    await write(target, `[Unit]\nAfter=${a}\n`);
    await write(a, service(OLD));
    assert.equal(await manager.start(target), "done");
    assert.equal((await detailsOf(manager, target))?.result, "");
    const details = await detailsOf(manager, a);
    assert.deepEqual([details?.invocation, details?.since, details?.result], ["", "", "success"]);
  });

  it("what is required is started along, and a stop takes along who requires it", async (world) => {
    const { write, manager, becomes } = world;
    for (const key of ["Requires", "BindsTo", "Wants"]) {
      await write(a, service(OLD, `${key}=${b}`));
      await write(b, service(NEW));
      assert.equal(await manager.start(a), "done");
      await becomes(b, "loaded active running");
      assert.equal(await manager.stop(b), "done");
      await becomes(a, key === "Wants" ? "loaded active running" : null);
      await manager.stop(a);
      await becomes(b, null);
    }
  });

  it("who is bound to one that ends is stopped, who requires it is not", async ({ write, manager, kill, becomes }) => {
    await write(a, service(OLD, `BindsTo=${c}\nAfter=${c}`));
    await write(b, service(NEW, `Requires=${c}\nAfter=${c}`));
    await write(c, service("/bin/sleep 86403"));
    await manager.start(a);
    await manager.start(b);
    await kill(c);
    await becomes(c, "loaded failed failed");
    await becomes(a, null);
    await becomes(b, "loaded active running");
  });

  it("PartOf= takes along when stopped, and does not start", async ({ write, manager, becomes }) => {
    await write(a, service(OLD, `PartOf=${b}`));
    await write(b, service(NEW));
    await manager.start(a);
    await becomes(b, "loaded inactive dead");
    await manager.start(b);
    await manager.stop(b);
    await becomes(a, null);
  });

  it("a job whose requirement fails in front of it ends with dependency", async ({ write, manager, becomes }) => {
    await write(a, service(OLD, `Requires=${b}\nAfter=${b}`));
    await write(b, oneshot("/bin/false"));
    assert.equal(await manager.start(a), "dependency");
    await becomes(a, null);
    await becomes(b, "loaded failed failed");
  });

  it("Requisite= on one that is down ends with dependency and starts nothing", async ({ write, manager, becomes }) => {
    await write(a, service(OLD, `Requisite=${b}\nAfter=${b}`));
    await write(b, service(NEW));
    assert.equal(await manager.start(a), "dependency");
    await becomes(a, null);
    await becomes(b, null);
  });

  it("After= waits for the other's job", async ({ write, manager, becomes }) => {
    await write(a, service(OLD, `After=${b}`));
    await write(b, oneshot("/bin/sleep 0.5", "", "RemainAfterExit=yes"));
    const both = [manager.start(b), manager.start(a)];
    await becomes(b, "loaded activating start");
    assert.equal((await manager.list([a]))[0]?.active, "inactive");
    assert.deepEqual(await Promise.all(both), ["done", "done"]);
    await becomes(a, "loaded active running");
  });

  it("Conflicts= stops the other", async ({ write, manager, becomes }) => {
    await write(a, service(OLD, `Conflicts=${b}`));
    await write(b, service(NEW));
    await manager.start(b);
    assert.equal(await manager.start(a), "done");
    await becomes(a, "loaded active running");
    await becomes(b, "loaded inactive dead");
  });

  it("a stop cancels the start under way, and a oneshot ended early has failed", async ({
    write,
    manager,
    becomes,
  }) => {
    await write(a, oneshot("/bin/sleep 86405"));
    const starting = manager.start(a);
    await becomes(a, "loaded activating start");
    assert.equal(await manager.stop(a), "done");
    assert.equal(await starting, "canceled");
    await becomes(a, "loaded failed failed");
    assert.equal((await detailsOf(manager, a))?.result, "signal");
  });

  it("two who start one unit wait for the same job", async ({ write, manager, becomes }) => {
    await write(a, oneshot("/bin/sleep 0.3", "", "RemainAfterExit=yes"));
    assert.deepEqual(await Promise.all([manager.start(a), manager.start(a)]), ["done", "done"]);
    await becomes(a, "loaded active exited");
  });

  it("a start is queued before it has ended, and one that is refused is not", async ({ write, manager, refuses }) => {
    await write(a, oneshot("/bin/sleep 0.3"));
    const seen: string[] = [];
    const start = async (unit: UnitName) => seen.push(await manager.start(unit, () => seen.push("queued")));
    await start(a);
    await refuses("unit-not-found", b, start(b));
    assert.deepEqual(seen, ["queued", "done"]);
  });

  const activators = [
    ["timer", "[Timer]\nOnCalendar=*-01-01\n", "waiting"],
    ["socket", "[Socket]\nListenStream=/run/ct-contract.sock\n", "listening"],
    ["path", "[Path]\nPathExists=/run/ct-contract-nothing\n", "waiting"],
  ] as const;
  for (const [type, text, sub] of activators) {
    it(`a ${type} fails without its service, waits with it, and holds it`, async ({ write, manager, becomes }) => {
      const unit = name(`a.${type}`);
      await write(unit, text);
      assert.equal(await manager.start(unit), "failed");
      await becomes(unit, null);
      await write(a, service(OLD));
      assert.equal(await manager.start(unit), "done");
      await becomes(unit, `loaded active ${sub}`);
      await becomes(a, "loaded inactive dead");
      assert.equal(await manager.stop(unit), "done");
      await becomes(unit, null);
      await becomes(a, null);
    });
  }

  it("instances take their template's text and their own name's parts", async ({ write, manager, runs, becomes }) => {
    const instance = name("t@86406.service");
    await write(name("t@.service"), service("/bin/sleep %i"));
    assert.equal(await manager.start(instance), "done");
    await becomes(instance, "loaded active running");
    await until(() => runs("/bin/sleep 86406"), "it to run");
  });

  it("a backslash in a name is itself", async ({ write, manager, becomes }) => {
    const escaped = name("we\\x2dird.service");
    await write(escaped, service(OLD));
    assert.equal(await manager.start(escaped), "done");
    await becomes(escaped, "loaded active running");
  });

  it("150 units start and are listed at once, and none that was not asked for", async ({ write, manager }) => {
    const names = Array.from({ length: 150 }, (_, index) => name(`m${index}.service`));
    await write(a, service(OLD));
    await manager.start(a);
    for (const unit of names) await write(unit, oneshot("/bin/true", "", "RemainAfterExit=yes"));
    const results = await Promise.all(names.map((unit) => manager.start(unit)));
    assert.deepEqual([...new Set(results)], ["done"]);
    const listed = await manager.list(names);
    assert.deepEqual(listed.map((unit) => unit.name).sort(), [...names].sort());
    assert.deepEqual([...new Set(listed.map((unit) => unit.sub))], ["exited"]);
  });

  it("wakes at what others do, says what, and ends when told so", async ({ write, manager, kill, becomes }) => {
    await write(a, service(OLD));
    await manager.start(a);
    const heard: string[] = [];
    const listening = new AbortController();
    manager.onChange((what) => heard.push(what), listening.signal);
    await kill(a);
    await manager.reload();
    await becomes(a, "loaded failed failed");
    await until(async () => heard.includes("units") && heard.includes("definitions"), "a wake for each");
    listening.abort();
    const before = heard.length;
    await manager.resetFailed(a);
    await becomes(a, null);
    assert.equal(heard.length, before);
  });

  it("a death is heard of after many starts at once", async ({ write, kill, manager, becomes }) => {
    const many = Array.from({ length: 40 }, (_, index) => name(`many-${index}.service`));
    for (const unit of many) await write(unit, service(OLD));
    const results = await Promise.all(many.map((unit) => manager.start(unit)));
    assert.deepEqual([...new Set(results)], ["done"]);
    const [first = a] = many;
    await becomes(first, "loaded active running");
    let heard = 0;
    const listening = new AbortController();
    manager.onChange(() => heard++, listening.signal);
    await kill(first);
    await until(async () => heard > 0, "a wake");
    listening.abort();
    await becomes(first, "loaded failed failed");
    for (const unit of many) await manager.stop(unit);
  });
}
