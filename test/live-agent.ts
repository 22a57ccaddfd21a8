import { MemoryFileStore } from "../src/adapters/memory/memory-file-store.ts";
import { MemoryHealthProbe } from "../src/adapters/memory/memory-health-probe.ts";
import { MemoryPodman } from "../src/adapters/memory/memory-podman.ts";
import { MemoryUnitManager } from "../src/adapters/memory/memory-unit-manager.ts";
import { randomId } from "../src/adapters/random-id.ts";
import { sha256 } from "../src/adapters/sha256.ts";
import { systemClock } from "../src/adapters/system-clock.ts";
import { Agent } from "../src/daemon/agent.ts";
import type { MachineId } from "../src/domain/names.ts";
import type { GitSource } from "../src/ports/git-source.ts";
import type { Log } from "../src/ports/log.ts";
import type { Registry } from "../src/ports/registry.ts";
import { UNSUPERVISED } from "../src/ports/supervisor.ts";
import { AgentFiles } from "../src/usecases/agent-files.ts";
import type { PartCompiler } from "../src/usecases/part-compiler.ts";
import { trustOf } from "./trust-of.ts";

export interface LiveAgentOptions {
  readonly cluster: string;
  readonly machine: MachineId;
  readonly registry: Registry;
  /** May be those of many agents. */
  readonly source: GitSource;
  readonly compilePart: PartCompiler;
  readonly ttlMs: number;
  readonly log?: Log;
}

/** The agent itself in real time, on a machine in memory, over whatever registry it is given. */
export function liveAgent({ cluster, machine, ttlMs, log = () => {}, ...ports }: LiveAgentOptions): Agent {
  const disk = new MemoryFileStore();
  const name = `m-${machine.slice(0, 8)}`;
  const self = { machine, name, address: "192.0.2.1", metadata: {}, bootId: `boot of ${machine}`, version: "1" };
  return new Agent(self, cluster, ttlMs, {
    ...ports,
    ...{ clock: systemClock, newId: randomId, sha256, log },
    manager: new MemoryUnitManager({ files: disk, clock: systemClock }),
    files: new AgentFiles(disk),
    holder: { renewed: async () => {} },
    health: new MemoryHealthProbe(),
    podman: new MemoryPodman(disk),
    contacts: [],
    trust: trustOf(ports.source),
    supervisor: UNSUPERVISED,
  });
}
