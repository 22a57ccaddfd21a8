import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { ProgramResult } from "../../src/lab/run-program.ts";

const MAIN = fileURLToPath(new URL("resident-main.ts", import.meta.url));

/**
 * The built fleet as a process that stays, for questions asked again and again: what a test waits for is asked ten times a second, and
 * starting Node each time took more of the machine than the cluster under test. What changes something, or is judged by how it ends, is
 * run as people run it, in a process of its own.
 */
export class ResidentFleet {
  readonly #process: ChildProcess;
  readonly #waiting: { resolve: (result: ProgramResult) => void; reject: (error: Error) => void }[] = [];

  constructor(bundle: string) {
    this.#process = fork(MAIN, [bundle]);
    this.#process.on("message", (result) => this.#waiting.shift()?.resolve(result as ProgramResult));
    this.#process.once("exit", (code) => {
      for (const { reject } of this.#waiting.splice(0)) reject(new Error(`the resident fleet ended with ${code}`));
    });
    // A test that failed without taking its cluster down must still be able to end.
    this.#process.unref();
    this.#process.channel?.unref();
  }

  run(words: readonly string[]): Promise<ProgramResult> {
    return new Promise((resolve, reject) => {
      this.#process.channel?.ref();
      const settled =
        <T>(settle: (value: T) => void) =>
        (value: T) => {
          if (this.#waiting.length === 0) this.#process.channel?.unref();
          settle(value);
        };
      this.#waiting.push({ resolve: settled(resolve), reject: settled(reject) });
      this.#process.send(words);
    });
  }

  end(): void {
    if (this.#process.connected) this.#process.disconnect();
  }
}
