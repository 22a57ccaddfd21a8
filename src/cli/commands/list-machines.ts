import { Flags } from "@oclif/core";
import type { Member } from "../../domain/cluster/cluster-snapshot.ts";
import { compareText } from "../../domain/names.ts";
import { LookingCommand, listFlags, lookingFlags } from "../looking-command.ts";
import { cpuText, sizeText } from "../views/resource-text.ts";

export default class ListMachinesCommand extends LookingCommand {
  static override summary = "List the machines of the cluster";
  static override flags = {
    ...lookingFlags,
    ...listFlags,
    fields: Flags.string({
      description: "machine, name, ip, metadata, state, version, release, cpu, memory",
      default: "machine,name,ip,metadata,state",
    }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(ListMachinesCommand);
    const { snapshot } = await this.view(flags);
    const members = [...snapshot.members].sort((a, b) => compareText(a.name, b.name) || compareText(a.id, b.id));
    if (flags.json) return this.printJson(members);
    const fields: Record<string, (member: Member) => string> = {
      machine: (member) => (flags.full ? member.id : `${member.id.slice(0, 8)}...`),
      name: (member) => member.name,
      ip: (member) => member.address,
      metadata: (member) =>
        Object.entries(member.metadata)
          .map(([key, value]) => `${key}=${value}`)
          .sort()
          .join(","),
      state: (member) => (member.problem != null ? member.problem.code : member.present ? "present" : "absent"),
      version: (member) => member.version,
      release: (member) => String(member.acceptedSeq),
      cpu: ({ capacity }) => (capacity === undefined ? "-" : cpuText(capacity.cpuMilli)),
      memory: ({ capacity }) => (capacity === undefined ? "-" : sizeText(capacity.memoryBytes)),
    };
    this.printTable(members, fields, flags);
  }
}
