import type { AgentFiles } from "../usecases/agent-files.ts";
import { type DescribedMachine, renderMachineEnv } from "../usecases/render-machine-env.ts";

/** Keeps `machine.env` for `EnvironmentFile=` of units: git's word on this machine, and until it is known what an earlier agent left. */
export class MachineEnvKeeper {
  readonly #files: AgentFiles;
  #text: string | null = null;

  constructor(files: AgentFiles) {
    this.#files = files;
  }

  async recall(): Promise<void> {
    this.#text = await this.#files.readMachineEnv();
  }

  /** Where nobody has said anything yet, a machine is what it says of itself. */
  async begin(self: DescribedMachine): Promise<void> {
    if (this.#text === null) await this.describe(self);
  }

  async describe(machine: DescribedMachine): Promise<void> {
    const text = renderMachineEnv(machine);
    if (text === this.#text) return;
    await this.#files.writeMachineEnv(text);
    this.#text = text;
  }
}
