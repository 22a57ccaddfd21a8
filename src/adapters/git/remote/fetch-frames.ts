import type { Readable, Writable } from "node:stream";

/** A message between a daemon and its fetching child: a value as JSON, and bytes. */
export interface Frame {
  readonly value: unknown;
  readonly blobs: readonly Buffer[];
}

const BLOBS_MAX = 2;
/** Lengths in front: of the value, then of each blob. */
const HEAD_BYTES = 4 * (1 + BLOBS_MAX);
const VALUE_BYTES_MAX = 64 * 1024 * 1024;

/** Resolves when there is room for more. */
export async function writeFrame(output: Writable, value: unknown, blobs: readonly Buffer[] = []): Promise<void> {
  const text = Buffer.from(JSON.stringify(value));
  const head = Buffer.alloc(HEAD_BYTES);
  for (const [at, part] of [text, ...blobs].entries()) head.writeUInt32BE(part.length, at * 4);
  output.cork();
  let hasRoom = true;
  for (const part of [head, text, ...blobs]) hasRoom = output.write(part);
  output.uncork();
  if (!hasRoom) await new Promise<void>((resolve) => output.once("drain", resolve).once("close", resolve));
}

/** Frames as they arrive. Rejects with an Error where one is larger than allowed or cut short: the other side is not what it should be. */
export async function* readFrames(input: Readable, blobBytesMax: number): AsyncGenerator<Frame> {
  let parts: Buffer[] = [];
  let length = 0;
  let sizes: number[] | null = null;
  for await (const chunk of input) {
    parts.push(chunk as Buffer);
    length += (chunk as Buffer).length;
    for (;;) {
      if (sizes === null && length >= HEAD_BYTES) {
        const joined = Buffer.concat(parts);
        sizes = sizesIn(joined, blobBytesMax);
        parts = [joined.subarray(HEAD_BYTES)];
        length -= HEAD_BYTES;
      }
      const wanted = sizes?.reduce((sum, size) => sum + size, 0);
      if (wanted === undefined || length < wanted) break;
      const joined = Buffer.concat(parts);
      yield frameOf(joined, sizes!);
      parts = [joined.subarray(wanted)];
      length -= wanted;
      sizes = null;
    }
  }
  if (length > 0 || sizes !== null) throw new Error("the other side ended within a message");
}

function sizesIn(head: Buffer, blobBytesMax: number): number[] {
  const sizes = Array.from({ length: 1 + BLOBS_MAX }, (_, at) => head.readUInt32BE(at * 4));
  if (sizes[0]! > VALUE_BYTES_MAX || sizes.slice(1).some((size) => size > blobBytesMax))
    throw new Error("a message is larger than any may be");
  return sizes;
}

function frameOf(bytes: Buffer, [text, ...blobs]: number[]): Frame {
  let at = text!;
  return {
    value: JSON.parse(bytes.toString("utf8", 0, at)),
    blobs: blobs.map((size) => {
      at += size;
      return bytes.subarray(at - size, at);
    }),
  };
}
