import type { Member } from "../domain/cluster/cluster-snapshot.ts";
import type { MachineId } from "../domain/names.ts";
import type { AbsentMachine } from "../domain/report/engine-report.ts";
import type { Clock } from "../ports/clock.ts";

/** Since when one leader has missed each machine, in the time of people; decisions have a history of their own (`judgeLoss`). */
export class AbsenceWatch {
  readonly #clock: Clock;
  #since: ReadonlyMap<MachineId, string> = new Map();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The same words for as long as a machine is away: a report is written on change. */
  current(members: readonly Member[]): AbsentMachine[] {
    const now = new Date(this.#clock.wallMs()).toISOString();
    const absent = members.filter(({ present }) => !present);
    this.#since = new Map(absent.map(({ id }) => [id, this.#since.get(id) ?? now]));
    return [...this.#since].map(([machine, since]) => ({ machine, since }));
  }
}
