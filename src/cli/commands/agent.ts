import { join } from "node:path";
import { BaseCommand } from "../base-command.ts";
import { composeDaemon, stopSignal } from "../daemon-composition.ts";
import { daemonFlags, durationFlag, thisMachine } from "../daemon-flags.ts";

export default class AgentCommand extends BaseCommand {
  static override summary = "Run the agent: makes this machine's systemd match the units placed here";
  static override flags = daemonFlags;

  async run(): Promise<void> {
    const { flags } = await this.parse(AgentCommand);
    const self = thisMachine(flags, this.config.version);
    const signal = stopSignal();
    const [{ Agent }, { SystemdUnitManager }, { LeaseFile }, { DiskFileStore }, { AGENT_FOLDERS, AgentFiles }] =
      await Promise.all([
        import("../../daemon/agent.ts"),
        import("../../adapters/systemd/systemd-unit-manager.ts"),
        import("../../adapters/systemd/lease-file.ts"),
        import("../../adapters/files/disk-file-store.ts"),
        import("../../usecases/agent-files.ts"),
      ]);
    const files = new AgentFiles(new DiskFileStore(), {
      ...AGENT_FOLDERS,
      state: join(flags["state-directory"], "agent"),
    });
    const remembered = (await files.readState())?.clusterName ?? null;
    const world = await composeDaemon(flags, "agent", remembered, signal);
    const manager = new SystemdUnitManager({ clock: world.clock });
    const ttlMs = durationFlag("agent-ttl", flags["agent-ttl"]) ?? null;
    const holder = new LeaseFile(world.clock);
    await new Agent(self, world.cluster, ttlMs, { ...world, manager, files, holder }).run(signal);
    manager.close();
    await world.registry.close();
  }
}
