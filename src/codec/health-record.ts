import type { HealthState, ServiceHealth } from "../domain/health/judge-health.ts";
import { hasShape, type Shape } from "./record.ts";

const SHAPE: Shape = { state: "string", detail: "string" };
const STATES: Readonly<Record<HealthState, true>> = { passing: true, failing: true, unknown: true };

/** What a status says of a service's checks, which older agents do not tell; none where it is damaged. */
export function readServiceHealth(value: unknown): ServiceHealth | null {
  if (!hasShape(value, SHAPE)) return null;
  const { state, detail } = value as ServiceHealth;
  // A word of a newer agent is none that passes.
  return { state: Object.hasOwn(STATES, state) ? state : "unknown", detail };
}
