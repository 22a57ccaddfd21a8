import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import { err, refusal } from "../../ports/log.ts";
import { OperationError } from "../../ports/operation-error.ts";
import { feedProgram } from "./feed-program.ts";

/**
 * The loop may stand still for so long: the longest a step of it may wait for the world is 300 s for a transfer of the repository, 100 s
 * for a PID 1 that reloads. Each answer counts as progress, so what takes longer will not come back.
 */
export const STALLED_AFTER_MS = 360_000;
/** systemd's advice is half of its limit; a third leaves room for a message that got lost. */
const PINGS_PER_LIMIT = 3;
/** Changes of the status line are gathered for so long: each message is a process, 8 ms of CPU, and a timer's unit changes it for ever. */
const STATUS_REST_MS = 10_000;
/** A status line is never sent sooner than this: it changes when there is something to do, and a process of its own can wait for that. */
const STATUS_WAIT_MS = 2_000;
const RETRY_MS = 1_000;
/** systemd-notify itself waits at most 5 s until PID 1 has taken the message. */
const MESSAGE_TIMEOUT_MS = 15_000;
const STATUS_CHARACTERS_MAX = 200;

export interface NotifierOptions {
  /** `$NOTIFY_SOCKET`; undefined where nobody listens: then nothing is ever sent. */
  readonly socket: string | undefined;
  /** How long systemd waits for a sign of life; null: for ever. */
  readonly watchdogMs: number | null;
  readonly clock: Clock;
  readonly log: Log;
  /** Sends assignments in one message and waits until systemd has taken them; rejects with OperationError. */
  readonly send?: (assignments: readonly string[]) => Promise<void>;
}

/**
 * Tells systemd how this service is (sd_notify(3)). Node has no datagram sockets in the file system, so `systemd-notify` speaks for us: the
 * unit says `NotifyAccess=all`. It waits until PID 1 has taken the message; with one always under way while PID 1 is busy, the first thing
 * PID 1 does afterwards is to hear that we live.
 */
export class ServiceNotifier {
  readonly #options: NotifierOptions;
  readonly #send: (assignments: readonly string[]) => Promise<void>;
  readonly #pending = new Map<string, string>();
  #status = "";
  #progressMs: number;
  #sentMs = Number.NEGATIVE_INFINITY;
  #isSending = false;
  #sending: Promise<void> = Promise.resolve();
  #isReady = false;
  #isStalled = false;
  #isStopping = false;
  #trouble = "";
  #hurry = new AbortController();

  constructor(options: NotifierOptions) {
    this.#options = options;
    this.#send = options.send ?? ((assignments) => sendTo(options.socket ?? "", assignments));
    this.#progressMs = options.clock.monotonicMs();
  }

  /** The loop moves. */
  readonly progress = (): void => {
    this.#progressMs = this.#options.clock.monotonicMs();
  };

  ready(): void {
    this.#isReady = true;
    this.#put("READY", "1");
  }

  /** The last word: what is said after it concerns nobody, and would keep the process from ending. */
  stopping(): void {
    this.#put("STOPPING", "1");
    this.#isStopping = true;
  }

  /** The line that `systemctl status` shows. */
  status(line: string): void {
    const text = oneLine(line);
    if (text === this.#status) return;
    this.#status = text;
    this.#put("STATUS", text);
  }

  /** Pings as long as the loop moves, until the signal aborts; from then on nothing but what is still to be said. */
  async run(signal: AbortSignal): Promise<void> {
    const { socket, watchdogMs, clock } = this.#options;
    if (socket === undefined || watchdogMs === null) return;
    while (!signal.aborted) {
      await clock.sleep(watchdogMs / PINGS_PER_LIMIT, signal);
      if (!signal.aborted && this.#isReady) this.#ping();
    }
  }

  /** Until all that was said has been sent, or could not be. */
  async flush(): Promise<void> {
    this.#hurry.abort();
    await this.#sending;
  }

  #ping(): void {
    const stillMs = this.#options.clock.monotonicMs() - this.#progressMs;
    const isStalled = stillMs > STALLED_AFTER_MS;
    if (isStalled && !this.#isStalled) {
      this.#options.log(err(`nothing has moved for ${Math.round(stillMs / 1_000)} s: systemd will start this anew`));
    }
    this.#isStalled = isStalled;
    if (!isStalled) this.#put("WATCHDOG", "1");
  }

  #put(key: string, value: string): void {
    if (this.#options.socket === undefined || this.#isStopping) return;
    this.#pending.set(key, value);
    if (key !== "STATUS") this.#hurry.abort();
    if (this.#isSending) return;
    this.#isSending = true;
    this.#sending = this.#sendPending();
  }

  async #sendPending(): Promise<void> {
    const { clock, log } = this.#options;
    while (this.#pending.size > 0) {
      await this.#gather();
      const assignments = [...this.#pending];
      this.#pending.clear();
      const attemptMs = clock.monotonicMs();
      try {
        await this.#send(assignments.map(([key, value]) => `${key}=${value}`));
        this.#sentMs = clock.monotonicMs();
        this.#trouble = "";
      } catch (error) {
        if (!(error instanceof OperationError)) throw error;
        if (this.#trouble !== error.message) log(refusal(error));
        this.#trouble = error.message;
        if (assignments.some(([key]) => key === "STOPPING")) break; // It sees us end.
        for (const [key, value] of assignments) if (!this.#pending.has(key)) this.#pending.set(key, value);
        await clock.sleep(Math.max(0, attemptMs + RETRY_MS - clock.monotonicMs()));
      }
    }
    this.#isSending = false;
  }

  /** A status line alone can wait, until something comes that cannot. */
  async #gather(): Promise<void> {
    const restMs = this.#sentMs + STATUS_REST_MS - this.#options.clock.monotonicMs();
    if ([...this.#pending.keys()].some((key) => key !== "STATUS")) return;
    this.#hurry = new AbortController();
    await this.#options.clock.sleep(Math.max(restMs, STATUS_WAIT_MS), this.#hurry.signal);
  }
}

function sendTo(socket: string, assignments: readonly string[]): Promise<void> {
  const environment = { NOTIFY_SOCKET: socket };
  return feedProgram(["systemd-notify", ...assignments], { environment, timeoutMs: MESSAGE_TIMEOUT_MS });
}

/** In a message each line is an assignment of its own. */
function oneLine(text: string): string {
  return text.replace(/[\0-\x1f\x7f-\x9f]+/g, " ").slice(0, STATUS_CHARACTERS_MAX);
}
