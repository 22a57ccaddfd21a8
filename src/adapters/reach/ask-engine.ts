import { Client, credentials, type ServiceError } from "@grpc/grpc-js";
import { OperationError } from "../../ports/operation-error.ts";
import { type AskPart, type AskRequest, REACH_METHODS, refusalFrom } from "../reach-proto/reach-proto.ts";
import { REACH_CHANNEL_OPTIONS } from "./engine-line.ts";

/**
 * Asks a machine something through the engine behind that target (`unix:/path` of a relay), and hands its answer on, piece by piece, as fast
 * as it is taken. Rejects with OperationError: what the machine or the engine refused with, or `engine-lost`.
 */
export async function* askEngine(
  target: string,
  request: AskRequest,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  const client = new Client(target, credentials.createInsecure(), REACH_CHANNEL_OPTIONS);
  try {
    const { path, requestSerialize, responseDeserialize } = REACH_METHODS.Ask;
    const call = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request);
    signal.addEventListener("abort", () => call.cancel(), { once: true });
    for await (const { content } of call as AsyncIterable<AskPart>) yield content;
  } catch (error) {
    if (signal.aborted) return;
    throw error instanceof OperationError ? error : refusalFrom(error as ServiceError);
  } finally {
    client.close();
  }
}
