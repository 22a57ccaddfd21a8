import type { AgentState } from "../codec/agent-state.ts";
import { type Log, refusal } from "../ports/log.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { AgentFiles } from "../usecases/agent-files.ts";

/** What an agent knows of its orders, in force and on its disk. */
export class AgentMemory {
  readonly #files: AgentFiles;
  readonly #log: Log;
  #state: AgentState;

  constructor(clusterName: string, files: AgentFiles, log: Log) {
    this.#files = files;
    this.#log = log;
    this.#state = { clusterId: null, clusterName, accepted: null, set: null };
  }

  get state(): AgentState {
    return this.#state;
  }

  async recall(): Promise<void> {
    this.#state = (await this.#files.readState()) ?? this.#state;
  }

  /** On disk first, then in force. */
  async remember(state: AgentState): Promise<void> {
    await this.#files.writeState(state);
    this.#state = state;
  }

  /** What was decided here counts also where the disk does not take it. */
  async become(state: AgentState | null): Promise<void> {
    if (state === null) return;
    this.#state = state;
    try {
      await this.#files.writeState(state);
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      this.#log(refusal(error));
    }
  }
}
