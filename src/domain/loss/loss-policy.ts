import type { Diagnostic } from "../diagnostic.ts";
import type { LossPolicy } from "../spec/cluster-spec.ts";
import { DEFAULT_AGENT_TTL_MS, DEFAULT_GRACE_MS } from "../spec/loss-defaults.ts";
import type { LossSettings } from "../spec/manifest.ts";
import { DEFAULT_DAMPING, leastGraceMs, lossThresholds } from "./damping.ts";

/** What the manifest says, damping only where it is not the default: a spec from before there was a choice keeps its hash. */
export function lossPolicy({ values }: LossSettings): LossPolicy {
  const { agentTtlMs = DEFAULT_AGENT_TTL_MS, graceMs = DEFAULT_GRACE_MS, ...damping } = values;
  const chosen = Object.entries(damping).filter(
    ([key, value]) => value !== DEFAULT_DAMPING[key as keyof typeof damping],
  );
  return { agentTtlMs, graceMs, ...Object.fromEntries(chosen) };
}

/** Thresholds that do not go together: each is in its range, which the manifest's schema has seen to. */
export function lossContradictions(settings: LossSettings): readonly Diagnostic[] {
  const { at } = settings;
  if (at === null) return [];
  const policy = lossPolicy(settings);
  const { agentTtlMs, outageWindowMs, flapHoldMs, flapHoldMaxMs } = lossThresholds(policy);
  const least = leastGraceMs(agentTtlMs);
  const found: Diagnostic[] = [];
  if (outageWindowMs < least) {
    found.push({
      code: "loss-contradiction",
      severity: "error",
      at,
      saw: `outageWindow ${seconds(outageWindowMs)} with agentTtl ${seconds(agentTtlMs)}: machines that fall silent together are missed up to ${seconds(least)} apart, so an outage might not be seen as one`,
      next: `raise outageWindow to ${seconds(least)} or more`,
    });
  }
  if (flapHoldMaxMs < flapHoldMs) {
    found.push({
      code: "loss-contradiction",
      severity: "error",
      at,
      saw: `flapHoldMax ${seconds(flapHoldMaxMs)}, less than flapHold ${seconds(flapHoldMs)}, which grows up to it`,
      next: "raise flapHoldMax, or lower flapHold",
    });
  }
  if (policy.graceMs < least) {
    found.push({
      code: "loss-grace-short",
      severity: "warning",
      at,
      saw: `grace ${seconds(policy.graceMs)} with agentTtl ${seconds(agentTtlMs)}: machines that fall silent together are missed up to ${seconds(least)} apart, so fleet waits for that long`,
      next: `say grace: ${Math.ceil(least / 1000)}s, or lower agentTtl`,
    });
  }
  return found;
}

function seconds(milliseconds: number): string {
  return `${Math.round(milliseconds / 100) / 10} s`;
}
