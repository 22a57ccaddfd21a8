import { once } from "node:events";
import { type ServerReadableStream, type ServerWritableStream, type sendUnaryData, status } from "@grpc/grpc-js";
import type { Clock } from "../../ports/clock.ts";
import { OperationError } from "../../ports/operation-error.ts";
import {
  type AnswerPart,
  type AskPart,
  type AskRequest,
  type Call,
  PART_BYTES_MAX,
  REACH_METHODS,
  refusalStatus,
  SIGNATURE_BYTES,
  TEXT_MAX,
} from "../reach-proto/reach-proto.ts";
import type { FrontService } from "./serve-connection.ts";

/** People at terminals; each holds some messages of 64 KiB at most, whoever is slow. */
const ASKS_MAX = 64;
const ASKS_OF_ONE_MAX = 8;
/** Until a machine begins to answer: a look at its disk, on a busy one. */
const ANSWER_BEGINS_MS = 10_000;
const NO_WORDS = 500;

type Empty = Record<string, never>;
type Asking = ServerWritableStream<AskRequest, AskPart>;
type Answering = ServerReadableStream<AnswerPart, Empty>;

interface Asked {
  readonly asker: string;
  readonly machine: string;
  readonly asking: Asking;
  /** Ends the wait for an answer, or the answer. */
  readonly over: AbortController;
  isAnswered: boolean;
}

/**
 * Carries what one machine's terminal asks of another to it, and the answer back. It judges nothing of it: the machine that answers does,
 * by a signature the engine cannot make. What is not read is not asked for, and when either end goes the other hears of it.
 */
export class ReachDesk {
  readonly #clock: Clock;
  readonly #newId: () => string;
  readonly #serving = new Map<string, ServerWritableStream<Empty, Call>>();
  readonly #asked = new Map<string, Asked>();

  constructor(clock: Clock, newId: () => string) {
    this.#clock = clock;
    this.#newId = newId;
  }

  /** Of the connection of that machine. */
  service(machine: string): FrontService {
    return {
      methods: REACH_METHODS,
      handlers: {
        Serve: (call: ServerWritableStream<Empty, Call>) => this.#serve(machine, call),
        Ask: (call: Asking) => this.#ask(machine, call),
        Answer: (call: Answering, answer: sendUnaryData<Empty>) => {
          this.#answer(machine, call).then(
            () => answer(null, {}),
            () => answer({ code: status.CANCELLED, details: "nobody reads it any more" }),
          );
        },
      },
    };
  }

  /** The newest one counts: an agent that was restarted may have left one behind. */
  #serve(machine: string, call: ServerWritableStream<Empty, Call>): void {
    this.#serving.get(machine)?.end();
    this.#serving.set(machine, call);
    const gone = () => {
      if (this.#serving.get(machine) === call) this.#serving.delete(machine);
    };
    call.on("cancelled", gone).on("error", gone).on("close", gone);
  }

  #ask(asker: string, asking: Asking): void {
    const { machine, text, signature } = asking.request;
    const problem = this.#problemOf(asker, asking.request);
    if (problem !== null) return void asking.emit("error", refusalStatus(problem));
    const id = this.#newId();
    const over = new AbortController();
    const asked: Asked = { asker, machine, asking, over, isAnswered: false };
    this.#asked.set(id, asked);
    const end = () => {
      this.#asked.delete(id);
      over.abort();
    };
    asking.on("cancelled", end).on("close", end).on("finish", end).on("error", end);
    this.#serving.get(machine)!.write({ id, text, signature });
    void this.#clock.sleep(ANSWER_BEGINS_MS, over.signal).then(() => {
      if (asked.isAnswered || over.signal.aborted) return;
      asking.emit("error", refusalStatus(new OperationError("no-answer", `machine ${machine} does not answer`)));
    });
  }

  #problemOf(asker: string, { machine, text, signature }: AskRequest): OperationError | null {
    if (text.length > TEXT_MAX || signature.length !== SIGNATURE_BYTES) {
      return new OperationError("bad-request", "this is no ask");
    }
    const own = [...this.#asked.values()].filter((one) => one.asker === asker);
    if (this.#asked.size >= ASKS_MAX || own.length >= ASKS_OF_ONE_MAX) {
      return new OperationError("engine-busy", `${own.length} of your asks are under way, ${this.#asked.size} in all`, {
        next: "end some, and ask again",
      });
    }
    if (this.#serving.has(machine)) return null;
    return new OperationError("machine-not-here", `machine ${machine} lets nobody ask it through this engine`, {
      next: "on that machine, name who may in /etc/fleet/fleet.conf: allow_journal; or ask another engine",
    });
  }

  /** Until all is carried; rejects where there is nobody to carry it to. */
  async #answer(machine: string, call: Answering): Promise<void> {
    let asked: Asked | null = null;
    try {
      for await (const part of call as AsyncIterable<AnswerPart>) {
        asked ??= this.#taken(machine, part.id, call);
        if (part.refusal !== null) {
          const { code, message, next } = part.refusal;
          const options = next === "" ? {} : { next: next.slice(0, NO_WORDS) };
          const said = new OperationError(wordOf(code), message.slice(0, NO_WORDS), options);
          return void asked.asking.emit("error", refusalStatus(said));
        }
        if (part.content.length > PART_BYTES_MAX) throw new Error("a part is too large");
        await writeTo(asked, part.content);
        if (part.isLast) return void asked.asking.end();
      }
      throw new Error("it ended before its end");
    } catch (error) {
      const lost = new OperationError("machine-lost", `machine ${machine} ended its answer before its end`);
      if (asked !== null && !asked.over.signal.aborted) asked.asking.emit("error", refusalStatus(lost));
      throw error;
    }
  }

  /** Throws where that machine was not asked so. */
  #taken(machine: string, id: string, call: Answering): Asked {
    const asked = this.#asked.get(id);
    if (asked === undefined || asked.machine !== machine || asked.isAnswered) throw new Error("nobody asks that");
    asked.isAnswered = true;
    // Whoever waits for the machine's next words hears that nobody wants them.
    asked.over.signal.addEventListener("abort", () => call.destroy(), { once: true });
    return asked;
  }
}

async function writeTo({ asking, over }: Asked, content: Uint8Array): Promise<void> {
  if (content.length === 0 || asking.write({ content })) return;
  await once(asking, "drain", { signal: over.signal });
}

/** What a machine says goes to a terminal as it is: a code is one. */
function wordOf(code: string): string {
  return /^[a-z][a-z-]{1,40}$/.test(code) ? code : "refused";
}
