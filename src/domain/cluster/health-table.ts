import { remembered } from "../remembered.ts";
import type { SpecUnit, UnitGoal } from "../spec/cluster-spec.ts";
import { type EffectiveUnit, effectiveUnit } from "../unit/effective-unit.ts";
import { parseBoolean } from "../unit/parse-boolean.ts";
import { parseUnitFile } from "../unit/parse-unit-file.ts";
import { unitNameParts } from "../unit/unit-name.ts";
import type { UnitStatus } from "./cluster-snapshot.ts";

/**
 * What of a unit decides how it is when all is well. Services by what they do: `service` has a process that is to stay (`simple`,
 * `exec`, `notify`, `notify-reload`, `forking`, `dbus`, `idle`); a `lingering` one counts as up after its process has ended
 * (`RemainAfterExit=`); a `oneshot` runs to its end and is down again; a `setup` is a oneshot that remains. The rest is systemd's types.
 */
export type UnitKind = (typeof UNIT_KINDS)[number];
export const UNIT_KINDS = [
  ...(["service", "lingering", "oneshot", "setup"] as const),
  ...(["socket", "timer", "path", "mount", "automount", "swap", "target", "slice"] as const),
] as const;

/**
 * `up`: active, whatever the sub state: a timer that waits, a socket that listens, a service that remains after its exit. `up-or-done`: or it
 * was started and has ended well. `not-failed`: up or down, as whoever activates it pleases. `down`: it has no process and will have none.
 */
type Wellness = "up" | "up-or-done" | "not-failed" | "down";

export interface HealthRule {
  readonly well: Wellness;
  /**
   * Whether it must stay so for `minHealthyTime` before it counts: `Type=simple` is active before its program is even read. What has no
   * process of its own, or has ended already, cannot fail a moment later.
   */
  readonly settles: boolean;
}

/** A loaded unit waits for whoever activates it; one that is to be handed over is gone. No type makes a difference there. */
const row = (well: Wellness, settles: boolean): Readonly<Record<UnitGoal, HealthRule>> => ({
  launched: { well, settles },
  loaded: { well: "not-failed", settles: false },
  inactive: { well: "down", settles: false },
});

/** Protocol rule 25: what counts as healthy, by kind of unit and by goal, in one place. */
export const HEALTH_TABLE: Readonly<Record<UnitKind, Readonly<Record<UnitGoal, HealthRule>>>> = {
  service: row("up", true),
  lingering: row("up", true),
  oneshot: row("up-or-done", false),
  setup: row("up", false),
  socket: row("up", false),
  timer: row("up", false),
  path: row("up", false),
  mount: row("up", false),
  automount: row("up", false),
  swap: row("up", false),
  target: row("up", false),
  slice: row("up", false),
};

/** `coming`: something may come of it by itself. `down`: who waits for it would wait for a person. */
export type UnitHealth = "healthy" | "coming" | "down";

type SeenState = Pick<UnitStatus, "active" | "sub" | "result" | "started">;

/**
 * Of a unit as its agent saw it, by systemd's word alone: whether that is the right version, and what its own checks say, is asked
 * elsewhere. Undefined: the commit has it no more, and it is taken for a service.
 */
export function judgeUnitHealth(unit: SpecUnit | undefined, goal: UnitGoal, seen: SeenState): UnitHealth {
  // Up is well by every row of what is launched: reading a unit to learn its kind costs more than all the rest.
  if (goal === "launched" && isUp(seen.active)) return "healthy";
  const kind = unit === undefined ? "service" : unitKind(unit);
  if (isWell(HEALTH_TABLE[kind][goal].well, seen)) return "healthy";
  // Between two attempts.
  if (seen.sub === "auto-restart") return "down";
  return seen.started && !hasProcesses(seen.active) ? "down" : "coming";
}

/** Whether it must stay up for a while before it counts as up. */
export function mustSettle(unit: SpecUnit, goal: UnitGoal): boolean {
  return HEALTH_TABLE[unitKind(unit)][goal].settles;
}

function isWell(well: Wellness, { active, result, started }: SeenState): boolean {
  switch (well) {
    case "up":
      return isUp(active);
    case "up-or-done":
      return isUp(active) || (active === "inactive" && started && (result === "success" || result === ""));
    case "not-failed":
      return active !== "failed";
    case "down":
      return !hasProcesses(active);
  }
}

function isUp(active: string): boolean {
  return active === "active" || active === "reloading";
}

const WITH_PROCESSES: ReadonlySet<string> = new Set(["active", "activating", "deactivating", "reloading"]);

/** Whether, in that active state, it has processes or will have some without anybody's doing. */
export function hasProcesses(active: string): boolean {
  return WITH_PROCESSES.has(active);
}

/** A machine's own drop-ins are not asked: they do not turn one kind of unit into another. */
export function unitKind(unit: SpecUnit): UnitKind {
  return kindOfSpecUnit(unit, "");
}

const kindOfSpecUnit = remembered((unit: SpecUnit, _: ""): UnitKind => {
  const { type } = unitNameParts(unit.name);
  // What podman 5.4's generator makes of them: the others keep a process. A build does not remain.
  if (type === "build") return "oneshot";
  if (SETUP_QUADLETS.has(type)) return "setup";
  if (!unit.service.endsWith(".service")) return UNIT_KINDS.find((kind) => kind === type) ?? "target";
  const read = ({ path, text }: { readonly path: string; readonly text: string }) => parseUnitFile(path, text).file;
  return serviceKind(effectiveUnit(read(unit.fragment), unit.dropins.map(read)));
});

const SETUP_QUADLETS: ReadonlySet<string> = new Set(["image", "network", "volume"]);

/** As systemd reads it: without `Type=`, what only undoes something at its end is a oneshot. */
export function serviceKind(unit: EffectiveUnit): UnitKind {
  const type = unit.last("Service", "Type")?.value ?? null;
  const has = (key: string) => unit.values("Service", key).length > 0;
  const isOneshot = type === null ? has("ExecStop") && !has("ExecStart") && !has("BusName") : type === "oneshot";
  const remains = parseBoolean(unit.last("Service", "RemainAfterExit")?.value ?? "no") === true;
  if (isOneshot) return remains ? "setup" : "oneshot";
  return remains ? "lingering" : "service";
}
