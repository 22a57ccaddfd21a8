import type { HealthCheck } from "../domain/health/health-check.ts";
import type { UnitName } from "../domain/names.ts";

/** Asks services of this machine how they do. */
export interface HealthProbe {
  /**
   * Asks once, for PROBE_TIMEOUT_MS at most. Null where it passed; else why not, in a few words that are the same for as long as it is the
   * same. Rejects with OperationError where nobody could be asked, which says nothing of the service. `service`: as systemd names it.
   */
  probe(check: HealthCheck, service: UnitName): Promise<string | null>;
  close(): void;
}

/** Runs the program of a health check as its service's own user. */
export interface CheckRunner {
  /** `passed`: it exited with 0, in time. Rejects with OperationError where it could not be run, which says nothing of the service. */
  run(service: UnitName, argv: readonly string[], timeoutMs: number): Promise<"passed" | "failed" | "timeout">;
  close(): void;
}
