import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { MachineHealthProbe } from "../../src/adapters/health/machine-health-probe.ts";
import { MemoryHealthProbe } from "../../src/adapters/memory/memory-health-probe.ts";
import { type HealthWorld, healthProbeContract, type Listener } from "./health-probe.contract.ts";

healthProbeContract("memory", async () => {
  const probe = new MemoryHealthProbe();
  let ports = 0;
  return {
    probe,
    async listen(listener) {
      const port = ++ports;
      probe.answers.set(`http://127.0.0.1:${port}/healthz`, overHttp(listener));
      probe.answers.set(`tcp://127.0.0.1:${port}`, listener === "nobody" ? "nobody listens there" : null);
      return port;
    },
    async close() {},
  };
});

function overHttp(listener: Listener): string | null {
  switch (listener) {
    case "silent":
      return "no answer within 3 s";
    case "endless":
      return "an answer without end";
    case "not-http":
      return "no answer of HTTP";
    case "nobody":
      return "nobody listens there";
    default:
      return listener.status < 400 ? null : `HTTP status ${listener.status}`;
  }
}

healthProbeContract("this machine", async (): Promise<HealthWorld> => {
  const servers: Server[] = [];
  const sockets: Socket[] = [];
  const runner = { run: async () => assert.fail("nothing is run"), close() {} };
  return {
    probe: new MachineHealthProbe(runner),
    async listen(listener) {
      const server = createServer((socket) => {
        sockets.push(socket);
        // Whoever has asked enough goes away in the midst of it.
        socket.on("error", () => socket.destroy());
        socket.once("data", () => void answer(socket, listener));
      });
      servers.push(server);
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      const address = server.address();
      assert.ok(address !== null && typeof address === "object");
      if (listener === "nobody") server.close();
      return address.port;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      for (const server of servers) server.close();
    },
  };
});

async function answer(socket: Socket, listener: Listener): Promise<void> {
  if (listener === "not-http") socket.end("220 mail.example ESMTP\r\n");
  else if (listener === "endless")
    socket.write(`HTTP/1.1 200 OK\r\n${"X-Filler: all work and no play\r\n".repeat(2_000)}`);
  else if (typeof listener === "object") {
    // A body without end: nobody reads it.
    const location = listener.status === 302 ? "Location: http://127.0.0.1:1/\r\n" : "";
    socket.write(`HTTP/1.1 ${listener.status} Words\r\n${location}\r\n${"x".repeat(100_000)}`);
  }
}
