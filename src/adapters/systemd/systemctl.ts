import { execFile } from "node:child_process";
import { OperationError } from "../../ports/operation-error.ts";
import type { ServiceControl } from "../../ports/service-control.ts";

/** fleet's services are down in seconds; a registry that writes its last snapshot gets systemd's own 90 s. */
const LIMIT_MS = 120_000;

/** By `systemctl`, because enabling is links in folders that only it knows all of. */
export class Systemctl implements ServiceControl {
  async installed(services: readonly string[]): Promise<readonly string[]> {
    if (services.length === 0) return [];
    const listed = await systemctl(["list-unit-files", "--no-legend", "--full", "--", ...services], [1]);
    const names = new Set(listed.split("\n").map((line) => line.trim().split(/\s+/)[0]));
    return services.filter((service) => names.has(service));
  }

  async enableAndStart(services: readonly string[], anew: boolean): Promise<void> {
    if (services.length === 0) return;
    await systemctl(["enable", "--quiet", "--", ...services]);
    // It may have given up on a configuration it did not have.
    await systemctl(["reset-failed", "--", ...services], [1]);
    await systemctl([anew ? "restart" : "start", "--", ...services]);
  }

  async disableAndStop(services: readonly string[]): Promise<void> {
    const there = await this.installed(services);
    if (there.length === 0) return;
    await systemctl(["stop", "--", ...there]);
    await systemctl(["disable", "--quiet", "--", ...there]);
  }

  async stopLike(pattern: string): Promise<void> {
    await systemctl(["stop", "--", pattern]);
  }

  async wantAtBoot(target: string, units: readonly string[]): Promise<void> {
    if (units.length > 0) await systemctl(["add-wants", "--quiet", "--", target, ...units]);
  }
}

/** What it printed; a code in `also` is no failure either. */
function systemctl(words: readonly string[], also: readonly number[] = []): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { timeout: LIMIT_MS, killSignal: "SIGKILL", maxBuffer: 4 * 1024 * 1024 } as const;
    execFile("systemctl", ["--no-ask-password", "--no-pager", ...words], options, (error, stdout, stderr) => {
      if (error === null || (typeof error.code === "number" && also.includes(error.code))) return resolve(stdout);
      const said = stderr.trim().slice(0, 500) || error.message;
      reject(new OperationError("systemctl-failed", `systemctl ${words.join(" ")}: ${said}`, { cause: error }));
    });
  });
}
