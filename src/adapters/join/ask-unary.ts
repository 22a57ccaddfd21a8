import { type ClientHttp2Session, constants, type IncomingHttpHeaders } from "node:http2";
import { OperationError } from "../../ports/operation-error.ts";

export interface UnaryAsk {
  /** Such as `/fleet.Join/Hello`. */
  readonly path: string;
  readonly message: Buffer;
  readonly answerBytesMax: number;
  readonly timeoutMs: number;
}

/** gRPC's frame: not compressed, then the length. */
const FRAME_BYTES = 5;

/**
 * One call of gRPC over an HTTP/2 session that stands already: grpc-js dials by itself, and these connections are judged before anything is
 * sent on them. Rejects with OperationError: the refusal's own code where the other side said `code: message`, else `engine-answer`.
 */
export function askUnary(
  session: ClientHttp2Session,
  { path, message, answerBytesMax, timeoutMs }: UnaryAsk,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const stream = session.request({
      [constants.HTTP2_HEADER_METHOD]: "POST",
      [constants.HTTP2_HEADER_PATH]: path,
      [constants.HTTP2_HEADER_CONTENT_TYPE]: "application/grpc",
      te: "trailers",
    });
    const chunks: Buffer[] = [];
    let length = 0;
    let said: IncomingHttpHeaders = {};
    const fail = (error: OperationError) => {
      reject(error);
      stream.close(constants.NGHTTP2_CANCEL);
    };
    const timer = setTimeout(
      () => fail(new OperationError("engine-timeout", `no answer in ${timeoutMs} ms`)),
      timeoutMs,
    );
    // Refused at once, gRPC says so in the headers; else in what comes after the answer.
    const hear = (headers: IncomingHttpHeaders) => {
      said = { ...said, ...headers };
    };
    stream.on("response", hear).on("trailers", hear);
    stream.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      length += chunk.length;
      if (length > answerBytesMax + FRAME_BYTES) fail(answerError("it is too long"));
    });
    stream.on("error", (cause) => reject(new OperationError("engine-answer", "the call was cut off", { cause })));
    stream.on("close", () => {
      clearTimeout(timer);
      reject(new OperationError("engine-answer", "the connection closed before an answer"));
    });
    stream.on("end", () => {
      const refused = refusalOf(said);
      if (refused !== null) return reject(refused);
      const answer = Buffer.concat(chunks);
      const isWhole =
        answer.length >= FRAME_BYTES && answer[0] === 0 && answer.readUInt32BE(1) === answer.length - FRAME_BYTES;
      if (isWhole) resolve(answer.subarray(FRAME_BYTES));
      else reject(answerError("it is not whole"));
    });
    const frame = Buffer.alloc(FRAME_BYTES);
    frame.writeUInt32BE(message.length, 1);
    stream.end(Buffer.concat([frame, message]));
  });
}

function refusalOf(said: IncomingHttpHeaders): OperationError | null {
  const code = said["grpc-status"];
  if (code === "0") return null;
  if (code === undefined) return new OperationError("engine-answer", "the connection ended before an answer");
  const text = unescaped(String(said["grpc-message"] ?? "it said nothing more"));
  const next = nextOf(said["fleet-next-bin"]);
  const [, own, message] = /^([a-z][a-z-]{2,40}): (.*)$/s.exec(text) ?? [];
  if (own !== undefined && message !== undefined) return new OperationError(own, message, next);
  return new OperationError("engine-answer", `the engine refused (status ${String(code)}): ${text}`, next);
}

function nextOf(header: string | string[] | undefined): { readonly next?: string } {
  return typeof header === "string" ? { next: Buffer.from(header, "base64").toString("utf8").slice(0, 500) } : {};
}

/** As gRPC writes texts into headers: percent signs. */
function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // Somebody else's way of writing; better than nothing.
  }
}

function answerError(why: string): OperationError {
  return new OperationError("engine-answer", `the engine's answer cannot be read: ${why}`, {
    next: "install one version of fleet on both",
  });
}
