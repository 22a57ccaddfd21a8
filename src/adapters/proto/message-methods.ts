import type { MethodDefinition } from "@grpc/grpc-js";
import type { Root } from "protobufjs/light.js";

interface Streams {
  readonly requestStream?: boolean;
  readonly responseStream?: boolean;
}

/** Names the methods of one of fleet's own gRPC services, whose messages are of the types the caller names: they need no conversion first. */
export function messageMethods(service: string, root: Root) {
  const encode = (type: string, message: object) => Buffer.from(root.lookupType(type).encode(message).finish());
  const decode = (name: string, bytes: Buffer): object => {
    const type = root.lookupType(name);
    return type.toObject(type.decode(bytes), { defaults: true, arrays: true });
  };
  return <Request extends object, Answer extends object>(
    name: string,
    request: string,
    answer: string,
    { requestStream = false, responseStream = false }: Streams = {},
  ): MethodDefinition<Request, Answer> => ({
    path: `/${service}/${name}`,
    requestStream,
    responseStream,
    requestSerialize: (message) => encode(request, message),
    requestDeserialize: (bytes) => decode(request, bytes) as Request,
    responseSerialize: (message) => encode(answer, message),
    responseDeserialize: (bytes) => decode(answer, bytes) as Answer,
  });
}
