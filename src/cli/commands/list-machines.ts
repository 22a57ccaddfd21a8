import { Flags } from "@oclif/core";
import type { Member } from "../../domain/cluster/cluster-snapshot.ts";
import { compareText, type MachineId } from "../../domain/names.ts";
import { LookingCommand, listFlags, lookingFlags } from "../looking-command.ts";
import { doubleLines, unrecordedLines } from "../views/machine-lines.ts";
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
    const { snapshot, report, refused } = await this.view(flags);
    const closed = new Map(report?.closed?.map(({ machine, because }) => [machine, because]));
    const members = [...snapshot.members].sort((a, b) => compareText(a.name, b.name) || compareText(a.id, b.id));
    if (flags.json) {
      const twins = (id: MachineId) => refused.filter(({ machine }) => machine === id);
      return this.printJson(
        members.map((member) => ({ ...member, closed: closed.get(member.id) ?? null, refused: twins(member.id) })),
      );
    }
    for (const line of [...doubleLines(members, refused), ...unrecordedLines(members)]) this.say(line);
    const fields: Record<string, (member: Member) => string> = {
      machine: (member) => (flags.full ? member.id : `${member.id.slice(0, 8)}...`),
      name: (member) => member.name,
      ip: (member) => member.address,
      metadata: (member) =>
        Object.entries(member.metadata)
          .map(([key, value]) => `${key}=${value}`)
          .sort()
          .join(","),
      state: (member) =>
        [
          member.problem != null ? member.problem.code : member.present ? "present" : "absent",
          closed.get(member.id) ?? [],
        ]
          .flat()
          .join(","),
      version: (member) => member.version,
      release: (member) => String(member.acceptedSeq),
      cpu: ({ capacity }) => (capacity === undefined ? "-" : cpuText(capacity.cpuMilli)),
      memory: ({ capacity }) => (capacity === undefined ? "-" : sizeText(capacity.memoryBytes)),
    };
    this.printTable(members, fields, flags);
  }
}
