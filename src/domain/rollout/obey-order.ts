import {
  EXCUSED_MAX,
  type Replica,
  type RolloutFailure,
  type RolloutOrder,
  type RolloutPhase,
  type RolloutRecord,
} from "./rollout-record.ts";

/** In which phases an order says anything; in all others it is done with, and nothing happens. */
const OBEYED: Readonly<Record<RolloutOrder["order"], ReadonlySet<RolloutPhase>>> = {
  pause: new Set(["rolling"]),
  resume: new Set(["paused", "held"]),
  abort: new Set(["rolling", "paused", "held"]),
};
const BECOMES = { pause: "paused", resume: "rolling", abort: "aborted" } as const;

/** Whether a rollout in this phase can be told so. What was rolled back is not resumed: its commit is not tried again. */
export function isOrderFor(order: RolloutOrder["order"], phase: RolloutPhase): boolean {
  return OBEYED[order].has(phase);
}

/** An order is carried out once, whoever leads then: its revision stays in the record. */
export function obeyOrder(
  record: RolloutRecord,
  order: { readonly order: RolloutOrder["order"]; readonly revision: number } | null,
  now: string,
): RolloutRecord {
  if (order === null || order.revision <= record.orderRevision) return record;
  const heard = { ...record, orderRevision: order.revision };
  if (!isOrderFor(order.order, record.phase)) return heard;
  const phase = BECOMES[order.order];
  if (order.order !== "resume") return { ...heard, phase, since: now };
  const { noWayBack: _said, ...rest } = heard;
  return { ...rest, phase, since: now, failures: [], ...excusing(record) };
}

/** Whoever resumes has seen what failed: it may come yet, and is not judged again in this rollout. */
function excusing({ excused = [], failures }: RolloutRecord): Pick<RolloutRecord, "excused"> {
  const all: readonly Replica[] = [
    ...excused,
    ...failures.map(({ unit, machine }: RolloutFailure) => ({ unit, machine })),
  ];
  return all.length === 0 ? {} : { excused: all.slice(-EXCUSED_MAX) };
}
