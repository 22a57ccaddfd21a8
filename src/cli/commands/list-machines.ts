import { Args, Flags } from "@oclif/core";
import type { ReportRecord } from "../../codec/registry-records.ts";
import type { Member, Release } from "../../domain/cluster/cluster-snapshot.ts";
import { compareText, type MachineId } from "../../domain/names.ts";
import { readReleases } from "../../usecases/read-releases.ts";
import { statesAsked } from "../choose-units.ts";
import { type ClusterView, readListView } from "../cluster-view.ts";
import { LookingCommand, listFlags, lookingFlags, watchFlag } from "../looking-command.ts";
import { membersMatching } from "../member-named.ts";
import { heardText } from "../views/commit-spread-text.ts";
import { doubleLines, unrecordedLines } from "../views/machine-lines.ts";
import { cpuText, sizeText } from "../views/resource-text.ts";

export default class ListMachinesCommand extends LookingCommand {
  static override summary = "List the machines of the cluster";
  static override examples = ["fleet list-machines", "fleet list-machines --state absent --fields machine,name,ip"];
  static override args = {
    machines: Args.string({
      description: "Only these: names, ids, beginnings of ids, or patterns such as 'pi-*'; several may follow",
    }),
  };
  static override strict = false;
  static override flags = {
    ...lookingFlags,
    ...listFlags,
    ...watchFlag,
    fields: Flags.string({
      description: "machine, name, ip, metadata, state, version, release, commit, heard, cpu, memory",
      default: "machine,name,ip,metadata,state",
    }),
    state: Flags.string({ description: "Only in this state, or one of several: present, absent, cannot-look, ..." }),
  };

  async run(): Promise<void> {
    const { flags, argv } = await this.parse(ListMachinesCommand);
    const states = statesAsked(flags.state);
    const membersOf = ({ view: { snapshot, report } }: Seen): Member[] => {
      const closed = closedBy(report);
      return membersMatching(argv.map(String), snapshot.members)
        .filter((member) => states === null || statesOf(member, closed).some((state) => states.has(state)))
        .sort((a, b) => compareText(a.name, b.name) || compareText(a.id, b.id));
    };
    const fieldsOf = ({ view: { report }, releases }: Seen): Record<string, (member: Member) => string> => {
      const commits = new Map(releases.map(({ seq, commit }) => [seq, commit]));
      const closed = closedBy(report);
      const nowMs = Date.now();
      return {
        machine: (member) => (flags.full ? member.id : `${member.id.slice(0, 8)}...`),
        name: (member) => member.name,
        ip: (member) => member.address,
        metadata: (member) =>
          Object.entries(member.metadata)
            .map(([key, value]) => `${key}=${value}`)
            .sort()
            .join(","),
        state: (member) => statesOf(member, closed).join(","),
        version: (member) => member.version,
        release: (member) => String(member.acceptedSeq),
        commit: ({ acceptedSeq }) => commits.get(acceptedSeq)?.slice(0, flags.full ? undefined : 7) ?? "-",
        heard: (member) => heardText(member, report, nowMs),
        cpu: ({ capacity }) => (capacity === undefined ? "-" : cpuText(capacity.cpuMilli)),
        memory: ({ capacity }) => (capacity === undefined ? "-" : sizeText(capacity.memoryBytes)),
      };
    };
    const needsReleases = flags.fields.split(",").some((field) => field.trim() === "commit");
    const once = async (): Promise<Seen> => ({ view: await this.viewOrLastSeen(flags), releases: [] });
    await this.show<Seen>(flags, {
      ...(needsReleases ? {} : { once }),
      read: async (registry, keys) => {
        const [view, releases] = await Promise.all([
          readListView(registry, keys),
          needsReleases ? readReleases(registry, keys) : [],
        ]);
        return { view, releases };
      },
      json: (seen) => {
        const { report, refused } = seen.view;
        const closed = closedBy(report);
        const twins = (id: MachineId) => refused.filter(({ machine }) => machine === id);
        return membersOf(seen).map((member) => ({
          ...member,
          closed: closed.get(member.id) ?? null,
          refused: twins(member.id),
        }));
      },
      text: (seen) => {
        const { snapshot, refused } = seen.view;
        for (const line of [...doubleLines(snapshot.members, refused), ...unrecordedLines(snapshot.members)])
          this.say(line);
        return this.tableText(membersOf(seen), fieldsOf(seen), flags);
      },
    });
  }
}

interface Seen {
  readonly view: ClusterView;
  /** Empty where no field asks for them. */
  readonly releases: readonly Release[];
}

/** Machines that get nothing, and why. */
function closedBy(report: ReportRecord | null): ReadonlyMap<MachineId, string> {
  return new Map(report?.closed?.map(({ machine, because }) => [machine, because]));
}

function statesOf(member: Member, closed: ReadonlyMap<MachineId, string>): string[] {
  const own = member.problem != null ? member.problem.code : member.present ? "present" : "absent";
  const because = closed.get(member.id);
  return because === undefined ? [own] : [own, because];
}
