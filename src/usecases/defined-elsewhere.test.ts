import assert from "node:assert/strict";
import { test } from "node:test";
import { AgentMachine, server, unit } from "../../test/agent-machine.ts";

/** Where a machine may have a unit's file from others, and the name a commit gives to one of its own. */
const CASES: readonly [string, string, string][] = [
  ["of a package", "/usr/lib/systemd/system/sshd.service", "sshd.service"],
  ["of a machine whose /lib is no link", "/lib/systemd/system/sshd.service", "sshd.service"],
  ["of an administrator", "/etc/systemd/system/sshd.service", "sshd.service"],
  ["of a local package", "/usr/local/lib/systemd/system/sshd.service", "sshd.service"],
  ["of a generator", "/run/systemd/generator/sshd.service", "sshd.service"],
  ["of a package, as a template", "/usr/lib/systemd/system/sshd@.service", "sshd@1.service"],
];

for (const [whose, path, name] of CASES) {
  test(`row 62: a unit with the name ${whose}, which systemd does not hold: a conflict, and nothing is written or started`, async () => {
    const machine = new AgentMachine();
    await machine.disk.write(path, server("theirs"));
    const ours = [unit(name, server("ours")), unit("web.service", server("web"))];
    await machine.settle(ours);
    assert.deepEqual(machine.blocked, [{ unit: name, because: { code: "conflict", fragmentPath: path } }]);
    assert.deepEqual(machine.files(), ["web.service"]);
    assert.deepEqual([...machine.manager.running().keys()], ["web.service"], "its neighbour runs");
    await machine.disk.remove(path);
    await machine.settle(ours);
    assert.deepEqual([...machine.manager.running().keys()].sort(), [name, "web.service"]);
  });
}

test("row 62: a file that comes later under a name of fleet's changes nothing of what runs", async () => {
  const machine = new AgentMachine();
  const ours = [unit("web.service", server("ours"))];
  await machine.settle(ours);
  await machine.disk.write("/usr/lib/systemd/system/web.service", server("theirs"));
  await machine.settle(ours);
  machine.assertAs(ours);
  assert.deepEqual(machine.blocked, []);
});
