import type { ServiceHealth } from "../../domain/health/judge-health.ts";

/** Of a service that is up and whose checks do not pass. */
export function unhealthyText({ state, detail }: ServiceHealth): string {
  if (state === "failing") return `is up, and its health check fails: ${detail}`;
  return detail === ""
    ? "is up, and is asked for its health"
    : `is up, and its health check has not passed yet: ${detail}`;
}

/** `passing`, or what does not pass. */
export function healthText({ state, detail }: ServiceHealth): string {
  const word = state === "unknown" ? "not passed yet" : state;
  return detail === "" ? word : `${word}: ${detail}`;
}
