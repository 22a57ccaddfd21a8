import type { MachineId } from "../../domain/names.ts";
import type { RolloutStatus } from "../../domain/report/rollout-status.ts";
import type { RolloutFailure } from "../../domain/rollout/rollout-record.ts";
import { counted } from "./counted.ts";
import { durationText } from "./duration-text.ts";
import { unitsText, waitText } from "./engine-wait-text.ts";
import { sinceText } from "./since-text.ts";

type NameOf = (machine: MachineId) => string;

/** Of one kind; the JSON has all. */
const LINES_MAX = 8;
const UNITS_NAMED_MAX = 4;
/** As wide as the widest label of the engine's report, below which these lines stand in `fleet status`. */
const LABEL_CELLS = 10;
/** A rollout that goes on is worth a line in `fleet status` once it is older than this: most are over sooner. Milliseconds. */
const QUIET_MS = 10_000;

/** All there is to say of it, a kind in each line, under labels. */
export function rolloutText(status: RolloutStatus, nameOf: NameOf, nowMs: number): string[] {
  const { seq, commit, base, changed, left, excused, waits } = status;
  return [
    `release ${seq}  commit ${commit.slice(0, 7)}  ${status.phase} ${sinceText(status.since, nowMs)}`.trimEnd(),
    ...labelled("now", nowTexts(status, nowMs)),
    ...labelled(
      "changes",
      changed === undefined || left === undefined ? [] : [`${counted(changed, "replica")} changed, ${left} left`],
    ),
    ...labelled(
      "base",
      base === null || status.phase === "done"
        ? []
        : [`release ${base.seq} (${base.commit.slice(0, 7)}) was the last that ended well`],
    ),
    ...labelled("failed", failureTexts(status, nameOf)),
    ...labelled("excused", excused === undefined ? [] : [`${counted(excused, "failure")} not judged in this rollout`]),
    ...labelled(
      "waits",
      waits.map((wait) => `${unitsText(wait.units, wait.more, UNITS_NAMED_MAX)}: ${waitText(wait, nameOf)}`),
    ),
    ...labelled("said", orderTexts(status, nowMs)),
    ...labelled(
      "next",
      [nextOf(status)].filter((text) => text !== null),
    ),
  ];
}

/** For `fleet status`, which has the release and the waits in other lines; empty where it is done, or has only begun. */
export function rolloutSection(status: RolloutStatus | null, nameOf: NameOf, nowMs: number): string[] {
  if (status === null || status.phase === "done") return [];
  const { phase, since, changed, left } = status;
  if (phase === "rolling" && nowMs - Date.parse(since) < QUIET_MS) return [];
  const counts = changed === undefined || left === undefined ? [] : [`${changed} changed, ${left} left`];
  const [first, ...rest] = nowTexts(status, nowMs);
  const head = [`${first}`, ...counts, sinceText(since, nowMs)].filter(Boolean).join(", ");
  const next = nextOf(status);
  return labelled("rollout", [
    head,
    ...rest,
    ...failureTexts(status, nameOf),
    ...(status.order?.obeyed === false ? orderTexts(status, nowMs) : []),
    ...(next === null ? [] : [`next: ${next}`]),
  ]);
}

/** What it is at, as sentences' parts: the phase or the ring, then what has to pass before more happens. */
export function nowTexts(status: RolloutStatus, nowMs: number): string[] {
  const { phase, base, noWayBack, order } = status;
  const why = order?.reason === undefined ? "" : ` (${order.reason})`;
  const said = order?.obeyed === true && order.by !== undefined ? ` by ${order.by}${why}` : "";
  switch (phase) {
    case "rolling":
      return [...goingTexts(status, nowMs), ...leaderlessTexts(status)];
    case "done":
      return ["all is as the commit says"];
    case "paused":
      return [`paused${said}: no further wave begins`];
    case "held": {
      const stays = noWayBack === undefined ? "" : `, and there is no way back: ${NO_WAY_BACK[noWayBack]}`;
      return [`held, because a change failed${stays}: no further wave begins`];
    }
    case "aborted":
      return [`aborted${said}: what it has changed stays`];
    case "rolling-back":
      return [
        `a change failed, and all goes back to ${base === null ? "what was before" : `release ${base.seq}`}`,
        ...leaderlessTexts(status),
      ];
    case "rolled-back":
      return [
        `a change failed, and it was rolled back: ${base === null ? "what was before" : `release ${base.seq}`} runs`,
      ];
  }
}

function leaderlessTexts({ leaderless }: RolloutStatus): string[] {
  return leaderless === true ? ["no engine leads, so that nothing goes on"] : [];
}

/** Whether there is more to say of it than that changes go out, or are out. */
export function isTelling(status: RolloutStatus, nowMs: number): boolean {
  if (status.phase !== "rolling") return status.phase !== "done";
  return status.leaderless === true || status.rings !== undefined || pendingTexts(status, nowMs).length > 0;
}

const NO_WAY_BACK: Readonly<Record<NonNullable<RolloutStatus["noWayBack"]>, string>> = {
  "no-base": "no release before it has ended well",
  "base-unreadable": "the release before it cannot be read any more",
};

function goingTexts(status: RolloutStatus, nowMs: number): string[] {
  const pending = pendingTexts(status, nowMs);
  const ring = ringText(status);
  if (ring === null) return pending.length === 0 ? ["changes go out wave by wave"] : pending;
  const [first, ...rest] = pending;
  return first === undefined
    ? [`${ring} changes`]
    : [status.soak === undefined ? `${ring}: ${first}` : `${ring} ${first}`, ...rest];
}

/** `ring 1 of 3 (stage=early)`; null where the commit has none. */
function ringText({ rings, openRings }: RolloutStatus): string | null {
  if (rings === undefined) return null;
  const name = rings[openRings - 1];
  return name === undefined ? "the ring of all others" : `ring ${openRings} of ${rings.length} (${name})`;
}

/** What only time brings. */
export function pendingTexts({ soak, window, baking = [] }: RolloutStatus, nowMs: number): string[] {
  const opens = window?.opens == null ? "" : `, which opens ${untilText(window.opens, nowMs)}`;
  return [
    ...(soak === undefined ? [] : [`soaks until ${untilText(soak.until, nowMs)}`]),
    ...(window === undefined ? [] : [`ring ${window.ring} is next, in its window ${window.text}${opens}`]),
    ...baking.map(({ set, until }) => `the canaries of ${set} must be healthy until ${untilText(until, nowMs)}`),
  ];
}

export function failureText({ unit, machine, because }: RolloutFailure, nameOf: NameOf): string {
  const late = because.code === "deadline" ? `not healthy within ${durationText(because.afterMs)}: ` : "";
  return `${unit} on ${nameOf(machine)}: ${late}${because.detail}`;
}

function failureTexts({ failures }: RolloutStatus, nameOf: NameOf): string[] {
  const more = failures.length - LINES_MAX;
  return [
    ...failures.slice(0, LINES_MAX).map((failure) => failureText(failure, nameOf)),
    ...(more > 0 ? [`and ${more} more`] : []),
  ];
}

function orderTexts({ order }: RolloutStatus, nowMs: number): string[] {
  if (order === undefined) return [];
  const { order: what, by, at, reason, obeyed } = order;
  const who = by === undefined ? "" : ` by ${by}`;
  const when = at === undefined ? "" : ` ${sinceText(at, nowMs, "at")}`;
  const why = reason === undefined ? "" : `: ${reason}`;
  return [`${what}${who}${when}${obeyed ? "" : ", and no engine has heard it yet"}${why}`];
}

/** What a person would do; null where it goes on by itself, or is over. */
export function nextOf({ phase, failures }: RolloutStatus): string | null {
  const [first] = failures;
  const why = first === undefined ? "" : `; fleet why ${first.unit}`;
  switch (phase) {
    case "paused":
      return "fleet rollout resume, or fleet rollout abort";
    case "held":
      return `mend the commit and apply it, or fleet rollout resume in spite of what failed${why}`;
    case "aborted":
      return "apply another commit";
    case "rolled-back":
      return `apply a commit that descends from it and mends it${why}`;
    case "rolling":
    case "rolling-back":
    case "done":
      return null;
  }
}

function untilText(time: string, nowMs: number): string {
  const leftMs = Date.parse(time) - nowMs;
  return Number.isNaN(leftMs) || leftMs <= 0 ? time : `${time} (in ${durationText(leftMs)})`;
}

function labelled(label: string, texts: readonly string[]): string[] {
  return texts.map((text, index) => `${(index === 0 ? label : "").padEnd(LABEL_CELLS)}  ${text}`);
}
