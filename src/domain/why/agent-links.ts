import {
  CANNOT_LOOK,
  type ClusterSnapshot,
  type MachineSet,
  type Member,
  type PlacedUnit,
  type UnitStatus,
} from "../cluster/cluster-snapshot.ts";
import { digestOfSet } from "../cluster/digest-of-set.ts";
import type { Hold } from "../cluster/hold.ts";
import type { Sha256 } from "../names.ts";
import type { EngineReport } from "../report/engine-report.ts";
import { isRewind } from "../trust/rewind.ts";
import type { AgentLink, SetLink, SystemdLink } from "./unit-explanation.ts";

/** The set that holds the unit, and whether its agent may act on it. */
export function setLink(set: MachineSet, placed: PlacedUnit, snapshot: ClusterSnapshot, sha256: Sha256): SetLink {
  const { header, placements } = set;
  return {
    link: "set",
    epoch: header?.epoch ?? 0,
    generation: header?.generation ?? 0,
    count: placements.length,
    state: setState(set, snapshot, sha256),
    goal: placed.goal,
    hash: placed.hash,
    since: set.headerAt ?? null,
  };
}

/** As `judgeSet` would say to an agent that has none. */
function setState({ header, placements }: MachineSet, { identity }: ClusterSnapshot, sha256: Sha256): SetLink["state"] {
  if (header === null) return "no-header";
  if (header.epoch !== (identity?.epoch ?? 0)) return "other-epoch";
  const isWhole = header.count === placements.length && header.digest === digestOfSet(placements, sha256);
  return isWhole ? "whole" : "incomplete";
}

/** What the machine's agent says of itself and of the unit. */
export function agentLink(
  member: Member,
  placed: PlacedUnit,
  status: UnitStatus | null,
  hold: Hold | null,
  report: EngineReport | null,
  release: number,
): AgentLink {
  const missedSince = report?.absent?.find(({ machine }) => machine === member.id)?.since ?? null;
  return {
    link: "agent",
    present: member.present,
    heardWithinMs: member.heardWithinMs ?? null,
    since: member.present ? (member.problem?.since ?? null) : missedSince,
    loss: report?.loss?.machines.find(({ machine }) => machine === member.id) ?? null,
    accepted: member.acceptedSeq,
    release,
    ...(isRewind(member.rewound) ? { rewound: member.rewound } : {}),
    machineProblem: member.problem == null ? null : { code: member.problem.code, detail: member.problem.detail },
    problem: status?.problem == null ? null : { code: status.problem.code, detail: status.problem.detail },
    hold,
    drift: status?.drift ?? null,
    runs: status?.hash ?? null,
    wanted: placed.hash,
  };
}

/** systemd's word, as the agent passed it on; null where nothing was ever said. */
export function systemdLink(member: Member, status: UnitStatus | null): SystemdLink | null {
  if (status === null) return null;
  return {
    link: "systemd",
    load: status.load,
    active: status.active,
    sub: status.sub,
    result: status.result,
    since: status.since === "" ? null : status.since,
    started: status.started,
    isOld: !member.present || member.problem?.code === CANNOT_LOOK,
    journal: status.problem?.journal ?? [],
  };
}
