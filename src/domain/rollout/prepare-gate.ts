import type { ClusterSnapshot, Member } from "../cluster/cluster-snapshot.ts";
import type { Machine } from "../cluster/machine.ts";
import type { MachineId } from "../names.ts";
import { isMove } from "./next-wave.ts";
import type { RolloutChange } from "./plan-rollout.ts";

interface PrepareInput {
  readonly snapshot: ClusterSnapshot;
  /** `machinesOf` the spec and the snapshot. */
  readonly machines: readonly Machine[];
}

/**
 * The machine that what changes together waits for, because its agent is not ready for the release: it has not fetched, verified and
 * accepted the commit. Null: nothing waits. Until then what runs there runs on: taken down, it would be down for as long as that takes, or
 * for good where the agent refuses the commit.
 *
 * Only what takes something down waits. A unit that is new on its machine, one whose version stays, and one that comes from a machine
 * that is silent or lost are down as it is, and are started as soon as their agent can; a machine that is away is told what it
 * is to run when it is back. There is no time after which it goes on anyway: the engine's report names the machine.
 */
export function prepareGate({
  snapshot,
  machines,
}: PrepareInput): (step: readonly RolloutChange[]) => MachineId | null {
  const { release, identity } = snapshot;
  const seq = release?.seq ?? 0;
  const epoch = identity?.epoch ?? 1;
  const present = new Set(machines.filter(({ presence }) => presence === "present").map(({ id }) => id));
  const ready = new Set(snapshot.members.filter((member) => isReady(member, seq, epoch)).map(({ id }) => id));
  const waits = (change: RolloutChange): boolean => {
    const { from, to } = change;
    if (from === null || to === null || !present.has(to.machine) || ready.has(to.machine)) return false;
    return isMove(change) ? present.has(from.machine) : from.hash !== to.hash;
  };
  return (step) => step.find(waits)?.to?.machine ?? null;
}

/** An agent that has more to do than to accept (to pull images, say) tells by `readySeq` how far it has come. */
function isReady({ acceptedSeq, acceptedEpoch = 1, readySeq }: Member, seq: number, epoch: number): boolean {
  return acceptedEpoch === epoch && (readySeq ?? acceptedSeq) >= seq;
}
