import type { CommitId } from "../../domain/names.ts";
import type { Clock } from "../../ports/clock.ts";
import type { ObjectSource } from "../../ports/object-source.ts";
import { OperationError } from "../../ports/operation-error.ts";

/** Between the beginnings of two fetches that machines cause, however many ask. */
const INTERVAL_MS = 1_000;
/** How old a tip may be for those who look for a commit that is here already: longer than a rollout's start, shorter than a force-push is fixed. */
const KNOWN_MS = 10_000;
/** The source is away, and not the branch. */
const AWAY: ReadonlySet<string> = new Set(["source-unreachable", "source-timeout"]);

/**
 * The tip of an engine's mirror, for any number of machines that ask. One fetch answers all who asked before it began, and the next begins
 * an interval later at the earliest: a machine that heard of a commit never gets a tip from before it was told. Who names the commit and
 * finds it here gets the known tip at once, which is all a thousand machines do after a release.
 */
export class TipKeeper {
  readonly #source: ObjectSource;
  readonly #clock: Clock;
  #startedMs = Number.NEGATIVE_INFINITY;
  #fetchedMs = Number.NEGATIVE_INFINITY;
  #running: Promise<CommitId> | null = null;
  #next: Promise<CommitId> | null = null;

  constructor(source: ObjectSource, clock: Clock) {
    this.#source = source;
    this.#clock = clock;
  }

  /** `holding`: a commit's id or "". With the source away, what is known of it, if anything. */
  async tip(holding: string): Promise<CommitId> {
    if (holding !== "" && this.#clock.monotonicMs() - this.#fetchedMs < KNOWN_MS) {
      const known = this.#source.lastTip();
      const { kind } = await this.#source.readObject(holding, 0);
      if (known !== null && kind !== "missing") return known;
    }
    try {
      return await this.#fresh();
    } catch (error) {
      const known = this.#source.lastTip();
      if (known === null || !(error instanceof OperationError) || !AWAY.has(error.code)) throw error;
      return known;
    }
  }

  /** A fetch for somebody who misses an object; nothing where one has just been made. True: there was one. */
  async catchUp(): Promise<boolean> {
    if (this.#clock.monotonicMs() - this.#startedMs < INTERVAL_MS) return false;
    await this.#fresh();
    return true;
  }

  /** Of a fetch that begins from now on: whoever asks after it began waits for the one after it. */
  #fresh(): Promise<CommitId> {
    this.#next ??= this.#turn().then(() => {
      this.#next = null;
      return this.#fetch();
    });
    return this.#next;
  }

  async #turn(): Promise<void> {
    const waitMs = this.#startedMs + INTERVAL_MS - this.#clock.monotonicMs();
    if (waitMs > 0) await this.#clock.sleep(waitMs);
    // A fetch takes as long as its source does; two at once would be one too many.
    if (this.#running !== null) await this.#running.catch(() => undefined);
  }

  #fetch(): Promise<CommitId> {
    this.#startedMs = this.#clock.monotonicMs();
    this.#running = this.#source.fetch().then((tip) => {
      this.#fetchedMs = this.#clock.monotonicMs();
      return tip;
    });
    return this.#running;
  }
}
