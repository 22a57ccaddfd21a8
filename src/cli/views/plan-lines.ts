import type { MachineId } from "../../domain/names.ts";
import type { StaysDownReason } from "../../domain/placement/lose-machines.ts";
import type { Placement, Unplaced } from "../../domain/placement/placement.ts";
import type { BrokenReference } from "../../domain/plan/broken-references.ts";
import type { Plan } from "../../domain/plan/plan.ts";
import type { PlanReport } from "../../domain/plan/plan-report.ts";
import type { LossOfOne } from "../../domain/plan/plan-verdict.ts";
import type { Wave } from "../../domain/rollout/wave.ts";
import { counted } from "./counted.ts";
import { describeFix, describePlacement, describeReject, describeRisk } from "./describe-reason.ts";
import { durationText } from "./duration-text.ts";

/** How many units one line names before it only counts. */
const UNITS_NAMED_MAX = 6;
/** How many units are told of that are on trial. */
const TRIALS_SHOWN_MAX = 6;
/** How many waves are told; a film of more is in the JSON. */
const WAVES_SHOWN_MAX = 12;

/** `12 files change: 1 restart, 3 moves, 40 unchanged`. That nothing restarts is said where something could have. */
export function headline({ counts, changes }: Pick<Plan, "counts" | "changes">): string {
  const { effects, files, unchanged, unplaced } = counts;
  const parts = [
    ...(effects.stop > 0 ? [counted(effects.stop, "stop")] : []),
    ...(effects.move > 0 ? [counted(effects.move, "move")] : []),
    ...(effects.restart > 0 || changes.length > 0 ? [counted(effects.restart, "restart")] : []),
    ...(effects.reload > 0 ? [counted(effects.reload, "reload")] : []),
    ...(effects["daemon-reload"] > 0 ? [`${effects["daemon-reload"]} read again`] : []),
    ...(effects.start > 0 ? [counted(effects.start, "start")] : []),
    ...(effects.adopt > 0 ? [`${effects.adopt} adopted`] : []),
    ...(effects.quiet > 0 ? [`${effects.quiet} quiet`] : []),
    ...(unchanged > 0 ? [`${unchanged} unchanged`] : []),
    ...(unplaced > 0 ? [`${unplaced} not placed`] : []),
  ].join(", ");
  if (files === null || files === 0) return parts;
  const changed = `${counted(files, "file")} ${files === 1 ? "changes" : "change"}`;
  return parts === "" ? changed : `${changed}: ${parts}`;
}

/** One line a wave: what changes together, and how many of each set stay up meanwhile. Sets of one have no budget worth telling. */
export function waveLines(
  { waves, rings }: Pick<Plan, "waves" | "rings">,
  names: ReadonlyMap<MachineId, string>,
): string[] {
  const [only] = waves;
  if (waves.length === 1 && only !== undefined && only.ring === undefined && only.after === undefined) {
    if (only.changes.length === 1) return [];
    return [[`one wave: ${only.changes.length} changes together`, ...budgetsText(only)].join("  ")];
  }
  const lines = waves.flatMap((wave, index) => {
    // Of a part of the plan some waves show nothing; the others keep their numbers.
    if (wave.changes.length === 0) return [];
    const byUnit = new Map<string, string[]>();
    for (const { unit, machine } of wave.changes) {
      byUnit.set(unit, [...(byUnit.get(unit) ?? []), names.get(machine) ?? machine.slice(0, 8)]);
    }
    const units = [...byUnit].map(([unit, places]) => `${unit} on ${placesText(places.sort())}`);
    const when = whenText(wave, rings ?? []);
    return [`wave ${index + 1}${when === "" ? "" : ` (${when})`}`, named(units), ...budgetsText(wave)].join("  ");
  });
  if (lines.length <= WAVES_SHOWN_MAX) return lines;
  return [
    ...lines.slice(0, WAVES_SHOWN_MAX - 1),
    `… ${lines.length - WAVES_SHOWN_MAX + 1} more waves (--json has all)`,
  ];
}

/** In which ring a wave is, and what passes before it. */
function whenText({ ring, after }: Wave, rings: NonNullable<Plan["rings"]>): string {
  const nameOf = (index: number) => {
    const name = rings[index]?.name ?? null;
    return name === null ? "no ring" : `ring ${name}`;
  };
  const soak =
    after?.kind === "soak" && after.ring !== null && after.ms > 0
      ? [`after ${nameOf(after.ring)} was healthy for ${durationText(after.ms)}`]
      : [];
  const bake =
    after?.kind === "bake"
      ? [`after the canaries of ${named(after.sets)} were healthy for ${durationText(after.ms)}`]
      : [];
  const window = after?.kind === "soak" && after.window !== null ? [`within ${after.window}`] : [];
  return [...(ring === undefined ? [] : [nameOf(ring)]), ...soak, ...bake, ...window].join(", ");
}

/** Machines in no ring come last, which nobody may have meant. */
export function ringLines({ rings, waves }: Pick<Plan, "rings" | "waves">): string[] {
  const others = rings?.find(({ name }) => name === null)?.machines ?? 0;
  if (others === 0 || waves.length === 0) return [];
  return [
    `${counted(others, "machine")} ${others === 1 ? "is" : "are"} in no ring, and come${others === 1 ? "s" : ""} last`,
  ];
}

function budgetsText({ budgets }: Wave): string[] {
  const kept = budgets
    .filter((budget) => budget.of > 1)
    .map(({ set, up, of, min }) => `${set} ${up}/${of} up (min ${min})`);
  return kept.length === 0 ? [] : [kept.join(", ")];
}

function placesText(places: readonly string[]): string {
  return places.length <= 3 ? places.join(", ") : `${places.length} machines`;
}

/** What machines undo by themselves if nobody can reach them after it, with how long that may last and why. */
export function trialLines({ trials }: Pick<PlanReport, "trials">, names: ReadonlyMap<MachineId, string>): string[] {
  const byText = new Map<string, string[]>();
  for (const { unit, machine, withinMs, because } of trials) {
    const text = `${withinMs / 1_000} s (${describeRisk(because)})`;
    const key = `${unit}\0${text}`;
    byText.set(key, [...(byText.get(key) ?? []), names.get(machine) ?? machine.slice(0, 8)]);
  }
  const lines = [...byText].map(([key, places]) => {
    const [unit, text] = key.split("\0");
    return `on trial: ${unit} on ${placesText(places.sort())}, undone where its machine is not reached within ${text}`;
  });
  if (lines.length <= TRIALS_SHOWN_MAX) return lines;
  return [...lines.slice(0, TRIALS_SHOWN_MAX), `… ${lines.length - TRIALS_SHOWN_MAX} more on trial (--json has all)`];
}

/** Every wave that is refused, and what would make it fit. */
export function refusalLines({ refusals }: Pick<Plan, "refusals">): string[] {
  return refusals.map(
    ({ wave, set, up, of, min, now }) =>
      `! wave ${wave} is refused: it leaves ${up} of ${of} of ${set} up; at least ${min} must be, and ${now} are now. ` +
      "Raise its rollout.maxUnavailable, or bring back what is down first",
  );
}

/** Groups no machine holds: why, and the smallest change that would let one. */
export function unplacedLines(unplaced: readonly Unplaced[]): string[] {
  return unplaced.flatMap(({ units, kind, because, nearest }) => [
    `! ${named(units)} ${
      kind === "waiting"
        ? `${units.length === 1 ? "waits" : "wait"} for a machine that is away`
        : `${units.length === 1 ? "fits" : "fit"} on no machine`
    }`,
    ...because.map(
      ({ reason, count, examples }) =>
        `    ${describeReject(reason, count)}: ${counted(count, "machine")} (${examples.join(", ")}${count > examples.length ? ", …" : ""})`,
    ),
    ...(nearest === null
      ? []
      : [
          `    smallest change: ${nearest.obstacles.map((obstacle) => describeFix(obstacle, nearest.machine)).join(", and ")}`,
        ]),
  ]);
}

/** What a removal leaves without a target: from then on the name means a unit of the host, or none. */
export function brokenLines(broken: readonly BrokenReference[]): string[] {
  return broken.map(
    ({ removed, by, key, at }) =>
      `! ${removed} goes, and ${by} still names it: ${key}= at ${[at.path, at.line, at.column].filter((part) => part !== undefined).join(":")}`,
  );
}

/** Units of a machine that is away stay its own until the engine finds it lost; a plan does not foresee that. */
export function awayLines({ machines, placements }: Pick<Plan, "machines" | "placements">): string[] {
  const holding = new Set(placements.map((placement) => placement.machine));
  const away = awayNames({ machines: machines.filter((machine) => holding.has(machine.id)) });
  return away.length === 0 ? [] : [`away: ${away.join(", ")}; this plan leaves there what is there`];
}

type Staying = Pick<Plan, "machines" | "placements" | "partial">;

/** What stays on a machine that is there and should be left: its data is there, or nothing else takes it. Nobody waits for it to go. */
export function stayLines(plan: Staying): string[] {
  const stays = Map.groupBy(stayingPlacements(plan), ({ machine, reason }) => {
    const name = plan.machines.find(({ id }) => id === machine)?.name;
    const why = reason.code === "data-stays" ? describePlacement(reason, new Map()) : "it fits nowhere else";
    return `on ${name}, which is drained: ${why}`;
  });
  return [...stays].map(([key, placements]) => {
    const named = placements.slice(0, UNITS_NAMED_MAX).map(({ unit }) => unit);
    const more = placements.length - UNITS_NAMED_MAX;
    return `stays: ${named.join(", ")}${more > 0 ? ` and ${more} more` : ""} ${key}`;
  });
}

/** A plan foresees no loss, views aside: a machine that is there should be left only because it is drained. */
export function stayingPlacements({ machines, placements, partial }: Staying): Placement[] {
  if (partial !== null) return [];
  const present = new Set(machines.filter((machine) => machine.present).map(({ id }) => id));
  return placements.filter(
    ({ machine, reason }) => present.has(machine) && (reason.code === "data-stays" || reason.code === "nowhere-else"),
  );
}

/** Machines that are members and say nothing now. */
export function awayNames({ machines }: Pick<Plan, "machines">): string[] {
  return machines.filter((machine) => !machine.present).map((machine) => machine.name);
}

/** Whether every unit still runs somewhere if any one machine is lost; else what stays down. `--n-1` tells each of them. */
export function lossLines({ verdict }: Pick<PlanReport, "verdict">, names: ReadonlyMap<MachineId, string>): string[] {
  if (verdict === null || verdict.loss === null) return [];
  const said = "survives the loss of any one machine:";
  const losing = verdict.loss.filter(({ down }) => down.length > 0);
  const [first, ...others] = losing.map((loss) => lossText(loss, names.get(loss.machine) ?? loss.machine.slice(0, 8)));
  if (first === undefined) return [`${said} yes`];
  return others.length === 0
    ? [`${said} no: ${first}`]
    : [`${said} no`, ...[first, ...others].map((line) => `  ${line}`)];
}

function lossText({ down, moves }: LossOfOne, machine: string): string {
  const reasons = [...new Set(down.map(({ because }) => shortReason(because, machine)))];
  const units = down.length <= UNITS_NAMED_MAX ? down.map(({ unit }) => unit).join(", ") : "";
  const stay = `${down.length} ${down.length === 1 ? "stays" : "stay"} down`;
  const why = [...(units === "" ? [] : [units]), ...(reasons.length === 1 ? reasons : [])].join(": ");
  return [
    `lose ${machine}: ${stay}${why === "" ? "" : ` (${why})`}`,
    ...(moves === 0 ? [] : [`${moves} ${moves === 1 ? "moves" : "move"}`]),
  ].join(", ");
}

function shortReason({ code }: StaysDownReason, machine: string): string {
  switch (code) {
    case "data-stays":
      return `data on ${machine}`;
    case "move-never":
      return "Move=never";
    case "replace-no":
      return "Replace=no";
    case "pinned":
      return `pinned to ${machine}`;
    case "no-other-machine":
      return "no other machine matches";
    case "nothing-fits":
      return "fits nowhere else";
  }
}

/** Said where somebody cares: with no unit that runs at most once, all that may move may run twice. */
export function partitionLines({ verdict }: Pick<PlanReport, "verdict">): string[] {
  const { atMostOnce, mayRunTwice } = verdict?.partition ?? { atMostOnce: [], mayRunTwice: 0 };
  if (atMostOnce.length === 0) return [];
  const others = mayRunTwice === 0 ? "no other may" : `${mayRunTwice} other${mayRunTwice === 1 ? "" : "s"} may`;
  return [`at most once also while a machine is cut off: ${named(atMostOnce)}; ${others} run twice meanwhile`];
}

/** Drift is no part of the plan: how much there is, and where to look. */
export function driftLine({ drift }: Pick<PlanReport, "drift">): string[] {
  if (drift.length === 0) return [];
  const units = [...new Set(drift.map(({ unit }) => unit).filter((unit) => unit !== null))];
  const what = units.length === 0 ? "the registry" : named(units);
  return [
    `drift: ${counted(drift.length, "thing")} not as the release has ${drift.length === 1 ? "it" : "them"} (${what}); --json says what`,
  ];
}

function named(all: readonly string[]): string {
  const more = all.length - UNITS_NAMED_MAX;
  return `${all.slice(0, UNITS_NAMED_MAX).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}
