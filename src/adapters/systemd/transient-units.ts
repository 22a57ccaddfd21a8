import type { Clock } from "../../ports/clock.ts";
import type { JobResult } from "../../ports/unit-manager.ts";
import type { Variant } from "./bus-arguments.ts";
import { JobWaiters } from "./job-waiters.ts";
import { SystemBus, type SystemdCall } from "./system-bus.ts";
import { systemdRefusal } from "./systemd-refusal.ts";

export type UnitProperties = readonly (readonly [string, Variant])[];

/**
 * A oneshot's program and its words as they are. systemd puts variables into words behind a `$`, and `$$` is one. Its `ExecStartEx=` would
 * leave them alone, but 252 cannot read that back: with a daemon-reload meanwhile the unit has no program any more, and has failed.
 */
export function commandOf(argv: readonly string[]): readonly [string, Variant] {
  const words = argv.map((word) => word.replaceAll("$", "$$$$"));
  return ["ExecStart", { signature: "a(sasb)", value: [[argv[0], words, false]] }];
}

/** Starts transient units of systemd's, which is not bound to what the process itself may do, and waits for the ends of their starts. */
export class TransientUnits {
  readonly #bus: SystemBus;
  readonly #jobs: JobWaiters;

  /** `address`: a D-Bus address. */
  constructor(clock: Clock, address: string) {
    this.#bus = new SystemBus(address, clock, {
      signal: (member, message) => {
        if (member !== "JobRemoved") return;
        const [, job, , result] = message.body();
        this.#jobs.ended(String(job), String(result));
      },
      lost: (error) => this.#jobs.lost(error),
    });
    void this.#bus.hearUnits(false);
    this.#jobs = new JobWaiters(clock, () => this.#listJobs());
  }

  /** How its start ended, which of a oneshot is its program's end; `failed` where nobody told. Rejects with OperationError. */
  run(doing: string, name: string, properties: UnitProperties): Promise<JobResult> {
    const start = async () => {
      const body = [name, "replace", properties, []];
      const [job] = await this.call(doing, { member: "StartTransientUnit", signature: "ssa(sv)a(sa(sv))", body });
      return job as string;
    };
    return this.#jobs.run(start, async () => "failed");
  }

  async call(doing: string, call: SystemdCall): Promise<readonly unknown[]> {
    try {
      return await this.#bus.call(call);
    } catch (error) {
      throw systemdRefusal(doing, error);
    }
  }

  close(): void {
    this.#bus.close();
  }

  async #listJobs(): Promise<ReadonlySet<string>> {
    const [rows] = await this.call("listing jobs", { member: "ListJobs" });
    return new Set((rows as readonly (readonly unknown[])[]).map((row) => row[4] as string));
  }
}
