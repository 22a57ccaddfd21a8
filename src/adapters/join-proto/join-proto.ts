import type { MethodDefinition } from "@grpc/grpc-js";

/**
 * `fleet.Join`: how machines come in and go. Messages are records of our own (src/codec/join-message.ts) as text: a few a machine's life, and
 * a newer fleet may add to them what an older one passes over.
 */
export const JOIN_METHODS = { Hello: method("Hello"), Enrol: method("Enrol"), Leave: method("Leave") };

function method(name: string): MethodDefinition<string, string> {
  const [encode, decode] = [(text: string) => Buffer.from(text, "utf8"), (bytes: Buffer) => bytes.toString("utf8")];
  return {
    path: `/fleet.Join/${name}`,
    requestStream: false,
    responseStream: false,
    requestSerialize: encode,
    requestDeserialize: decode,
    responseSerialize: encode,
    responseDeserialize: decode,
  };
}
