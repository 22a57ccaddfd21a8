import type { Hold } from "../cluster/hold.ts";
import type { FailedBecause, Verdict, WaitingBecause } from "../cluster/seen-units.ts";
import type { UnitName } from "../names.ts";
import type { Unplaced } from "../placement/placement.ts";
import type { EngineWait } from "../report/engine-report.ts";
import type { UnitGoal } from "../spec/cluster-spec.ts";
import type { AsWanted, EngineLink, SystemdLink, WaitsBecause, WhyLink, WhyVerdict } from "./unit-explanation.ts";

/** Whether it is wanted where it is, on another machine instead, or here no more (a copy of a global unit, what the commit has nowhere). */
export type UnitPlace = "stays" | "moves" | "leaves";

export interface VerdictInput {
  readonly goal: UnitGoal;
  readonly startedBy: readonly UnitName[];
  readonly place: UnitPlace;
  /** `SeenUnits.judge` of what the registry gives its machine; null where it is on none. */
  readonly seen: Verdict | null;
  /** The engine wants it otherwise than the registry has it. */
  readonly isToChange: boolean;
  readonly unplaced: Unplaced | null;
  readonly isGlobal: boolean;
  readonly engine: EngineLink;
  readonly releaseSeq: number;
  readonly systemd: SystemdLink | null;
  readonly hold: Hold | null;
  /** What the rollout keeps of it; null: nothing. */
  readonly rollout: WhyVerdict | null;
}

/**
 * The first link that keeps the unit from being as the commit wants it. What somebody must do comes before what only takes its time: a
 * unit that failed is stuck, whatever else its engine waits for. What an agent is asked to leave alone is not expected to change.
 */
export function whyVerdict(input: VerdictInput): WhyVerdict {
  const { seen, hold } = input;
  if (input.goal === "inactive" && seen === null) return asWanted({ code: "inactive" });
  if (seen === null) return notPlaced(input);
  if (input.place === "leaves") return leaving(input);
  if (input.place === "moves") return hold === null ? engineVerdict(input) : held(hold);
  if (seen.kind === "failed") return { state: "stuck", because: seen.because, link: linkOfFailure(seen.because) };
  const engine = input.isToChange ? engineVerdict(input) : null;
  if (engine !== null && seen.kind === "converged") return engine;
  if (hold !== null && seen.kind !== "converged") return held(hold);
  if (seen.kind === "waiting") {
    const { because } = seen;
    // `judge` compares with the placement itself: what is placed there is never `not-placed`.
    if (because.code === "not-placed") return { state: "waits", because: { code: "engine" }, link: "engine" };
    return { state: "waits", because, link: LINKS[because.code] };
  }
  return asWanted(rightState(input));
}

const LINKS: Readonly<Record<WaitingBecause["code"], WhyLink["link"]>> = {
  "not-placed": "engine",
  "no-machine": "unplaced",
  "machine-absent": "agent",
  "machine-behind": "agent",
  "machine-blind": "agent",
  "no-status": "agent",
  "other-version": "agent",
  state: "systemd",
  unhealthy: "systemd",
  leaving: "agent",
};

/** Problems of a process; all others are an agent's. */
const OF_SYSTEMD: ReadonlySet<string> = new Set([
  "failed",
  "start-failed",
  "reload-failed",
  "restarting",
  "stop-failed",
]);

function linkOfFailure(because: FailedBecause): WhyLink["link"] {
  switch (because.code) {
    case "unplaceable":
      return "unplaced";
    case "held":
    case "stopped":
      return "engine";
    case "changed-by-hand":
      return "agent";
    case "problem":
      return OF_SYSTEMD.has(because.problem.code) ? "systemd" : "agent";
  }
}

function held(hold: Hold): WhyVerdict {
  return { state: "waits", because: { code: "held", hold }, link: "agent" };
}

function asWanted(because: AsWanted): WhyVerdict {
  return { state: "as-wanted", because, link: null };
}

function rightState({ goal, startedBy, systemd }: VerdictInput): AsWanted {
  if (goal === "loaded" && systemd?.active !== "active") return { code: "ready", startedBy };
  return systemd?.active === "inactive" ? { code: "done" } : { code: "runs" };
}

function notPlaced(input: VerdictInput): WhyVerdict {
  const { unplaced, isGlobal } = input;
  if (unplaced !== null && isGlobal) return asWanted({ code: "matches-none" });
  if (unplaced?.kind === "unplaceable")
    return { state: "stuck", because: { code: "unplaceable", unplaced }, link: "unplaced" };
  if (unplaced !== null) return { state: "waits", because: { code: "no-machine", unplaced }, link: "unplaced" };
  return engineVerdict(input);
}

/** Its machine has it still. */
function leaving(input: VerdictInput): WhyVerdict {
  if (input.hold !== null) return held(input.hold);
  const verdict = engineVerdict(input);
  return verdict.because.code === "engine" ? { state: "waits", because: { code: "leaving" }, link: "engine" } : verdict;
}

/** What keeps the engine from making a change of this unit. */
function engineVerdict({ engine, releaseSeq, rollout }: VerdictInput): WhyVerdict {
  if (engine.stuck !== null)
    return { state: "stuck", because: { code: "handoff-stuck", handOff: engine.stuck }, link: "engine" };
  if (rollout?.state === "stuck") return rollout;
  const waits = (because: WaitsBecause): WhyVerdict => ({ state: "waits", because, link: "engine" });
  if (engine.leader === null) return waits({ code: "no-leader" });
  if (engine.problem !== null) return waits({ code: "engine-problem", problem: engine.problem });
  if (engine.follows !== null && engine.follows < releaseSeq)
    return waits({ code: "engine-behind", follows: engine.follows });
  const wait: EngineWait | undefined = engine.waits[0];
  if (wait !== undefined) return waits({ code: wait.code, wait });
  return rollout ?? waits({ code: "engine" });
}
