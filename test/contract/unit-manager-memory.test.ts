import { MemoryFileStore } from "../../src/adapters/memory/memory-file-store.ts";
import { MemoryUnitManager } from "../../src/adapters/memory/memory-unit-manager.ts";
import { systemClock } from "../../src/adapters/system-clock.ts";
import { healthTableContract } from "./health-table.contract.ts";
import { unitManagerContract } from "./unit-manager.contract.ts";
import type { UnitWorld } from "./unit-world.ts";

const FOLDER = "/run/systemd/system";

unitManagerContract("memory", memoryWorld);
healthTableContract("memory", memoryWorld);

async function memoryWorld(): Promise<UnitWorld> {
  const files = new MemoryFileStore();
  const manager = new MemoryUnitManager({ files, clock: systemClock });
  return {
    manager,
    write: (path, text) => files.write(`${FOLDER}/${path}`, text),
    remove: (path) => files.remove(`${FOLDER}/${path}`),
    runs: async (command) =>
      [...manager.running()].some(([name, { text }]) => {
        const last = text.split("\n").findLast((line) => /^ExecStart=./.test(line)) ?? "";
        return last.slice("ExecStart=".length).replace("%i", name.replace(/^.*@|\..*$/g, "")) === command;
      }),
    kill: async (name) => manager.kill(name),
    close: async () => {
      manager.close();
      manager.powerOff();
    },
  };
}
