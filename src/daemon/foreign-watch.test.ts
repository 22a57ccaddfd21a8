import assert from "node:assert/strict";
import { test } from "node:test";
import { AgentMachine, server } from "../../test/agent-machine.ts";
import type { UnitName } from "../domain/names.ts";
import { AgentFiles } from "../usecases/agent-files.ts";
import { ForeignWatch } from "./foreign-watch.ts";

test("looks once a minute, and keeps its word while systemd does not answer", async () => {
  const { clock, disk, manager } = new AgentMachine();
  const watch = new ForeignWatch({ manager, clock, files: new AgentFiles(disk) });
  assert.deepEqual(await watch.current(), {}, "none is nothing to write");
  await disk.write("/etc/systemd/system/a.service", server("a"));
  await manager.start("a.service" as UnitName);
  assert.deepEqual(await watch.current(), {}, "the minute is not over");
  await clock.advance(60_000);
  assert.deepEqual(await watch.current(), { foreign: ["a.service"] });
  manager.setReachable(false);
  await clock.advance(60_000);
  assert.deepEqual(await watch.current(), { foreign: ["a.service"] });
  manager.setReachable(true);
  await manager.stop("a.service" as UnitName);
  await clock.advance(60_000);
  assert.deepEqual(await watch.current(), {});
});
