import type { ClusterSnapshot } from "../domain/cluster/cluster-snapshot.ts";
import { judgeAdoption } from "../domain/fencing/judge-adoption.ts";
import type { Sha256 } from "../domain/names.ts";
import { planSetWrites, type SetWrite } from "../domain/placement/plan-set-writes.ts";
import { globalsOf } from "../domain/rollout/next-writes.ts";
import type { ClusterSpec, LossPolicy } from "../domain/spec/cluster-spec.ts";
import type { Clock } from "../ports/clock.ts";
import { REGISTRY_REPLACED, REPLACED_NEXT, replacedDetail } from "../usecases/replaced-detail.ts";

/** Units and machines a report names; who wants all of them asks `fleet status`. */
const NAMED_MAX = 5;

export type Adopted =
  | { readonly kind: "none" }
  /** Nothing is placed meanwhile. */
  | { readonly kind: "wait"; readonly problem: string }
  | { readonly kind: "write"; readonly writes: readonly SetWrite[] };

/** After the registry's epoch was raised: takes over what machines say they run, before one leader places anything (protocol rule 13). */
export class SetAdopter {
  readonly #clock: Clock;
  readonly #sha256: Sha256;
  /** When this leader first read the registry in its epoch. */
  #began = { epoch: -1, atMs: 0 };

  constructor(clock: Clock, sha256: Sha256) {
    this.#clock = clock;
    this.#sha256 = sha256;
  }

  judge(snapshot: ClusterSnapshot, spec: ClusterSpec, { agentTtlMs, graceMs }: LossPolicy): Adopted {
    const epoch = snapshot.identity?.epoch ?? 0;
    const nowMs = this.#clock.monotonicMs();
    if (this.#began.epoch !== epoch) this.#began = { epoch, atMs: nowMs };
    const time = { sinceMs: this.#began.atMs, nowMs, holdMs: agentTtlMs + graceMs };
    const adoption = judgeAdoption(snapshot, spec, time, this.#sha256);
    if (adoption.kind === "none") return adoption;
    if (adoption.kind === "ahead") {
      return { kind: "wait", problem: `${REGISTRY_REPLACED}: ${replacedDetail(adoption.because)}; ${REPLACED_NEXT}` };
    }
    if (adoption.kind === "wait") {
      const names = new Map(snapshot.members.map(({ id, name }) => [id, name]));
      const machines = adoption.machines.map((machine) => names.get(machine) ?? machine);
      return { kind: "wait", problem: waitingFor(machines, adoption.missing) };
    }
    const { placements } = adoption;
    const writes = planSetWrites(placements, globalsOf(spec, snapshot, placements), snapshot, this.#sha256);
    return { kind: "write", writes };
  }
}

function waitingFor(machines: readonly string[], units: readonly string[]): string {
  const what = [
    ...(machines.length === 0 ? [] : [`${named(machines)} to say what runs there`]),
    ...(units.length === 0 ? [] : [`machines that may run ${named(units)}`]),
  ];
  return `adopting: places nothing before the lease and the grace are over, and waits for ${what.join(", and ")}`;
}

function named(names: readonly string[]): string {
  const rest = names.length > NAMED_MAX ? ` and ${names.length - NAMED_MAX} more` : "";
  return `${names.slice(0, NAMED_MAX).join(", ")}${rest}`;
}
