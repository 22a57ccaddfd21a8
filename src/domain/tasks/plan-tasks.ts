import { compareText, type UnitName } from "../names.ts";
import { startOrder } from "./start-order.ts";
import { stoppedWith } from "./stopped-with.ts";
import type { Blocked, ObservedUnit, Task, TaskPlan, TaskReason, WantedUnit } from "./task.ts";

/**
 * What this machine must do so that its units are as wanted; nothing where they are. Touches only units that fleet owns
 * or is about to write; a wanted name that belongs to somebody else is `blocked`. What the agent should leave alone in
 * this pass, because a job is under way or its text is missing, is left out of both lists by the caller.
 *
 * One order for the whole pass: everything stops with its old text, so that its old `ExecStop=` runs; files go and come;
 * failures of old texts are forgotten; one reload covers all; then starts, in `After=` order.
 */
export function planTasks(wanted: readonly WantedUnit[], observed: readonly ObservedUnit[]): TaskPlan {
  const seen = new Map(observed.map((unit) => [unit.name, unit]));
  const blocked = wanted.flatMap((unit) => blockedUnit(unit, seen.get(unit.name) ?? null));
  const blockedNames = new Set(blocked.map((unit) => unit.unit));
  const free = startOrder(wanted.filter((unit) => !blockedNames.has(unit.name)));
  const acts = new Acts();
  const wantedNames = new Set(wanted.map((unit) => unit.name));
  for (const unit of [...observed].sort((a, b) => compareText(a.name, b.name))) {
    if (unit.owned && !wantedNames.has(unit.name)) withdraw(unit, acts);
  }
  for (const unit of free) actOnWanted(unit, seen.get(unit.name) ?? absent(unit), acts);
  startFollowers(free, seen, acts);
  return {
    tasks: acts.inOrder(free.map((unit) => unit.name)),
    blocked: blocked.sort((a, b) => compareText(a.unit, b.unit)),
  };
}

/** States in which there are processes, or will be without our doing. */
const UP: ReadonlySet<string> = new Set(["active", "reloading", "activating"]);

function blockedUnit(wanted: WantedUnit, observed: ObservedUnit | null): Blocked[] {
  if (observed === null || !isHeld(observed)) return [];
  const { fragmentPath } = observed.systemd!;
  if (!observed.owned) {
    const isAdoptable = observed.onDisk === wanted.hash && !isShadowed(observed);
    return isAdoptable ? [] : [{ unit: wanted.name, because: { code: "conflict", fragmentPath } }];
  }
  return isShadowed(observed) ? [{ unit: wanted.name, because: { code: "shadowed", fragmentPath } }] : [];
}

/** A file of the same name in /etc goes before ours in /run: what systemd holds is not what we wrote. */
function isShadowed({ systemd }: ObservedUnit): boolean {
  return systemd?.load === "masked" || (systemd?.fragmentPath.startsWith("/etc/") ?? false);
}

function isHeld({ systemd }: ObservedUnit): boolean {
  return systemd !== null && systemd.load !== "not-found";
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
  if (isShadowed(unit)) return;
  if (isHeld(unit) && unit.systemd!.active !== "inactive" && !isFailed(unit)) acts.add("stop", unit.name, reason);
  if (isFailed(unit)) acts.add("reset-failed", unit.name, reason);
  if (isHeld(unit) || isQuadlet(unit)) acts.reload(unit.name);
}

function actOnWanted(wanted: WantedUnit, unit: ObservedUnit, acts: Acts): void {
  const isOld =
    (isHeld(unit) && unit.loaded !== wanted.hash) || (unit.running !== null && unit.running !== wanted.hash);
  if (unit.onDisk !== wanted.hash) swap(wanted, unit, acts);
  else if (unit.owned && isOld) renew(wanted, unit, acts);
  else if (wanted.goal === "launched") launch(wanted, unit, acts);
  else keepLoaded(wanted, unit, acts);
}

/** The files are others, or none. */
function swap(wanted: WantedUnit, unit: ObservedUnit, acts: Acts): void {
  const reason: TaskReason = unit.owned
    ? { code: "file-changed", from: unit.onDisk, to: wanted.hash }
    : { code: "not-on-disk" };
  acts.add("write", wanted.name, reason);
  if (isHeld(unit) || isQuadlet(wanted)) acts.reload(wanted.name);
  restart(wanted, unit, reason, acts);
}

/** The files are right, and systemd holds or runs older ones. */
function renew(wanted: WantedUnit, unit: ObservedUnit, acts: Acts): void {
  if (unit.loaded !== wanted.hash) acts.reload(wanted.name);
  restart(wanted, unit, { code: "file-changed", from: unit.running ?? unit.loaded, to: wanted.hash }, acts);
}

function restart(wanted: WantedUnit, unit: ObservedUnit, reason: TaskReason, acts: Acts): void {
  if (isUp(unit) || unit.systemd?.active === "deactivating") acts.add("stop", wanted.name, reason);
  if (isFailed(unit)) acts.add("reset-failed", wanted.name, reason);
  if (wanted.goal === "launched") acts.add("start", wanted.name, reason);
  else if (unit.started !== null && !isUp(unit)) acts.add("adopt", wanted.name, { code: "goal-is", goal: "loaded" });
}

/** The right text everywhere; active without our start means that its socket, timer or path activated it, as it should be. */
function keepLoaded(wanted: WantedUnit, unit: ObservedUnit, acts: Acts): void {
  const wasStarted = unit.started !== null;
  if (isUp(unit) && wasStarted) acts.add("stop", wanted.name, { code: "goal-is", goal: "loaded" });
  else if (wasStarted) acts.add("adopt", wanted.name, { code: "goal-is", goal: "loaded" });
  else if (!unit.owned) acts.add("adopt", wanted.name, { code: "runs-already", hash: wanted.hash });
}

/** The right text everywhere; remembers what runs already, starts what should run and does not. */
function launch(wanted: WantedUnit, unit: ObservedUnit, acts: Acts): void {
  const wasStarted = unit.started === wanted.hash;
  if (!unit.owned || (isUp(unit) && !wasStarted)) {
    acts.add("adopt", wanted.name, { code: "runs-already", hash: wanted.hash });
  }
  if (isUp(unit) || unit.systemd?.active === "deactivating") return;
  // systemd's own Restart= has given up on this very text: starting it again would only hide that.
  if (wasStarted && (isFailed(unit) || wanted.oneshot)) return;
  const reason: TaskReason = wasStarted ? { code: "not-running" } : { code: "goal-is", goal: wanted.goal };
  if (isFailed(unit)) acts.add("reset-failed", wanted.name, reason);
  acts.add("start", wanted.name, reason);
}

/** What systemd stops along with another unit is started again in this pass, and not as drift in the next. */
function startFollowers(free: readonly WantedUnit[], seen: ReadonlyMap<UnitName, ObservedUnit>, acts: Acts): void {
  const stopped = acts.unitsOf("stop");
  if (stopped.length === 0) return;
  const byName = new Map(free.map((unit) => [unit.name, unit]));
  for (const [follower, leader] of stoppedWith(stopped, free)) {
    const observed = seen.get(follower);
    const isAffected = observed !== undefined && isUp(observed) && byName.get(follower)!.goal === "launched";
    if (isAffected && !acts.has("start", follower)) acts.add("start", follower, { code: "restart-with", unit: leader });
  }
}

function absent({ name, service }: WantedUnit): ObservedUnit {
  return { name, service, owned: false, onDisk: null, loaded: null, running: null, started: null, systemd: null };
}

type UnitTask = Exclude<Task, { readonly kind: "reload" }>;

/** The tasks of a pass, at most one of each kind for a unit. */
class Acts {
  readonly #tasks = new Map<UnitTask["kind"], Map<UnitName, TaskReason>>();
  readonly #reload = new Set<UnitName>();

  add(kind: UnitTask["kind"], unit: UnitName, reason: TaskReason): void {
    const tasks = this.#tasks.get(kind) ?? new Map<UnitName, TaskReason>();
    this.#tasks.set(kind, tasks.set(unit, reason));
  }

  has(kind: UnitTask["kind"], unit: UnitName): boolean {
    return this.#tasks.get(kind)?.has(unit) ?? false;
  }

  unitsOf(kind: UnitTask["kind"]): UnitName[] {
    return [...(this.#tasks.get(kind)?.keys() ?? [])];
  }

  reload(unit: UnitName): void {
    this.#reload.add(unit);
  }

  /** Units that are not wanted come first, by name; the wanted ones start as `startOrder` says and stop the other way round. */
  inOrder(startOrder: readonly UnitName[]): Task[] {
    const position = new Map(startOrder.map((unit, index) => [unit, index + 1]));
    const of = (kind: UnitTask["kind"], direction: 1 | -1 = 1): UnitTask[] =>
      [...(this.#tasks.get(kind) ?? [])]
        .map(([unit, reason]) => ({ kind, unit, reason }))
        .sort((a, b) => {
          const [first, second] = [position.get(a.unit) ?? 0, position.get(b.unit) ?? 0];
          if (first === 0 || second === 0) return Math.sign(first) - Math.sign(second) || compareText(a.unit, b.unit);
          return direction * (first - second);
        });
    const reload: Task[] =
      this.#reload.size === 0
        ? []
        : [{ kind: "reload", units: [...this.#reload].sort(), reason: { code: "loaded-is-old" } }];
    return [
      ...of("stop", -1),
      ...of("remove"),
      ...of("write"),
      ...of("reset-failed"),
      ...reload,
      ...of("start"),
      ...of("adopt"),
    ];
  }
}
