import { Flags } from "@oclif/core";
import { BaseCommand, repositoryFlags } from "../../base-command.ts";
import { labClusterUp, labSocket } from "../../lab-cluster.ts";
import { labFlags } from "../../lab-flags.ts";
import { table } from "../../views/table.ts";

export default class LabUpCommand extends BaseCommand {
  static override summary = "Boot a cluster of real systemd machines on this one, for the repository you stand in";
  static override examples = ["fleet lab up --machines 3"];
  static override flags = {
    ...labFlags,
    directory: repositoryFlags.directory,
    manifest: repositoryFlags.manifest,
    machines: Flags.integer({ description: "How many", default: 3, min: 1, max: 200 }),
    branch: Flags.string({ description: "The branch the machines follow (default: the one checked out)" }),
    registry: Flags.string({ description: "etcd://host:port to use instead of an embedded registry" }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(LabUpCommand);
    const composition = await this.compose(flags);
    try {
      const repository = await composition.repository();
      const lab = await labClusterUp({
        name: flags.name,
        machines: flags.machines,
        bundle: this.config.root,
        gitFolder: repository.gitFolder,
        branch: flags.branch ?? repository.currentBranch() ?? "main",
        manifest: flags.manifest,
        registry: flags.registry,
      });
      this.print(
        table(
          ["machine", "ip", "id"],
          lab.machines.map((machine) => [machine.name, machine.address, machine.machineId]),
        ),
      );
      this.say(
        `registry unix:${labSocket(flags.name)}\nnext: fleet plan, fleet apply; fleet lab kill m2; fleet lab down`,
      );
    } finally {
      await composition.close();
    }
  }
}
