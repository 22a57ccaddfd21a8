import assert from "node:assert/strict";
import { test } from "node:test";
import { AgentMachine, server, unit } from "../../test/agent-machine.ts";
import type { UnitName } from "../domain/names.ts";
import { AgentFiles } from "./agent-files.ts";
import { findForeignUnits } from "./find-foreign-units.ts";

const ETC = "/etc/systemd/system";

test("what runs from /etc, and instances that are enabled of a template there; not what is down, ours or merely enabled", async () => {
  const machine = new AgentMachine();
  const files = {
    [`${ETC}/runs.service`]: server("a"),
    [`${ETC}/down.service`]: server("b"),
    [`${ETC}/w@.service`]: server("%i"),
    [`${ETC}/notes.txt`]: "not a unit",
    [`${ETC}/multi-user.target.wants/w@1.service`]: "a link",
    [`${ETC}/multi-user.target.wants/vendor.service`]: "a link",
    "/run/systemd/system/vendor.service": server("c"),
  };
  for (const [path, text] of Object.entries(files)) await machine.disk.write(path, text);
  for (const name of ["runs.service", "w@1.service", "w@2.service", "vendor.service"]) {
    await machine.during(machine.manager.start(name as UnitName));
  }
  const found = () => findForeignUnits(machine.manager, new AgentFiles(machine.disk));
  assert.deepEqual(await found(), ["runs.service", "w@1.service"]);
  await machine.settle([unit("runs.service", server("a"), { adopt: true })]);
  assert.deepEqual(await found(), ["w@1.service"], "what was taken over is fleet's");
});
