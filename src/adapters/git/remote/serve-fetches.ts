import type { Readable, Writable } from "node:stream";
import { OperationError } from "../../../ports/operation-error.ts";
import { readFrames, writeFrame } from "./fetch-frames.ts";
import { localFetcher, type Remote } from "./fetcher.ts";
import type { TalkLimits } from "./http-conversation.ts";
import type { PackLimits } from "./index-pack.ts";
import type { PackRequest } from "./upload-pack.ts";

export type FetchQuestion =
  | {
      readonly id: number;
      readonly op: "refs";
      readonly remote: Remote;
      readonly prefix: string;
      readonly limits: TalkLimits;
    }
  | {
      readonly id: number;
      readonly op: "pack";
      readonly remote: Remote;
      readonly request: PackRequest;
      readonly limits: TalkLimits & PackLimits;
    };

/** The fetching child's whole life: it answers until nobody asks any more. */
export async function serveFetches(input: Readable, output: Writable): Promise<void> {
  // Whoever asked is gone.
  output.on("error", () => process.exit(0));
  for await (const { value } of readFrames(input, 0)) void answer(value as FetchQuestion, output);
}

async function answer(question: FetchQuestion, output: Writable): Promise<void> {
  const { id } = question;
  try {
    if (question.op === "refs") {
      const refs = await localFetcher.refs(question.remote, question.prefix, question.limits);
      return await writeFrame(output, { id, refs });
    }
    const fetched = await localFetcher.pack(question.remote, question.request, question.limits);
    if (fetched === null) return await writeFrame(output, { id, none: true });
    const { pack, index, ...rest } = fetched;
    await writeFrame(output, { id, ...rest }, [pack, index]);
  } catch (error) {
    await writeFrame(output, { id, error: problemOf(error) });
  }
}

/** What went wrong, without the causes below it: they may quote what a server said. */
function problemOf(error: unknown): { code: string; message: string; next: string | null } {
  if (error instanceof OperationError) return { code: error.code, message: error.message, next: error.next ?? null };
  const kind = error instanceof Error ? error.name : "something";
  return { code: "fetch-failed", message: `the fetching process failed with ${kind}`, next: null };
}
