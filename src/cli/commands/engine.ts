import { join } from "node:path";
import type { Interfaces } from "@oclif/core";
import { DEFAULT_AGENT_TTL_MS } from "../../domain/spec/loss-defaults.ts";
import { BaseCommand } from "../base-command.ts";
import { composeDaemon } from "../daemon-composition.ts";
import { daemonFlags, lossFlags, thisMachine } from "../daemon-flags.ts";
import { type DaemonService, runService, supervisedBy } from "../daemon-service.ts";
import { engineConditionText } from "../views/daemon-condition-text.ts";

type EngineFlags = Interfaces.InferredFlags<typeof daemonFlags>;

/** The leader lease where nothing shorter is configured: a leader that died is missed for this long. */
const LEADER_TTL_MAX_MS = 15_000;

export default class EngineCommand extends BaseCommand {
  static override summary = "Run the engine: decides which machine runs which unit; one of all engines leads";
  static override flags = daemonFlags;

  async run(): Promise<void> {
    const { flags } = await this.parse(EngineCommand);
    await runService("fleet-engine", (service) => this.#serve(flags, service));
  }

  async #serve(flags: EngineFlags, service: DaemonService): Promise<void> {
    const self = thisMachine(flags, this.config.version);
    service.notifier.ready();
    service.notifier.status("asks the source which cluster this is");
    const world = await composeDaemon(flags, "engine", null, service);
    const [{ Engine }, { DiskFileStore }, { RegistryMemory }] = await Promise.all([
      import("../../daemon/engine.ts"),
      import("../../adapters/files/disk-file-store.ts"),
      import("../../usecases/registry-memory.ts"),
    ]);
    const memory = new RegistryMemory(new DiskFileStore(), join(flags["state-directory"], "engine"));
    const loss = await lossFlags(flags);
    const leaderTtlMs = Math.min(LEADER_TTL_MAX_MS, loss.agentTtlMs ?? DEFAULT_AGENT_TTL_MS);
    const options = { machine: self.machine, leaderTtlMs, loss };
    const supervisor = supervisedBy(service.notifier, engineConditionText);
    try {
      await new Engine(world.cluster, options, { ...world, memory, supervisor }).run(service.signal);
    } finally {
      await world.registry.close();
    }
  }
}
