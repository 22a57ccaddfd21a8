import { type ChildProcess, spawn } from "node:child_process";
import { isHubAddress } from "../../adapters/hub/hub-address.ts";
import { systemClock } from "../../adapters/system-clock.ts";
import { backoffMs } from "../../daemon/backoff.ts";
import { BaseCommand } from "../base-command.ts";
import { stopSignal } from "../daemon-composition.ts";
import { daemonFlags } from "../daemon-flags.ts";
import { registryAddress } from "../open-registry-at.ts";

/** Restarted at once, then ever more slowly; a child that ran this long starts from the first wait again. */
const HEALTHY_AFTER_MS = 60_000;

/** What systemd tells a service is for this process: a child that notified it would speak for all of them. */
const { NOTIFY_SOCKET: _socket, WATCHDOG_USEC: _limit, WATCHDOG_PID: _pid, ...ENVIRONMENT } = process.env;

export default class DaemonCommand extends BaseCommand {
  static override summary =
    "Run engine and agent, and the embedded registry where none is configured, as child processes";
  static override examples = ["fleet daemon --source https://git.example/infra.git"];
  static override flags = daemonFlags;

  async run(): Promise<void> {
    const { flags } = await this.parse(DaemonCommand);
    const signal = stopSignal();
    const rest = process.argv.slice(process.argv.indexOf("daemon") + 1);
    const address = await registryAddress(flags);
    const ownRegistry = address === null && !flags.standalone;
    // Whoever goes through engines is none: an engine speaks with the registry itself.
    const isEngine = !flags.standalone && (address === null || !isHubAddress(address));
    const children = [
      ...(ownRegistry ? [this.supervise(["registry", "serve"], signal)] : []),
      ...(isEngine ? [this.supervise(["engine", ...rest], signal)] : []),
      this.supervise(["agent", ...rest], signal),
    ];
    await Promise.all(children);
  }

  /** Keeps one child running until asked to stop; each is a process of its own, so a stall of one delays no other. */
  private async supervise(words: string[], signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted; failures++) {
      const startedMs = systemClock.monotonicMs();
      const code = await this.runOnce(
        spawn(process.execPath, [process.argv[1]!, ...words], { stdio: "inherit", env: ENVIRONMENT }),
        signal,
      );
      if (signal.aborted) return;
      if (systemClock.monotonicMs() - startedMs > HEALTHY_AFTER_MS) failures = 0;
      this.say(`${words[0]} ended with ${code}; starting it again`);
      await systemClock.sleep(backoffMs(failures), signal);
    }
  }

  private runOnce(child: ChildProcess, signal: AbortSignal): Promise<string> {
    const stop = () => child.kill("SIGTERM");
    signal.addEventListener("abort", stop, { once: true });
    return new Promise((resolve) => {
      child.once("error", (error) => resolve(error.message));
      child.once("exit", (code, by) => {
        signal.removeEventListener("abort", stop);
        resolve(String(code ?? by));
      });
    });
  }
}
