import {
  Client,
  type ClientReadableStream,
  type ClientWritableStream,
  credentials,
  type ServiceError,
} from "@grpc/grpc-js";
import { err, type Log } from "../../ports/log.ts";
import { OperationError } from "../../ports/operation-error.ts";
import type { Answerer, ReachLine } from "../../ports/reach.ts";
import { type AnswerPart, type Call, PART_BYTES_MAX, REACH_METHODS, refusalFrom } from "../reach-proto/reach-proto.ts";

/** People who read at once; one more is told to come back. */
const ANSWERS_MAX = 8;

export const REACH_CHANNEL_OPTIONS = {
  "grpc.enable_retries": 0,
  "grpc.use_local_subchannel_pool": 1,
  "grpc.max_receive_message_length": 4 * PART_BYTES_MAX,
  "grpc.service_config_disable_resolution": 1,
  "grpc.enable_http_proxy": 0,
  // An engine that is gone without a word is noticed within half a minute, and another one served.
  "grpc.keepalive_time_ms": 20_000,
  "grpc.keepalive_timeout_ms": 10_000,
} as const;

/** Through the relay's socket (`unix:/path`) to whichever engine it leads to. */
export class EngineLine implements ReachLine {
  readonly #target: string;
  readonly #log: Log;

  constructor(target: string, log: Log) {
    this.#target = target;
    this.#log = log;
  }

  async serve(answer: Answerer, signal: AbortSignal): Promise<void> {
    const client = new Client(this.#target, credentials.createInsecure(), REACH_CHANNEL_OPTIONS);
    const over = new AbortController();
    const both = AbortSignal.any([signal, over.signal]);
    let answers = 0;
    try {
      const { path, requestSerialize, responseDeserialize } = REACH_METHODS.Serve;
      const calls: ClientReadableStream<Call> = client.makeServerStreamRequest(
        path,
        requestSerialize,
        responseDeserialize,
        {},
      );
      both.addEventListener("abort", () => calls.cancel(), { once: true });
      for await (const call of calls as AsyncIterable<Call>) {
        answers += 1;
        const told = answers > ANSWERS_MAX ? busy : answer;
        void answerOne(client, call, told, this.#log, both).finally(() => {
          answers -= 1;
        });
      }
      throw new OperationError("engine-lost", "the engine ended the connection for journals");
    } catch (error) {
      if (signal.aborted) return;
      throw error instanceof OperationError ? error : refusalFrom(error as ServiceError);
    } finally {
      over.abort();
      client.close();
    }
  }
}

// biome-ignore lint/correctness/useYield: it only refuses.
async function* busy(): AsyncGenerator<Uint8Array> {
  throw new OperationError("machine-busy", `${ANSWERS_MAX} answers are under way on this machine`, {
    next: "try again when one has ended",
  });
}

/** Never rejects: whoever asked is told, and this machine goes on. */
async function answerOne(
  client: Client,
  { id, text, signature }: Call,
  answer: Answerer,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  const ended = new AbortController();
  const both = AbortSignal.any([signal, ended.signal]);
  const { path, requestSerialize, responseDeserialize } = REACH_METHODS.Answer;
  const call: ClientWritableStream<AnswerPart> = client.makeClientStreamRequest(
    path,
    requestSerialize,
    responseDeserialize,
    // Told whether it all arrived, or that nobody reads it any more: the same to us.
    () => ended.abort(),
  );
  call.on("error", () => ended.abort());
  both.addEventListener("abort", () => call.cancel(), { once: true });
  try {
    for await (const content of answer({ text, signature }, both)) {
      for (let start = 0; start < content.length && !both.aborted; start += PART_BYTES_MAX) {
        await write(call, { id, content: content.subarray(start, start + PART_BYTES_MAX), ...MORE }, both);
      }
      if (both.aborted) return;
    }
    if (!both.aborted) await write(call, { id, content: NOTHING, isLast: true, refusal: null }, both);
  } catch (error) {
    if (both.aborted) return;
    if (!(error instanceof OperationError))
      log(err(`an answer failed by a mistake of fleet: ${(error as Error).stack}`));
    const { code, message, next = "" } = error instanceof OperationError ? error : MISTAKE;
    await write(call, { id, content: NOTHING, isLast: true, refusal: { code, message, next } }, both);
  } finally {
    if (!both.aborted) call.end();
  }
}

const NOTHING = new Uint8Array();
const MORE = { isLast: false, refusal: null };
const MISTAKE = new OperationError("agent-mistake", "the agent made a mistake; its log says which");

/** Waits until what was written before is on its way. */
function write(call: ClientWritableStream<AnswerPart>, part: AnswerPart, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted || call.write(part)) return resolve();
    const go = () => {
      call.off("drain", go);
      signal.removeEventListener("abort", go);
      resolve();
    };
    call.once("drain", go);
    signal.addEventListener("abort", go, { once: true });
  });
}
