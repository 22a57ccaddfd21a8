import type { HealthCheck } from "../../domain/health/health-check.ts";
import { PROBE_TIMEOUT_MS } from "../../domain/health/judge-health.ts";
import type { UnitName } from "../../domain/names.ts";
import type { CheckRunner, HealthProbe } from "../../ports/health-probe.ts";
import { askHttp } from "./ask-http.ts";
import { askTcp } from "./ask-tcp.ts";
import { NO_ANSWER } from "./network-failure.ts";

/** Asks this machine's own loopback, and runs programs through its systemd. */
export class MachineHealthProbe implements HealthProbe {
  readonly #runner: CheckRunner;

  constructor(runner: CheckRunner) {
    this.#runner = runner;
  }

  probe(check: HealthCheck, service: UnitName): Promise<string | null> {
    switch (check.kind) {
      case "http":
        return askHttp(check);
      case "tcp":
        return askTcp(check);
      case "exec":
        return this.#run(check.argv, service);
    }
  }

  async #run(argv: readonly string[], service: UnitName): Promise<string | null> {
    const end = await this.#runner.run(service, argv, PROBE_TIMEOUT_MS);
    if (end === "passed") return null;
    return end === "timeout" ? NO_ANSWER : "its program failed";
  }

  close(): void {
    this.#runner.close();
  }
}
