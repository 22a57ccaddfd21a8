import type { UnitName } from "../../domain/names.ts";
import { MASS_STOP_TRAILER } from "../../domain/standalone/mass-stop.ts";
import type { LeftOut, NotStandalone, RefusedHere } from "../../domain/standalone/standalone-set.ts";
import type { StandaloneState } from "../../domain/standalone/standalone-state.ts";
import type { MachinePlan } from "../plan-machine.ts";
import { changeGroups } from "./change-rows.ts";
import { changeLines } from "./change-table.ts";
import { counted } from "./counted.ts";
import { describeReject } from "./describe-reason.ts";
import { agoText, durationText } from "./duration-text.ts";
import { printable } from "./printable.ts";
import { rewoundText } from "./rewound-text.ts";
import { table } from "./table.ts";
import type { Terminal } from "./terminal.ts";

const NOT_STANDALONE: Readonly<Record<NotStandalone, string>> = {
  "needs-engine": "nothing says on which machine it runs",
  "needs-lease": "it runs at most once, and nobody is there to say that it does",
};

/** What a machine that follows git alone says of itself. `nowMs`: the wall clock's. */
export function standaloneText(name: string, state: StandaloneState, nowMs: number): string {
  const { cluster, source, branch, commit, since, tip, fetchedAgoMs, pollMs, rewound, problem, units } = state;
  const taken =
    commit === null ? "no commit yet" : `commit ${commit.slice(0, 12)}, taken ${agoText(since ?? "", nowMs)}`;
  const read =
    fetchedAgoMs === null
      ? "not read since the agent started"
      : `read ${durationText(fetchedAgoMs)} ago, every ${durationText(pollMs)}`;
  const ahead = tip !== null && tip !== commit ? `; its tip ${tip.slice(0, 12)} is not in force` : "";
  const lines = [
    `${name} follows ${branch} of ${source} alone (cluster ${cluster})`,
    `  in force  ${taken}`,
    `  branch    ${read}${ahead}`,
  ];
  if (rewound != null) lines.push(`  ${rewoundText(rewound, nowMs)}`);
  if (state.waiting !== undefined && state.waiting.length > 0)
    lines.push(`  waits     ${state.waiting.join(", ")}: until what was changed before is up`);
  if (problem !== null) lines.push(`  problem   ${problem.code}: ${problem.detail}`);
  const rows = units.map(({ unit, goal, status }) => [
    unit,
    goal,
    status === null ? "not seen yet" : `${status.active}/${status.sub}`,
    status?.problem == null ? "" : `${status.problem.code}: ${status.problem.detail}`,
  ]);
  const blocks = [lines.map(printable).join("\n")];
  if (rows.length > 0) blocks.push(table(["unit", "goal", "state", "problem"], rows));
  return [...blocks, ...otherLines(state)].join("\n\n");
}

/** What one standalone machine would run, and what would change there. */
export function machinePlanText(plan: MachinePlan, terminal: Terminal | null): string {
  const { machine, set, changes, commit, against, massStop } = plan;
  const metadata = Object.entries(machine.metadata).map(([key, value]) => `${key}=${value}`);
  const from = against === null ? "a machine that runs nothing yet" : against.slice(0, 12);
  const head = `${machine.name} would run ${counted(set.placements.length, "unit")} of ${commit.slice(0, 12)} (${metadata.join(",") || "no metadata"})`;
  const { id, name } = machine;
  const groups = changeGroups({ changes, machines: [{ id, name, present: true, metadata: machine.metadata }] });
  const body =
    changes.length === 0
      ? `no changes from ${from}`
      : `changes from ${from}:\n${changeLines(groups, terminal).join("\n")}`;
  const same = set.placements.filter(({ unit }) => !changes.some((change) => change.unit === unit));
  const kept = same.length === 0 ? [] : [`unchanged: ${same.map(({ unit }) => unit).join(", ")}`];
  const mass =
    massStop === null
      ? []
      : [
          `held: the machine would not take this commit, which stops ${massStop.stops.length} of its ${counted(massStop.of, "unit")}, unless its message ends with ${MASS_STOP_TRAILER}`,
        ];
  return [printable(head), body, ...kept, ...mass, ...otherLines(set)].join("\n\n");
}

function otherLines({ refused, left }: { refused: readonly RefusedHere[]; left: readonly LeftOut[] }): string[] {
  const line = ({ unit }: { unit: UnitName }, why: string) => `  ${unit}  ${why}`;
  const blocks: string[] = [];
  if (refused.length > 0)
    blocks.push(
      ["cannot run here, because this machine:", ...refused.map((one) => line(one, describeReject(one.because)))].join(
        "\n",
      ),
    );
  if (left.length > 0)
    blocks.push(["not for standalone:", ...left.map((one) => line(one, NOT_STANDALONE[one.because]))].join("\n"));
  return blocks.map(printable);
}
