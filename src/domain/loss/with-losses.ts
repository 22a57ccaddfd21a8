import type { Machine } from "../cluster/machine.ts";
import type { LossVerdict } from "./loss-verdict.ts";

/** The machines as a judge of losses sees them: who is lost, and who gets nothing new because it comes and goes. */
export function withLosses(machines: readonly Machine[], verdict: LossVerdict): readonly Machine[] {
  if (verdict.machines.size === 0) return machines;
  return machines.map((machine): Machine => {
    const judged = verdict.machines.get(machine.id);
    if (judged === undefined) return machine;
    return {
      ...machine,
      ...(judged.graces === null ? {} : { presence: "lost" as const, graces: judged.graces }),
      ...(judged.flapping?.cordons === true ? { flapping: true as const } : {}),
    };
  });
}
