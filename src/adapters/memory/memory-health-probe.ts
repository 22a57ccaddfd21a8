import { type HealthCheck, healthCheckText } from "../../domain/health/health-check.ts";
import type { UnitName } from "../../domain/names.ts";
import type { HealthProbe } from "../../ports/health-probe.ts";
import { OperationError } from "../../ports/operation-error.ts";

/** Answers as it was told to; what nobody told it of passes. */
export class MemoryHealthProbe implements HealthProbe {
  /** Why a check does not pass, by its text; null: it passes. */
  readonly answers = new Map<string, string | null>();
  /** Whether nobody can be asked. */
  away = false;
  /** What was asked of whom, in order. */
  readonly asked: string[] = [];

  async probe(check: HealthCheck, service: UnitName): Promise<string | null> {
    const text = healthCheckText(check);
    this.asked.push(`${service} ${text}`);
    if (this.away) throw new OperationError("systemd-unreachable", "nobody can be asked");
    return this.answers.get(text) ?? null;
  }

  close(): void {}
}
