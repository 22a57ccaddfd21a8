import type { RiskReason } from "../../domain/confirm/change-risk.ts";
import type { MachineId } from "../../domain/names.ts";
import type { PlacementReason, RejectReason } from "../../domain/placement/placement.ts";
import type { Change } from "../../domain/plan/plan.ts";
import { FILES_CAUSE, SECRETS_CAUSE } from "../../domain/unit/effect-of-delivered.ts";
import type { EffectCause } from "../../domain/unit/unit-effect.ts";
import { cpuText, resourceText, sizeText } from "./resource-text.ts";

/** The only place that puts sentences to reasons. */
export function describeChange(change: Change, names: ReadonlyMap<MachineId, string>): string {
  const { reason } = change;
  switch (reason.code) {
    case "new-unit":
      return describePlacement(reason.placed, names);
    case "runs-here":
      return `runs here: taken over if its definition is equal${alsoOn(reason.others, names)}`;
    case "gone-from-commit":
      return "not in the commit any more";
    case "goal-changed":
      return `wanted ${change.to?.goal ?? "inactive"}, was ${change.from?.goal ?? "inactive"}`;
    case "files-changed":
      return `${causesText(reason.causes, change)}${waitsForNextRun(change) ? ", from its next run on" : ""}`;
    case "stopped-with":
      return `needs ${reason.unit}, which goes`;
    case "restart-with":
      return `systemd restarts it with ${reason.unit}`;
    case "moved":
      return describePlacement(reason.placed, names);
    case "machine-joined":
      return "global: the machine joined";
    case "no-longer-fits":
      return "no longer fits this machine";
  }
}

/** What runs there under this name is not fleet's, and stays. */
function alsoOn(others: readonly MachineId[], names: ReadonlyMap<MachineId, string>): string {
  if (others.length === 0) return "";
  const named = others.map((machine) => names.get(machine) ?? machine.slice(0, 8)).sort();
  return `; another one runs on ${named.slice(0, 3).join(", ")}${named.length > 3 ? ` and ${named.length - 3} more` : ""}`;
}

/** Directives named before the rest is counted. */
const CAUSES_NAMED_MAX = 3;

/** The directives that decide the effect; the milder ones are in the JSON. */
function causesText(causes: readonly EffectCause[] | null, { effect }: Change): string {
  if (causes === null) return "its old text is not in this clone: taken for a restart";
  if (causes.length === 0)
    return effect === "quiet" ? "only comments, order or spelling" : "its text cannot be compared";
  const deciding = causes.filter((cause) => cause.effect === causes[0]!.effect);
  const keys = [...new Set(deciding.map(causeText))];
  const more = keys.length - CAUSES_NAMED_MAX;
  return `${keys.slice(0, CAUSES_NAMED_MAX).join(", ")}${more > 0 ? ` and ${more} more` : ""} changed`;
}

function causeText({ section, key }: EffectCause): string {
  if (section === SECRETS_CAUSE) return `secret ${key}`;
  return section === FILES_CAUSE ? `file ${key}` : `${key}=`;
}

/** A oneshot its timer starts: nothing is cut short for new files, and nothing begun. */
function waitsForNextRun({ effect, to, reason }: Change): boolean {
  const worst = reason.code === "files-changed" ? reason.causes?.[0]?.effect : undefined;
  return to?.goal === "loaded" && effect === "daemon-reload" && worst === "restart";
}

export function describeRisk(reason: RiskReason): string {
  switch (reason.code) {
    case "network-name":
      return "by its name it makes the network";
    case "network-order":
    case "network-program":
    case "network-capability":
      return `touches the network: ${reason.by}`;
    case "asked-for":
      return "confirm asks for it";
  }
}

export function describePlacement(reason: PlacementReason, names: ReadonlyMap<MachineId, string>): string {
  switch (reason.code) {
    case "stayed":
      return "stays where it is";
    case "planned":
      return "as planned";
    case "least-loaded":
      return `least loaded of ${reason.fitting} that fit (load ${reason.load})`;
    case "only-fit":
      return "the only machine that fits";
    case "global":
      return "global: every machine that matches";
    case "data-stays":
      return `its data is here (${reason.because})`;
    case "awaits-machine":
      return "waits for its machine (Replace=no)";
    case "nowhere-else":
      return `stays although the machine ${describeReject(reason.because)}: no other fits`;
    case "joined-group":
      return `goes where the rest of its group is (${reason.group})`;
    case "moved":
      return `${names.get(reason.from) ?? reason.from.slice(0, 8)}: ${describeReject(reason.because)}`;
  }
}

/** `count`: of the machines that reject it so, the one with the most room being told of. */
export function describeReject(reason: RejectReason, count = 1): string {
  switch (reason.code) {
    case "not-admitted":
      return "the commit does not list it";
    case "absent":
      return "is absent";
    case "lost":
      return "is lost";
    case "drained":
      return "is being drained";
    case "cordoned":
      return "is cordoned";
    case "flapping":
      return "comes and goes, and gets nothing new for a while";
    case "other-machine":
      return `is not ${reason.wanted} (MachineID=)`;
    case "metadata":
      return `lacks ${reason.wanted} (MachineMetadata=)`;
    case "capability":
      return reason.wanted === "quadlet"
        ? "lacks the capability quadlet (podman's generator for systemd)"
        : `lacks the capability ${reason.wanted}`;
    case "conflict":
      return `${reason.unit} conflicts with ${reason.with} there`;
    case "replaced-by":
      return `${reason.unit} is replaced by a unit there`;
    case "no-room":
      return noRoom(reason, count);
    case "max-per-machine":
      return `has ${reason.limit} of ${reason.set} already (MaxPerMachine=)`;
    case "spread":
      return reason.value === null
        ? `has no ${reason.key}, by which ${reason.set} is spread (Spread=)`
        : `another of ${reason.set} is in ${count === 1 ? `${reason.key} ${reason.value}` : `its ${reason.key}`} (Spread=)`;
  }
}

/** What somebody would do about it, on the machine of that name. */
export function describeFix(reason: RejectReason, machine: string): string {
  switch (reason.code) {
    case "not-admitted":
      return `list ${machine} under machines:`;
    case "absent":
    case "lost":
      return `bring ${machine} back`;
    case "flapping":
      return `find out why ${machine} comes and goes`;
    case "drained":
      return `stop draining ${machine}`;
    case "cordoned":
      return `uncordon ${machine}`;
    case "other-machine":
      return `have ${reason.wanted} join, or name ${machine} in MachineID=`;
    case "metadata":
      return `give ${machine} ${reason.wanted}`;
    case "capability":
      return reason.wanted === "quadlet"
        ? `install podman 4.4 or newer on ${machine}`
        : `give ${machine} the capability ${reason.wanted}`;
    case "conflict":
      return `let ${reason.unit} and ${reason.with} share a machine, or add one`;
    case "replaced-by":
      return `drop the Replaces= of ${reason.unit}, or add a machine`;
    case "no-room":
      return makeRoom(reason, machine);
    case "max-per-machine":
      return `raise MaxPerMachine=, or add a machine`;
    case "spread":
      return reason.value === null
        ? `give ${machine} a ${reason.key}`
        : `add a machine of another ${reason.key}, or drop "hard" from Spread=`;
  }
}

function noRoom(reason: Extract<RejectReason, { code: "no-room" }>, count: number): string {
  const { resource, wanted, free, capacity } = reason;
  const asked = `of ${resource === "cpu" ? cpuText(wanted) : sizeText(wanted)} asked for`;
  if (wanted > capacity) {
    return `${count === 1 ? "has" : "the largest of them has"} ${resourceText(resource, capacity)} in all, ${asked}`;
  }
  return `${count === 1 ? "has" : "have at most"} ${resourceText(resource, free)} free, ${asked}`;
}

function makeRoom(reason: Extract<RejectReason, { code: "no-room" }>, machine: string): string {
  const { resource, wanted, free, capacity } = reason;
  const room = wanted > capacity ? "add a larger machine" : `make room on ${machine}`;
  const most = Math.min(free, capacity);
  if (most <= 0) return room;
  return `ask for at most ${resourceText(resource, most)} (${resource === "cpu" ? "CPU=" : "Memory="}), or ${room}`;
}
