import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before } from "node:test";
import { systemClock } from "../../src/adapters/system-clock.ts";
import { execProgram } from "../../src/adapters/systemd/read-journal.ts";
import { SystemdUnitManager } from "../../src/adapters/systemd/systemd-unit-manager.ts";
import { TransientCheck } from "../../src/adapters/systemd/transient-check.ts";
import type { UnitName } from "../../src/domain/names.ts";
import { enterMachine, labDown, labExec, labUp } from "../../src/lab/lab.ts";
import { healthTableContract } from "./health-table.contract.ts";
import { transientCheckContract } from "./transient-check.contract.ts";
import { unitManagerContract } from "./unit-manager.contract.ts";
import type { UnitWorld } from "./unit-world.ts";

/** Several of these may run on one host at a time. */
const LAB = `units-${process.pid}`;
const MACHINE = "m1";
const skip =
  process.getuid?.() !== 0
    ? "booting a machine needs root"
    : ["/usr/lib/systemd/systemd", "/lib/systemd/systemd"].some((path) => existsSync(path))
      ? false
      : "systemd is not on this machine";

let root = "";
let bundle = "";

before(async () => {
  if (skip !== false) return;
  bundle = mkdtempSync(join(tmpdir(), "fleet-units-"));
  const lab = await labUp({
    name: LAB,
    machines: 1,
    bundle: { node: process.execPath, folder: bundle },
    units: () => [],
    processes: () => [],
    environment: {},
  });
  root = `/proc/${lab.machines[0]!.init!.pid}/root`;
});

after(async () => {
  if (skip !== false) return;
  const leftovers = await labDown(LAB);
  rmSync(bundle, { recursive: true });
  if (leftovers.length > 0) throw new Error(`the lab left ${leftovers.join(", ")}`);
});

unitManagerContract("systemd", systemdWorld, skip);
healthTableContract("systemd", systemdWorld, skip);
const checks = () => new TransientCheck(systemClock, process.pid, `unix:path=${root}/run/dbus/system_bus_socket`);
transientCheckContract(systemdWorld, checks, skip);

async function systemdWorld(): Promise<UnitWorld> {
  const folder = `${root}/run/systemd/system`;
  const enter = enterMachine(LAB, MACHINE);
  const manager = new SystemdUnitManager({
    clock: systemClock,
    address: `unix:path=${root}/run/dbus/system_bus_socket`,
    exec: (argv) => execProgram([...enter, ...argv]),
  });
  const inMachine = (...argv: string[]) => labExec(LAB, MACHINE, argv);
  return {
    manager,
    async write(path, text) {
      mkdirSync(dirname(`${folder}/${path}`), { recursive: true });
      writeFileSync(`${folder}/${path}`, text);
    },
    remove: async (path) => rmSync(`${folder}/${path}`),
    runs: async (command) => (await inMachine("pgrep", "-xf", command)).code === 0,
    kill: async (name: UnitName) => void (await inMachine("systemctl", "kill", "--signal=KILL", name)),
    async close() {
      manager.close();
      // Everything the test made, by its prefix; what is not there is no matter.
      await inMachine("systemctl", "stop", "ct-*");
      await inMachine("systemctl", "reset-failed", "ct-*");
      for (const path of readdirSync(folder))
        if (path.startsWith("ct-")) rmSync(`${folder}/${path}`, { recursive: true });
      await inMachine("systemctl", "daemon-reload");
    },
  };
}
