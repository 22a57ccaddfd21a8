import { DEFAULT_AGENT_TTL_MS } from "../../domain/spec/loss-defaults.ts";
import { BaseCommand } from "../base-command.ts";
import { composeDaemon, stopSignal } from "../daemon-composition.ts";
import { daemonFlags, durationFlag, thisMachine } from "../daemon-flags.ts";

/** The leader lease where nothing shorter is configured: a leader that died is missed for this long. */
const LEADER_TTL_MAX_MS = 15_000;

export default class EngineCommand extends BaseCommand {
  static override summary = "Run the engine: decides which machine runs which unit; one of all engines leads";
  static override flags = daemonFlags;

  async run(): Promise<void> {
    const { flags } = await this.parse(EngineCommand);
    const self = thisMachine(flags, this.config.version);
    const signal = stopSignal();
    const world = await composeDaemon(flags, "engine", null, signal);
    const { Engine } = await import("../../daemon/engine.ts");
    const agentTtlMs = durationFlag("agent-ttl", flags["agent-ttl"]);
    const graceMs = durationFlag("grace", flags.grace);
    const loss = { ...(agentTtlMs === undefined ? {} : { agentTtlMs }), ...(graceMs === undefined ? {} : { graceMs }) };
    const leaderTtlMs = Math.min(LEADER_TTL_MAX_MS, agentTtlMs ?? DEFAULT_AGENT_TTL_MS);
    await new Engine(world.cluster, { machine: self.machine, leaderTtlMs, loss }, world).run(signal);
    await world.registry.close();
  }
}
