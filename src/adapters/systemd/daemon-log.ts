import type { Clock } from "../../ports/clock.ts";
import type { LogLine } from "../../ports/log.ts";
import type { OperationError } from "../../ports/operation-error.ts";
import { feedProgram } from "./feed-program.ts";
import { journalEntry, plainText, prefixedText, type Speaker } from "./log-frames.ts";

/**
 * Entries with fields cost a process each, 3 ms of CPU: so many at once, one more each second. A handful of changes is found under its
 * units; of an apply to hundreds of units systemd itself says what became of each.
 */
const ENTRIES_AT_ONCE = 20;
const ENTRY_EVERY_MS = 1_000;
const ENTRY_TIMEOUT_MS = 5_000;

export interface DaemonLogOptions {
  readonly speaker: Speaker;
  /** Whether standard error is journald's: then lines bear priorities, and those about units are entries of their own. */
  readonly toJournal: boolean;
  readonly clock: Clock;
  /** Standard error. */
  readonly write: (text: string) => void;
  /** Adds an entry to the journal; rejects with OperationError. */
  readonly addEntry?: (entry: string) => Promise<void>;
}

/** The log of a daemon, in the journal where it runs under systemd, else as plain text. */
export class DaemonLog {
  readonly #options: DaemonLogOptions;
  readonly #addEntry: (entry: string) => Promise<void>;
  #tokens = ENTRIES_AT_ONCE;
  #countedMs: number;
  /** Entries are made one after the other, so that they keep their order. */
  #last: Promise<void> = Promise.resolve();
  #isBroken = false;

  constructor(options: DaemonLogOptions) {
    this.#options = options;
    this.#addEntry = options.addEntry ?? addByLogger;
    this.#countedMs = options.clock.monotonicMs();
  }

  readonly log = (line: LogLine): void => {
    const { toJournal, write } = this.#options;
    if (!toJournal) write(plainText(line));
    else if (line.unit === undefined || !this.#mayAdd()) write(prefixedText(line));
    else this.#last = this.#last.then(() => this.#add(line));
  };

  /** Until what was said is in the journal. */
  async flush(): Promise<void> {
    await this.#last;
  }

  #mayAdd(): boolean {
    const nowMs = this.#options.clock.monotonicMs();
    this.#tokens = Math.min(ENTRIES_AT_ONCE, this.#tokens + (nowMs - this.#countedMs) / ENTRY_EVERY_MS);
    this.#countedMs = nowMs;
    if (this.#isBroken || this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }

  /** A machine whose `logger` knows no journal has these lines among the others; said once. */
  async #add(line: LogLine): Promise<void> {
    const { speaker, write } = this.#options;
    try {
      await this.#addEntry(journalEntry(line, speaker));
    } catch (error) {
      const { message } = error as OperationError;
      if (!this.#isBroken) write(prefixedText({ priority: "notice", message: `no fields in the journal: ${message}` }));
      this.#isBroken = true;
      write(prefixedText(line));
    }
  }
}

function addByLogger(entry: string): Promise<void> {
  return feedProgram(["logger", "--journald"], { stdin: entry, environment: {}, timeoutMs: ENTRY_TIMEOUT_MS });
}
