import { patienceMs } from "../domain/confirm/judge-trial.ts";
import type { Clock } from "../ports/clock.ts";
import type { Contact } from "../ports/contact.ts";
import { OperationError } from "../ports/operation-error.ts";
import { Wakeup } from "./wakeup.ts";

/** Nothing is asked while nothing is on trial; then it looks this often whether something is. */
const REST_MS = 3_600_000;
/** Between two questions: often enough for a change that is good to be known as such soon, seldom enough for a cluster's git server. */
const PAUSE_MAX_MS = 2_000;
/** Who does not answer at all is not asked by more than so many questions at once: each ends by its own limit. */
const OPEN_MAX = 4;

/** Asks others for a sign of life, in turn, and remembers when the questions were sent that were answered, and that were not. */
export class ContactProbe {
  readonly #contacts: readonly Contact[];
  readonly #clock: Clock;
  readonly #wake: () => void;
  readonly #wakeup: Wakeup;
  readonly #open = new Map<Contact, number>();
  #withinMs: number | null = null;
  #heardMs: number | null = null;
  #unheardMs: number | null = null;

  /** `wake` is called whenever there is something to know. */
  constructor(contacts: readonly Contact[], clock: Clock, wake: () => void) {
    this.#contacts = contacts;
    this.#clock = clock;
    this.#wake = wake;
    this.#wakeup = new Wakeup(clock);
  }

  /** When the latest question that was answered was sent, by the monotonic clock. */
  get heardMs(): number | null {
    return this.#heardMs;
  }

  /** When the latest one was sent that nobody has answered in time. */
  get unheardMs(): number | null {
    return this.#unheardMs;
  }

  /** From now on, until `rest`: often enough for a decision within that time. */
  ask(withinMs: number): void {
    if (this.#withinMs === null) this.#wakeup.wake();
    this.#withinMs = withinMs;
  }

  rest(): void {
    this.#withinMs = null;
    this.#heardMs = null;
    this.#unheardMs = null;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const withinMs = this.#withinMs;
      if (withinMs === null) {
        await this.#wakeup.wait(REST_MS, signal);
        continue;
      }
      await this.#round(patienceMs(withinMs), signal);
      await this.#clock.sleep(Math.min(PAUSE_MAX_MS, withinMs / 10), signal);
    }
  }

  /** The next is asked only where those before it are silent. */
  async #round(patience: number, signal: AbortSignal): Promise<void> {
    const sentMs = this.#clock.monotonicMs();
    const answers: Promise<boolean>[] = [];
    for (const contact of this.#contacts) {
      answers.push(this.#askOne(contact));
      if (await this.#isAnswered(answers, patience / this.#contacts.length, signal)) return;
    }
    if (this.#withinMs !== null) this.#unheardMs = Math.max(this.#unheardMs ?? 0, sentMs);
    this.#wake();
  }

  /** Whether any of them answers in time. Those that refuse are waited out: who asks again at once learns nothing new. */
  async #isAnswered(answers: readonly Promise<boolean>[], limitMs: number, signal: AbortSignal): Promise<boolean> {
    const over = new AbortController();
    const end = () => over.abort(null);
    signal.addEventListener("abort", end);
    if (signal.aborted) end();
    const anyAnswer = new Promise<boolean>((resolve) => {
      for (const answer of answers) void answer.then((isOne) => isOne && resolve(true));
    });
    const late = this.#clock.sleep(limitMs, over.signal).then(() => false);
    const isAnswered = await Promise.race([anyAnswer, late]);
    signal.removeEventListener("abort", end);
    end();
    return isAnswered;
  }

  /** Also an answer that comes too late to be waited for is one, to what was asked then. */
  async #askOne(contact: Contact): Promise<boolean> {
    const open = this.#open.get(contact) ?? 0;
    if (open >= OPEN_MAX) return false;
    this.#open.set(contact, open + 1);
    const sentMs = this.#clock.monotonicMs();
    try {
      await contact.ask();
      if (this.#withinMs !== null) this.#heardMs = Math.max(this.#heardMs ?? 0, sentMs);
      this.#wake();
      return true;
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      return false;
    } finally {
      this.#open.set(contact, this.#open.get(contact)! - 1);
    }
  }
}
