import type { MachineId } from "../../domain/names.ts";
import type { PlacementReason, RejectReason } from "../../domain/placement/placement.ts";
import type { Change } from "../../domain/plan/plan.ts";

/** The only place that puts sentences to reasons. */
export function describeChange(change: Change, names: ReadonlyMap<MachineId, string>): string {
  const { reason } = change;
  switch (reason.code) {
    case "new-unit":
      return describePlacement(reason.placed, names);
    case "gone-from-commit":
      return "not in the commit any more";
    case "goal-changed":
      return `wanted ${change.to?.goal ?? "inactive"}, was ${change.from?.goal ?? "inactive"}`;
    case "files-changed":
      return `its files changed (${change.from?.hash.slice(0, 7)} -> ${change.to?.hash.slice(0, 7)})`;
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
    case "nowhere-else":
      return `stays although the machine ${describeReject(reason.because)}: no other fits`;
    case "joined-group":
      return `goes where the rest of its group is (${reason.group})`;
    case "moved":
      return `${names.get(reason.from) ?? reason.from.slice(0, 8)}: ${describeReject(reason.because)}`;
  }
}

export function describeReject(reason: RejectReason): string {
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
    case "other-machine":
      return `is not ${reason.wanted} (MachineID=)`;
    case "metadata":
      return `lacks ${reason.wanted} (MachineMetadata=)`;
    case "conflict":
      return `${reason.unit} conflicts with ${reason.with} there`;
    case "replaced-by":
      return `${reason.unit} is replaced by a unit there`;
  }
}
