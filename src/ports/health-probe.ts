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
