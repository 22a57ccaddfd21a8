import type { UnitName } from "../names.ts";
import type { ChangedDirective } from "./changed-directives.ts";
import { effectOfDirective } from "./directive-effects.ts";
import type { EffectiveUnit } from "./effective-unit.ts";
import type { UnitEffect } from "./unit-effect.ts";
import { isQuadlet } from "./unit-name.ts";

/** What a changed directive does to the unit of that name, given what else stands in it. */
export function effectInContext(
  name: UnitName,
  { section, key }: ChangedDirective,
  before: EffectiveUnit,
  after: EffectiveUnit,
): UnitEffect {
  const effect = effectOfDirective(section, key);
  // The generator takes all of a quadlet into the command line it makes, by rules of its own.
  if (isQuadlet(name)) return effect === "quiet" ? "quiet" : "restart";
  if (section === "Mount" && key === "Options") return effectOfMountOptions(before, after);
  if (effect === "reload") return canReload(name, after) ? "reload" : "restart";
  if (section === "Timer" && effect === "daemon-reload") return recurs(before) ? "daemon-reload" : "restart";
  return effect;
}

/** Whether systemd has something to run, or to send, when asked to reload it. The new text counts: it is read before. */
export function canReload(name: UnitName, unit: EffectiveUnit): boolean {
  if (name.endsWith(".mount")) return true;
  return (
    name.endsWith(".service") &&
    (unit.values("Service", "ExecReload").length > 0 || unit.last("Service", "Type")?.value === "notify-reload")
  );
}

/** Flags the kernel sets and clears on any mounted file system when systemd remounts it. */
const REMOUNTABLE: ReadonlySet<string> = new Set(
  `ro rw nosuid suid nodev dev noexec exec noatime atime nodiratime diratime relatime norelatime strictatime nostrictatime
  defaults`.split(/\s+/),
);

/** What a tmpfs takes anew when remounted; only while it is still given, because nothing sets it back to what it was by itself. */
const TMPFS_SIZES = /^(?:size|nr_inodes|nr_blocks)=/;

/**
 * A remount sets and clears the kernel's own flags. What a file system makes of other options differs: some refuse, and one that is
 * gone from the list stays in force, so these need a new mount.
 */
function effectOfMountOptions(before: EffectiveUnit, after: EffectiveUnit): UnitEffect {
  const options = (unit: EffectiveUnit) => (unit.last("Mount", "Options")?.value ?? "").split(",").map((o) => o.trim());
  const [old, next] = [options(before), options(after)];
  const differing = [...old.filter((o) => !next.includes(o)), ...next.filter((o) => !old.includes(o))];
  // The same words in another order: the later of two that contradict each other counts.
  if (differing.length === 0) return "reload";
  const isTmpfs = after.last("Mount", "Type")?.value === "tmpfs";
  const stillGiven = (option: string) => next.some((o) => o.startsWith(`${option.split("=")[0]}=`));
  const remountable = (option: string) =>
    option === "" || REMOUNTABLE.has(option) || (isTmpfs && TMPFS_SIZES.test(option) && stillGiven(option));
  return differing.every(remountable) ? "reload" : "restart";
}

/**
 * Whether the timer is certain to be waiting for a next time. One that has none left is "elapsed", and stays so across a reload
 * whatever is read: only a calendar expression without a fixed year, month or day always has a next time.
 */
function recurs(unit: EffectiveUnit): boolean {
  return unit.values("Timer", "OnCalendar").some(({ value }) => !/\d[\d.,/]*[-~]/.test(value));
}
