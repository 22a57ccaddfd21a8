import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import { Server, ServerCredentials, type ServiceDefinition, type UntypedServiceImplementation } from "@grpc/grpc-js";
import { plainStream } from "../join/plain-stream.ts";

/** etcd's own limit of a request, and its overhead. */
const MESSAGE_BYTES_MAX = 2 * 1024 * 1024;
/** Calls and watches of one connection: an agent has eleven watches on one, and a call or two on another. */
const STREAMS_PER_CONNECTION_MAX = 128;

const SERVER_OPTIONS = {
  "grpc.max_receive_message_length": MESSAGE_BYTES_MAX,
  "grpc.max_send_message_length": -1,
  "grpc.max_concurrent_streams": STREAMS_PER_CONNECTION_MAX,
  // A machine that is gone without a word is noticed after 30 s, as it is by its lease.
  "grpc.keepalive_time_ms": 20_000,
  "grpc.keepalive_timeout_ms": 10_000,
  "grpc.enable_channelz": 0,
} as const;

export interface FrontService {
  readonly methods: ServiceDefinition;
  readonly handlers: UntypedServiceImplementation;
}

/**
 * Serves these on a connection of which not a byte has been read, until it ends. A server for each connection, of 12 KB, because its
 * handlers must know who asks, and gRPC tells a handler nothing of the connection its call came by.
 */
export function serveConnection(socket: Duplex, services: readonly FrontService[]): void {
  const server = new Server(SERVER_OPTIONS);
  for (const { methods, handlers } of services) server.addService(methods, handlers);
  socket.once("close", () => server.forceShutdown());
  // Ends of every kind are followed by 'close'.
  socket.on("error", () => {});
  // Given TLS with a greeting still on its way out, Node's HTTP/2 ends the process (an assertion of node_http2.cc, Node 24.21).
  const stream = socket instanceof TLSSocket ? plainStream(socket) : socket;
  server.createConnectionInjector(ServerCredentials.createInsecure()).injectConnection(stream);
}
