import { compareText, type UnitName } from "../names.ts";
import { socketUsers } from "../unit/socket-users.ts";
import type { UnitEffect } from "../unit/unit-effect.ts";
import { Acts } from "./acts.ts";
import { type EffectOf, effectHere, isLoadedOld } from "./effect-here.ts";
import { isHeldBySystemd } from "./is-held.ts";
import { startOrder } from "./start-order.ts";
import { stoppedWith, wantedText } from "./stopped-with.ts";
import type { Blocked, ObservedUnit, TaskPlan, TaskReason, WantedUnit } from "./task.ts";

/**
 * What this machine must do so that its units are as wanted; nothing where they are. Touches only units that fleet owns
 * or is about to write; a wanted name that belongs to somebody else is `blocked`. What the agent should leave alone in
 * this pass, because a job is under way or its text is missing, is left out of both lists by the caller.
 *
 * One order for the whole pass: everything that must stop stops with its old text, so that its old `ExecStop=` runs; files go and
 * come; failures of old texts are forgotten; one reload covers all; units that apply their new text themselves are told to; then
 * starts, in `After=` order. What a change leaves running, and what it does not run again, `effectOf` says.
 */
export function planTasks(
  wanted: readonly WantedUnit[],
  observed: readonly ObservedUnit[],
  effectOf: EffectOf,
): TaskPlan {
  const seen = new Map(observed.map((unit) => [unit.name, unit]));
  const blocked = wanted.flatMap((unit) => blockedUnit(unit, seen.get(unit.name) ?? null));
  const blockedNames = new Set(blocked.map((unit) => unit.unit));
  const free = startOrder(wanted.filter((unit) => !blockedNames.has(unit.name)));
  const acts = new Acts();
  const wantedNames = new Set(wanted.map((unit) => unit.name));
  for (const unit of [...observed].sort((a, b) => compareText(a.name, b.name))) {
    if (unit.owned && !wantedNames.has(unit.name)) withdraw(unit, acts);
  }
  for (const unit of free) actOnWanted(unit, seen.get(unit.name) ?? absent(unit), effectOf, acts);
  stopSocketUsers(free, seen, acts);
  startFollowers(free, seen, acts);
  return {
    tasks: acts.inOrder(free.map((unit) => unit.name)),
    blocked: blocked.sort((a, b) => compareText(a.unit, b.unit)),
  };
}

/** States in which there are processes, or will be without our doing. */
const UP: ReadonlySet<string> = new Set(["active", "reloading", "activating"]);

function blockedUnit(wanted: WantedUnit, observed: ObservedUnit | null): Blocked[] {
  if (observed?.definedElsewhere !== undefined) {
    return [{ unit: wanted.name, because: { code: "conflict", fragmentPath: observed.definedElsewhere } }];
  }
  if (observed === null || !isHeld(observed)) return [];
  const { fragmentPath } = observed.systemd!;
  if (!observed.owned) {
    const isAdoptable = observed.onDisk === wanted.hash && !isShadowed(observed);
    if (isAdoptable || canTakeOver(wanted, observed)) return [];
    const { foreign } = observed;
    return [{ unit: wanted.name, because: { code: "conflict", fragmentPath, ...(foreign && { foreign }) } }];
  }
  return isShadowed(observed) ? [{ unit: wanted.name, because: { code: "shadowed", fragmentPath } }] : [];
}

function canTakeOver(wanted: WantedUnit, { foreign }: ObservedUnit): boolean {
  return wanted.adopt === true && foreign?.state === "same";
}

/**
 * A file of the same name in /etc goes before ours in /run: what systemd holds is not what we wrote. After a takeover it amounts to it,
 * and the file is on its way out or gone.
 */
function isShadowed({ name, service, systemd, foreign, changedByHand }: ObservedUnit): boolean {
  if (systemd === null || systemd.maskGone === true) return false;
  if (foreign?.state === "under-way" || foreign?.state === "taken") return false;
  if (changedByHand?.others.includes(systemd.fragmentPath) === true) return false;
  // A mask in our own folder is where our file was, and ours to replace.
  if (systemd.load === "masked") return !systemd.fragmentPath.startsWith(OUR_FOLDER);
  // A unit file in /run goes before what a generator makes, as one in /etc does.
  if (isQuadlet({ name, service }) && systemd.fragmentPath.startsWith(OUR_FOLDER)) return true;
  return systemd.fragmentPath.startsWith("/etc/");
}

/** Where fleet writes its units; /etc goes before it. */
const OUR_FOLDER = "/run/systemd/system/";

function isHeld({ systemd }: ObservedUnit): boolean {
  return isHeldBySystemd(systemd);
}

function isUp(unit: ObservedUnit): boolean {
  return isHeld(unit) && UP.has(unit.systemd!.active);
}

function isFailed(unit: ObservedUnit): boolean {
  return isHeld(unit) && unit.systemd!.active === "failed";
}

function isQuadlet({ name, service }: { readonly name: UnitName; readonly service: UnitName }): boolean {
  return name !== service;
}

function withdraw(unit: ObservedUnit, acts: Acts): void {
  const reason: TaskReason = { code: "not-wanted-here" };
  acts.add("remove", unit.name, reason);
  if (unit.foreign?.state === "under-way") acts.add("takeover", unit.name, reason);
  // What runs from a file in /etc is its owner's; from a mask nothing ever was started.
  if (isShadowed(unit) && unit.systemd?.load !== "masked") return;
  if (isHeld(unit) && unit.systemd!.active !== "inactive" && !isFailed(unit)) acts.add("stop", unit.name, reason);
  if (isFailed(unit)) acts.add("reset-failed", unit.name, reason);
  if (isHeld(unit) || isQuadlet(unit)) acts.reload(unit.name);
}

function actOnWanted(wanted: WantedUnit, unit: ObservedUnit, effectOf: EffectOf, acts: Acts): void {
  if (canTakeOver(wanted, unit) && !unit.owned && isHeld(unit)) {
    takeOver(wanted, unit, acts);
    return;
  }
  if (unit.systemd?.maskGone === true) acts.reload(wanted.name);
  if (unit.foreign?.state === "under-way") acts.add("takeover", wanted.name, { code: "same-definition" });
  if (unit.changedByHand !== undefined && unit.changedByHand.others.length > 0) {
    acts.add("set-aside", wanted.name, { code: "changed-by-hand" });
  }
  const isOurTextAlready = !unit.owned && unit.onDisk === wanted.hash;
  const effect = isOurTextAlready ? "quiet" : effectHere(unit, wanted, effectOf);
  if (wanted.anew === true || !goesOn(wanted, unit, effect)) renew(wanted, unit, effectOf, acts);
  // What is going down is waited for: it is up or down for good before its text changes.
  else if (unit.systemd?.active !== "deactivating") {
    const isKnown = isHeld(unit) || isQuadlet(wanted);
    const mustReload = isKnown && !isOurTextAlready && isLoadedOld(unit, wanted, effectOf);
    carryOn(wanted, unit, effect, mustReload, acts);
  }
}

/** From here on as if its text had been ours all the time. */
function takeOver(wanted: WantedUnit, unit: ObservedUnit, acts: Acts): void {
  const { name, hash, goal } = wanted;
  acts.add("takeover", name, { code: "same-definition" });
  const ours = { ...unit, owned: true, onDisk: hash, loaded: hash, running: isUp(unit) ? hash : null };
  if (goal === "launched") launch(wanted, ours, acts);
  else keepLoaded(wanted, ours, acts);
}

/** Whether it takes the new text as it is: what runs runs on, what has ended well or failed by this text is not run again. */
function goesOn(wanted: WantedUnit, unit: ObservedUnit, effect: UnitEffect): boolean {
  if (effect === "restart") return false;
  if (effect === "quiet") return true;
  // On its way up it has no reload of its own.
  if (effect === "reload") return isUp(unit) && unit.systemd!.active !== "activating";
  return isUp(unit) || (wanted.oneshot && unit.started !== null && !isFailed(unit));
}

/** Another text, or none, under a unit that goes on; then its goal, as if it had had this text all the time. */
function carryOn(wanted: WantedUnit, unit: ObservedUnit, effect: UnitEffect, mustReload: boolean, acts: Acts): void {
  const { name, hash } = wanted;
  const reason: TaskReason =
    unit.changedByHand === undefined
      ? { code: "file-changed", from: unit.onDisk, to: hash, effect }
      : { code: "changed-by-hand" };
  if (unit.onDisk !== hash) acts.add("write", name, reason);
  if (mustReload || (unit.onDisk !== hash && effect !== "quiet" && isQuadlet(wanted))) acts.reload(name);
  const isOld = unit.owned && [unit.onDisk, unit.loaded, unit.started].some((one) => one !== null && one !== hash);
  if (isOld || unit.onDisk === null) acts.add("adopt", name, reason);
  const started = unit.started === null ? null : hash;
  const renewed = { ...unit, onDisk: hash, loaded: hash, running: unit.running === null ? null : hash, started };
  if (wanted.goal === "launched") launch(wanted, renewed, acts);
  else keepLoaded(wanted, renewed, acts);
  if (effect === "reload" && !acts.has("stop", name)) acts.add("reload-unit", name, reason);
}

/** Its files are others, or none, or are not the ones in force: stop, files, start. */
function renew(wanted: WantedUnit, unit: ObservedUnit, effectOf: EffectOf, acts: Acts): void {
  const { name, hash } = wanted;
  const isWritten = unit.onDisk === hash;
  const from = isWritten ? (unit.running ?? unit.started ?? unit.loaded) : unit.onDisk;
  const isAnew = wanted.anew === true && isWritten && unit.changedByHand === undefined;
  const reason: TaskReason = unit.changedByHand
    ? { code: "changed-by-hand" }
    : isAnew
      ? { code: "done-anew" }
      : unit.owned
        ? { code: "file-changed", from, to: hash, effect: "restart" }
        : { code: "not-on-disk" };
  if (!isWritten) acts.add("write", name, reason);
  const isKnown = isHeld(unit) || isQuadlet(wanted);
  const mustReload = isKnown && (!isWritten || unit.loaded !== hash) && isLoadedOld(unit, wanted, effectOf);
  if (mustReload) acts.reload(name);
  if (isUp(unit) || unit.systemd?.active === "deactivating") acts.add("stop", name, reason);
  if (isFailed(unit)) acts.add("reset-failed", name, reason);
  if (wanted.goal === "launched") acts.add("start", name, reason);
  else if (unit.started !== null && !isUp(unit)) acts.add("adopt", name, { code: "goal-is", goal: wanted.goal });
  // What systemd holds amounts to it.
  if (isHeld(unit) && !mustReload && unit.loaded !== hash && !acts.has("adopt", name)) acts.add("adopt", name, reason);
}

/**
 * The right text everywhere; active without our start means that its socket, timer or path activated it, as it should be, unless it is
 * to be handed over to another machine (`inactive`).
 */
function keepLoaded(wanted: WantedUnit, unit: ObservedUnit, acts: Acts): void {
  const { goal } = wanted;
  const wasStarted = unit.started !== null;
  if (isUp(unit) && (wasStarted || goal === "inactive")) acts.add("stop", wanted.name, { code: "goal-is", goal });
  else if (wasStarted) acts.add("adopt", wanted.name, { code: "goal-is", goal });
  else if (!unit.owned) acts.add("adopt", wanted.name, { code: "runs-already", hash: wanted.hash });
}

/** The right text everywhere; remembers what runs already, starts what should run and does not. */
function launch(wanted: WantedUnit, unit: ObservedUnit, acts: Acts): void {
  const wasStarted = unit.started === wanted.hash;
  if (!unit.owned || (isUp(unit) && !wasStarted)) {
    acts.add("adopt", wanted.name, { code: "runs-already", hash: wanted.hash });
  }
  if (isUp(unit)) return;
  // systemd's own Restart= has given up on this very text: starting it again would only hide that.
  if (wasStarted && (isFailed(unit) || wanted.oneshot)) return;
  const reason: TaskReason = wasStarted ? { code: "not-running" } : { code: "goal-is", goal: wanted.goal };
  if (isFailed(unit)) acts.add("reset-failed", wanted.name, reason);
  acts.add("start", wanted.name, reason);
}

/** A socket with new files opens only while its service is down. One that died by itself is not worth a service that runs. */
function stopSocketUsers(free: readonly WantedUnit[], seen: ReadonlyMap<UnitName, ObservedUnit>, acts: Acts): void {
  const byName = new Map([
    ...free.map((unit) => [unit.service, unit] as const),
    ...free.map((unit) => [unit.name, unit] as const),
  ]);
  for (const socket of free) {
    if (!acts.has("start", socket.name) || acts.reasonOf("start", socket.name)?.code === "not-running") continue;
    for (const named of socketUsers(socket.name, wantedText(socket))) {
      const user = byName.get(named);
      const observed = user && seen.get(user.name);
      if (user === undefined || observed === undefined || !isUp(observed)) continue;
      const reason: TaskReason = { code: "restart-with", unit: socket.name };
      acts.drop("reload-unit", user.name);
      if (!acts.has("stop", user.name)) acts.add("stop", user.name, reason);
      if (user.goal === "launched" && !acts.has("start", user.name)) acts.add("start", user.name, reason);
    }
  }
}

/** What systemd stops along with another unit is started again in this pass, and not as drift in the next. */
function startFollowers(free: readonly WantedUnit[], seen: ReadonlyMap<UnitName, ObservedUnit>, acts: Acts): void {
  const stopped = acts.unitsOf("stop");
  if (stopped.length === 0) return;
  const byName = new Map(free.map((unit) => [unit.name, unit]));
  // Of what it does not hold systemd knows no tie: nothing goes down by way of it.
  const held = free.filter(({ name }) => seen.get(name)?.systemd != null);
  for (const [follower, leader] of stoppedWith(stopped, held)) {
    // It is down by then, and comes up with its new text.
    acts.drop("reload-unit", follower);
    const observed = seen.get(follower);
    const isAffected = observed !== undefined && isUp(observed) && byName.get(follower)!.goal === "launched";
    if (isAffected && !acts.has("start", follower)) acts.add("start", follower, { code: "restart-with", unit: leader });
  }
}

function absent({ name, service }: WantedUnit): ObservedUnit {
  return { name, service, owned: false, onDisk: null, loaded: null, running: null, started: null, systemd: null };
}
