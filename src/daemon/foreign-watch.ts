import { FOREIGN_MAX } from "../domain/cluster/foreign-places.ts";
import type { UnitName } from "../domain/names.ts";
import type { Clock } from "../ports/clock.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { UnitManager } from "../ports/unit-manager.ts";
import type { AgentFiles } from "../usecases/agent-files.ts";
import { findForeignUnits } from "../usecases/find-foreign-units.ts";

/** Who comes to fleet with running units waits for no more than this; what comes and goes on a machine costs one write in it. */
const LOOK_MS = 60_000;

/** What runs on this machine that an administrator installed, looked at once a minute. */
export class ForeignWatch {
  readonly #manager: UnitManager;
  readonly #files: AgentFiles;
  readonly #clock: Clock;
  #seen: readonly UnitName[] = [];
  #lookAtMs = Number.NEGATIVE_INFINITY;

  constructor({ manager, files, clock }: { manager: UnitManager; files: AgentFiles; clock: Clock }) {
    this.#manager = manager;
    this.#files = files;
    this.#clock = clock;
  }

  /** As a part of the member record; nothing where there are none. */
  async current(): Promise<{ readonly foreign?: readonly UnitName[] }> {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs >= this.#lookAtMs) {
      this.#lookAtMs = nowMs + LOOK_MS;
      await this.#look();
    }
    return this.#seen.length === 0 ? {} : { foreign: this.#seen };
  }

  /** Where systemd or the disk does not answer, the last word stands: a machine is there whether or not it can tell this. */
  async #look(): Promise<void> {
    try {
      this.#seen = (await findForeignUnits(this.#manager, this.#files)).slice(0, FOREIGN_MAX);
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
    }
  }
}
