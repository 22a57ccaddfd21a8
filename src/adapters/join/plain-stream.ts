import { type Duplex, duplexPair } from "node:stream";

/**
 * A socket's bytes as a stream that is no socket. Node's HTTP/2 reads a socket below its stream, where what came right behind a greeting is not
 * any more, and its server turns TLS away that has not negotiated HTTP/2 by ALPN. Each ends with the other.
 */
export function plainStream(socket: Duplex): Duplex {
  const [near, far] = duplexPair();
  socket.pipe(far).pipe(socket);
  socket.on("error", () => near.destroy());
  socket.once("close", () => near.destroy());
  near.on("error", () => socket.destroy());
  near.once("close", () => socket.destroy());
  return near;
}
