import { compareText, type MachineId, type UnitName } from "../names.ts";
import type { RolloutInput } from "../rollout/plan-rollout.ts";
import { ReplicaSets } from "../rollout/replica-sets.ts";
import type { RebootPolicy } from "../spec/cluster-spec.ts";
import type { Grant, Slot } from "./lock.ts";
import type { RebootState, RebootWait } from "./reboot.ts";

/** Where a commit says nothing: one machine at a time, at any time, without a drain. */
export const DEFAULT_REBOOTS: RebootPolicy = { slots: 1, window: null, drain: false };

const NAMED_MAX = 5;

export interface RebootInput {
  readonly policy: Pick<RebootPolicy, "slots">;
  readonly isWindowOpen: boolean;
  /** Of the lock `reboot`, with holders that are machines. */
  readonly slots: readonly (Slot & { readonly machine: MachineId })[];
  readonly grants: readonly Grant[];
  /** The boot of each member that is present. */
  readonly boots: ReadonlyMap<MachineId, string>;
  readonly members: ReadonlySet<MachineId>;
  /** Machines on which something changes, or is about to. */
  readonly changing: ReadonlySet<MachineId>;
  /** As they are, without `isLeaving`. */
  readonly replicas: Omit<RolloutInput, "isLeaving">;
  /** Whether its agent has said so since that revision; before a restart it said other things. */
  readonly isSaidSince: (unit: UnitName, machine: MachineId, revision: number) => boolean;
  /** Whether it has been so, without a break, for as long as the units on that machine ask. */
  readonly isSteady: (machine: MachineId, what: "fits" | "healthy") => boolean;
}

export interface RebootJudgement {
  /** Who may go now; with grants that stand. Sorted by machine. */
  readonly granted: readonly {
    readonly machine: MachineId;
    readonly slot: string;
    readonly down: readonly UnitName[];
  }[];
  /** Slots that are over: the machine is back and well, or is no member any more. */
  readonly over: readonly { readonly machine: MachineId; readonly because: "returned" | "no-member" }[];
  /** Of those that would pass if it lasted: whoever asks counts how long it has. */
  readonly holding: readonly { readonly machine: MachineId; readonly what: "fits" | "healthy" }[];
  /** All other slots, by machine. */
  readonly states: readonly RebootState[];
}

/**
 * Which machines may restart now. One judge for rollouts and restarts, so that together they break no budget: a machine goes only if every
 * set of replicas keeps enough up without all that is on it, and from its grant on all of that counts as down (`RolloutInput.isLeaving`).
 *
 * Those that restart already count first, then those that have their grant and have not used it, then by age. A grant that is not used
 * is judged anew each time, and withdrawn where it would not be given any more.
 */
export function judgeReboots(input: RebootInput): RebootJudgement {
  const judge = new RebootJudge(input);
  const grants = new Map(input.grants.map((grant) => [grant.machine, grant]));
  const isGranted = (slot: RebootInput["slots"][number]) => grants.get(slot.machine)?.slot === slot.id;
  const rank = (slot: RebootInput["slots"][number]) => (slot.going === true ? 0 : isGranted(slot) ? 1 : 2);
  const inTurn = [...input.slots].sort(
    (a, b) => rank(a) - rank(b) || compareText(a.since, b.since) || compareText(a.machine, b.machine),
  );
  for (const slot of inTurn) judge.take(slot, isGranted(slot) ? grants.get(slot.machine)! : null);
  return judge.answer();
}

/** Machines whose units count as down: what their grants say, whatever else is known of them. */
export function leavingMachines(
  slots: readonly Pick<Slot, "holder" | "id">[],
  grants: readonly Grant[],
): ReadonlySet<MachineId> {
  const ids = new Map(slots.map(({ holder, id }) => [holder, id]));
  return new Set(grants.filter(({ machine, slot }) => ids.get(machine) === slot).map(({ machine }) => machine));
}

class RebootJudge {
  readonly #input: RebootInput;
  readonly #leaving = new Set<MachineId>();
  readonly #granted: { machine: MachineId; slot: string; down: readonly UnitName[] }[] = [];
  readonly #over: { machine: MachineId; because: "returned" | "no-member" }[] = [];
  readonly #holding: { machine: MachineId; what: "fits" | "healthy" }[] = [];
  readonly #states: RebootState[] = [];

  constructor(input: RebootInput) {
    this.#input = input;
  }

  take(slot: RebootInput["slots"][number], grant: Grant | null): void {
    const { machine, since } = slot;
    const end = this.#end(slot, grant);
    if (end === "no-member" || end === "returned") {
      this.#over.push({ machine, because: end });
      return;
    }
    const wait =
      end ?? (slot.going === true && grant !== null ? { code: "going" as const } : this.#why(machine, grant));
    const isOut = end !== null || slot.going === true || wait.code === "granted";
    if (isOut) this.#leaving.add(machine);
    if (isOut && grant !== null)
      this.#granted.push({ machine, slot: slot.id, down: grant.down as readonly UnitName[] });
    else if (wait.code === "granted") this.#granted.push({ machine, slot: slot.id, down: this.#notUp(machine) });
    this.#states.push({ machine, since, wait });
  }

  answer(): RebootJudgement {
    const byMachine = (a: { machine: MachineId }, b: { machine: MachineId }) => compareText(a.machine, b.machine);
    return {
      granted: this.#granted.sort(byMachine),
      over: this.#over.sort(byMachine),
      holding: this.#holding.sort(byMachine),
      states: this.#states.sort(byMachine),
    };
  }

  /** Of one that is no member, or has started anew since it took its slot; null: it has not. */
  #end(slot: RebootInput["slots"][number], grant: Grant | null): "no-member" | "returned" | RebootWait | null {
    const { machine, boot, modRevision } = slot;
    const { boots, members, isSaidSince, isSteady } = this.#input;
    if (!members.has(machine)) return "no-member";
    const now = boots.get(machine);
    if (now === undefined || boot === undefined || now === boot) return null;
    const known = new Set<string>(grant?.down ?? []);
    const isWell = (unit: UnitName) => known.has(unit) || isSaidSince(unit, machine, modRevision);
    const ill = this.#unitsOn(machine).filter(
      (unit) => !isWell(unit) || (!known.has(unit) && !this.#isUp(unit, machine)),
    );
    if (ill.length > 0) {
      return { code: "not-healthy", units: ill.slice(0, NAMED_MAX), more: Math.max(0, ill.length - NAMED_MAX) };
    }
    this.#holding.push({ machine, what: "healthy" });
    return isSteady(machine, "healthy") ? "returned" : { code: "not-healthy", units: [], more: 0 };
  }

  /** `granted`: it may go. */
  #why(machine: MachineId, grant: Grant | null): RebootWait {
    const { policy, isWindowOpen, boots, changing, isSteady, replicas } = this.#input;
    if (!isWindowOpen) return { code: "window" };
    if (this.#leaving.size >= policy.slots) return { code: "others" };
    if (!boots.has(machine)) return { code: "machine-absent" };
    if (changing.has(machine)) return { code: "changing" };
    const own = this.#unitsOn(machine).map((unit) => replicas.stateOf(unit, machine));
    if (own.some((state) => state !== "up" && state !== "down")) return { code: "changing" };
    const isLeaving = (other: MachineId) => this.#leaving.has(other);
    const short = new ReplicaSets({ ...replicas, isLeaving }).shortWithout(machine);
    if (short.length > 0) {
      return { code: "budget", sets: short.slice(0, NAMED_MAX), more: Math.max(0, short.length - NAMED_MAX) };
    }
    this.#holding.push({ machine, what: "fits" });
    return grant !== null || isSteady(machine, "fits") ? { code: "granted" } : { code: "steady" };
  }

  #unitsOn(machine: MachineId): UnitName[] {
    const { before } = this.#input.replicas;
    return [...before].flatMap(([unit, sides]) => (sides.some((side) => side.machine === machine) ? [unit] : []));
  }

  #notUp(machine: MachineId): UnitName[] {
    return this.#unitsOn(machine).filter((unit) => !this.#isUp(unit, machine));
  }

  #isUp(unit: UnitName, machine: MachineId): boolean {
    return this.#input.replicas.stateOf(unit, machine) === "up";
  }
}
