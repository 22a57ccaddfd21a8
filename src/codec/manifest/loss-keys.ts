import type { LossThresholds } from "../../domain/loss/damping.ts";

/** The manifest's word for each threshold: its constant's name, without the unit it is counted in. */
export const LOSS_KEYS = {
  agentTtl: "agentTtlMs",
  grace: "graceMs",
  outageAt: "outageAtPercent",
  outageMin: "outageMin",
  outageWindow: "outageWindowMs",
  lossWindow: "lossWindowMs",
  movesAt: "movesAtPercent",
  movesWindow: "movesWindowMs",
  flapAt: "flapAt",
  flapWindow: "flapWindowMs",
  flapHold: "flapHoldMs",
  flapHoldMax: "flapHoldMaxMs",
} as const satisfies Readonly<Record<string, keyof LossThresholds>>;
