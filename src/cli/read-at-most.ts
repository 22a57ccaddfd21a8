import { createReadStream } from "node:fs";
import { diskError } from "../adapters/files/disk-error.ts";
import { OperationError } from "../ports/operation-error.ts";

/** Bytes of a stream, and no more than one beyond the limit: whoever reads them sees that there are too many. Rejects as the stream does. */
export async function bytesOf(stream: AsyncIterable<Buffer>, bytesMax: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of stream) {
    parts.push(part);
    bytes += part.length;
    if (bytes > bytesMax) break;
  }
  return Buffer.concat(parts).subarray(0, bytesMax + 1);
}

/** A file that somebody named, whatever it is. Rejects with OperationError as the disk says, or `file-too-large`. */
export async function readAtMost(path: string, bytesMax: number): Promise<Buffer> {
  const content = await bytesOf(createReadStream(path), bytesMax).catch((error: unknown) => {
    throw diskError("read", path, error);
  });
  if (content.length <= bytesMax) return content;
  throw new OperationError("file-too-large", `${path} has more than ${bytesMax} bytes`);
}
