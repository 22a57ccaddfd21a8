import type { Lock, Slot } from "../../domain/locks/lock.ts";
import { agoText, durationText } from "./duration-text.ts";
import { printable } from "./printable.ts";
import { table } from "./table.ts";

/** One line for each slot, and for each who waits for one. Times are the holders', and how long ago is by this machine's clock: for people. */
export function locksText(locks: readonly Lock[], names: ReadonlyMap<string, string>, nowMs: number): string {
  const rows = locks.flatMap(({ name, held, waiting }) => [
    ...held.map((slot) => [
      ...[name, holderName(slot.holder, names), slot.by, slot.reason],
      ageText(slot.since, nowMs),
      endText(slot, nowMs),
    ]),
    ...waiting.map(({ holder, by, reason, since }, index) => [
      ...[name, holderName(holder, names), by, reason],
      ageText(since, nowMs),
      `waits, ${index === 0 ? "next" : `${index} before it`}`,
    ]),
  ]);
  return table(["name", "holder", "by", "reason", "since", "ends"], rows);
}

/** Who has it, since when: where somebody else wants it. */
export function heldByText(by: readonly Slot[], names: ReadonlyMap<string, string>, nowMs: number): string {
  if (by.length === 0) return "by others who wait for it";
  return by
    .map((slot) =>
      printable(
        `by ${slot.by || "somebody"} (${holderName(slot.holder, names)}: ${slot.reason}), ${ageText(slot.since, nowMs)}, ends ${endText(slot, nowMs)}`,
      ),
    )
    .join(", and ");
}

export function holderName(holder: string, names: ReadonlyMap<string, string>): string {
  return names.get(holder) ?? holder;
}

function ageText(since: string, nowMs: number): string {
  return agoText(since, nowMs) || "unknown";
}

/** Its deadline as its holder's clock had it: the slot lapses where somebody sees it for as long as it was to last. */
function endText({ going, deadline, forMs }: Slot, nowMs: number): string {
  const leftMs = Date.parse(deadline) - nowMs;
  const soon = Number.isNaN(leftMs)
    ? `within ${durationText(forMs)}`
    : leftMs <= 0
      ? "soon"
      : `in ${durationText(leftMs)}`;
  return going === true ? `${soon}, restarts now` : soon;
}
