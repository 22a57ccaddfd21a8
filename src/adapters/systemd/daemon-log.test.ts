import assert from "node:assert/strict";
import { test } from "node:test";
import type { UnitName } from "../../domain/names.ts";
import { info, notice } from "../../ports/log.ts";
import { OperationError } from "../../ports/operation-error.ts";
import { VirtualClock } from "../memory/virtual-clock.ts";
import { DaemonLog } from "./daemon-log.ts";

const WEB = "web.service" as UnitName;

function world({ toJournal = true, hasLogger = true } = {}) {
  const clock = new VirtualClock();
  const entries: string[] = [];
  let text = "";
  const log = new DaemonLog({
    speaker: { identifier: "fleet-agent", unit: null },
    toJournal,
    clock,
    write: (more) => {
      text += more;
    },
    addEntry: async (entry) => {
      if (!hasLogger) throw new OperationError("program-failed", "logger could not be run");
      entries.push(entry);
    },
  });
  return { clock, log, entries, text: () => text };
}

test("lines about a unit are entries of their own, in their order, all others go to standard error", async () => {
  const { log, entries, text } = world();
  log.log(info("stop", WEB));
  log.log(notice("accepted release 1"));
  log.log(info("start", WEB));
  await log.flush();
  assert.equal(text(), "<5>accepted release 1\n");
  assert.deepEqual(
    entries.map((entry) => entry.split("\n")[0]),
    ["MESSAGE=stop", "MESSAGE=start"],
  );
});

test("outside of the journal everything is plain text", async () => {
  const { log, entries, text } = world({ toJournal: false });
  log.log(info("start web.service", WEB));
  await log.flush();
  assert.equal(text(), "start web.service\n");
  assert.deepEqual(entries, []);
});

test("of hundreds at once twenty are entries, and none is lost", async () => {
  const { clock, log, entries, text } = world();
  for (let index = 0; index < 750; index++) log.log(info(`start ${index}`, WEB));
  await log.flush();
  assert.equal(entries.length, 20);
  assert.equal(text().split("\n").filter(Boolean).length, 730);
  await clock.advance(3_000);
  for (let index = 0; index < 10; index++) log.log(info("later", WEB));
  await log.flush();
  assert.equal(entries.length, 23);
});

test("a machine whose logger knows no journal says so once, and loses nothing", async () => {
  const { log, entries, text } = world({ hasLogger: false });
  for (const message of ["one", "two"]) log.log(info(message, WEB));
  await log.flush();
  log.log(info("three", WEB));
  await log.flush();
  assert.deepEqual(entries, []);
  assert.equal(text(), "<5>no fields in the journal: logger could not be run\n<6>one\n<6>two\n<6>three\n");
});
