import type { RebootState, RebootWait } from "../../domain/locks/reboot.ts";
import type { MachineId } from "../../domain/names.ts";
import { sinceText } from "./since-text.ts";

/** A machine that has a slot to restart, since when, and what it waits for. */
export function rebootText(
  { machine, since, wait }: RebootState,
  nameOf: (machine: MachineId) => string,
  nowMs: number,
): string {
  const when = sinceText(since, nowMs, "slot since");
  return `${nameOf(machine)} ${waitText(wait)}${when === "" ? "" : `, ${when}`}`;
}

function waitText(wait: RebootWait): string {
  switch (wait.code) {
    case "window":
      return "waits for its window to open";
    case "others":
      return "waits for others that restart";
    case "machine-absent":
      return "is absent, and is not asked to restart";
    case "changing":
      return "waits until nothing changes on it";
    case "budget":
      return `waits: without it too few would be up of ${named(wait.sets, wait.more)}`;
    case "steady":
      return "restarts soon: its units' replicas elsewhere must be up for a while";
    case "granted":
      return "may restart now";
    case "going":
      return "restarts";
    case "not-healthy":
      return wait.units.length === 0
        ? "is back: its units must be up for a while"
        : `is back, and not yet as wanted: ${named(wait.units, wait.more)}`;
  }
}

function named(names: readonly string[], more: number): string {
  return `${names.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}
