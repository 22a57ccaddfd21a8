import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { Clock } from "../../ports/clock.ts";
import { OperationError } from "../../ports/operation-error.ts";
import { systemClock } from "../system-clock.ts";
import type { DialEngine } from "./dial-engine.ts";
import { endpointText, parseHubAddress } from "./hub-address.ts";
import { HubRelay } from "./hub-relay.ts";

/** A hang fails by its own name. */
const LIMITED = { timeout: 20_000 };

interface FakeEngine {
  readonly port: number;
  /** What clients say to it and it says back is `name:` and their words, unless it is told otherwise. */
  onConnection: (socket: Socket) => void;
  connections: number;
  readonly sockets: Set<Socket>;
  stop(): void;
}

async function startEngine(t: TestContext, name: string): Promise<FakeEngine> {
  const sockets = new Set<Socket>();
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    engine.connections += 1;
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    engine.onConnection(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const engine: FakeEngine = {
    port: (server.address() as { port: number }).port,
    onConnection: (socket) => {
      socket.on("data", (bytes) => socket.write(`${name}:${bytes}`));
      socket.on("end", () => socket.end());
    },
    connections: 0,
    sockets,
    stop: () => {
      server.close();
      for (const socket of sockets) socket.resetAndDestroy();
    },
  };
  t.after(() => engine.stop());
  return engine;
}

/** Without TLS: the key of an engine is its port. */
const dialPlain: DialEngine = async ({ host, port }, signal) => {
  const stream = connect({ host, port, allowHalfOpen: true });
  try {
    await once(stream, "connect", { signal });
  } catch (error) {
    stream.destroy();
    throw new OperationError("engine-unreachable", String(error));
  }
  return { stream, key: String(port) };
};

interface World {
  readonly relay: HubRelay;
  readonly folder: string;
  /** Moves the relay's own clock; waits of the relay itself are real. */
  pass(milliseconds: number): void;
  say(words: string): Promise<string>;
  join(options?: { readonly allowHalfOpen: boolean }): Promise<Socket>;
}

async function relayTo(
  t: TestContext,
  engines: readonly { readonly port: number }[],
  dial: DialEngine = dialPlain,
  sleep: Clock["sleep"] = systemClock.sleep,
): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), "fleet-hub-"));
  let passedMs = 0;
  const address = parseHubAddress(`hub://${engines.map(({ port }) => `127.0.0.1:${port}`).join(",")}`);
  const clock = { wallMs: () => 0, monotonicMs: () => passedMs, sleep };
  const relay = await HubRelay.listen({ address, dial, clock, random: () => 0, folder, role: "test" });
  t.after(async () => {
    await relay.close();
    rmSync(folder, { recursive: true });
  });
  const joinIt = async ({ allowHalfOpen } = { allowHalfOpen: false }) => {
    const socket = connect({ path: relay.socketPath, allowHalfOpen });
    t.after(() => socket.destroy());
    socket.on("error", () => {});
    await once(socket, "connect");
    return socket;
  };
  return {
    relay,
    folder,
    pass: (milliseconds) => {
      passedMs += milliseconds;
    },
    join: joinIt,
    /** One connection, one question; "" where it ended without a word. */
    say: async (words) => {
      const socket = await joinIt();
      socket.write(words);
      const answer = await new Promise<string>((resolve) => {
        socket.once("data", (bytes) => resolve(String(bytes)));
        socket.once("close", () => resolve(""));
      });
      socket.destroy();
      return answer;
    },
  };
}

async function eventually(what: string, isSo: () => boolean): Promise<void> {
  const limit = performance.now() + 10_000;
  while (!isSo()) {
    assert.ok(performance.now() < limit, `in vain until ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test("bytes go both ways, to the engine that is used first, and the relay says which", LIMITED, async (t) => {
  const engines = [await startEngine(t, "a"), await startEngine(t, "b")];
  const { relay, join: joinIt } = await relayTo(t, engines);
  const socket = await joinIt();
  socket.write("hello");
  assert.equal(String((await once(socket, "data"))[0]), "a:hello");
  assert.equal(relay.state().engine, `127.0.0.1:${engines[0]!.port}`);
  assert.deepEqual(relay.state().failures, []);
});

test("the socket is this user's alone, and gone when the relay is closed", LIMITED, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "fleet-hub-"));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "agent-999999999.sock"), "");
  writeFileSync(join(folder, "agent-1.sock"), "");
  const address = parseHubAddress("hub://127.0.0.1");
  const options = { address, dial: dialPlain, clock: systemClock, random: Math.random };
  const relay = await HubRelay.listen({ ...options, folder, role: "agent" });
  assert.equal(statSync(relay.socketPath).mode & 0o777, 0o600);
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  const own = `agent-${process.pid}.sock`;
  assert.deepEqual(readdirSync(folder).sort(), ["agent-1.sock", own].sort(), "only what nobody uses any more goes");
  await relay.close();
  assert.equal(existsSync(relay.socketPath), false);
});

test(
  "when its engine dies the next connection is to another one, and stays there when the first is back",
  LIMITED,
  async (t) => {
    const engines = [await startEngine(t, "a"), await startEngine(t, "b")];
    const { say, join: joinIt, pass } = await relayTo(t, engines);
    const lost = await joinIt();
    lost.write("x");
    await once(lost, "data");
    engines[0]!.stop();
    await once(lost, "close");
    const kept = await joinIt();
    kept.write("1");
    assert.equal(String((await once(kept, "data"))[0]), "b:1");
    pass(60_000);
    assert.equal(await say("2"), "b:2");
  },
);

test("a client that gives up a silent engine is carried to another one", LIMITED, async (t) => {
  const engines = [await startEngine(t, "a"), await startEngine(t, "b")];
  engines[0]!.onConnection = (socket) => socket.resume();
  const { join: joinIt, say, relay } = await relayTo(t, engines);
  const silent = await joinIt();
  silent.write("anybody?");
  await eventually("it is carried", () => engines[0]!.connections === 1);
  silent.destroy();
  await eventually("the relay has heard", () => relay.state().engine === null);
  assert.equal(await say("1"), "b:1");
});

test("a client that closes because it had nothing to say for long has given nobody up", LIMITED, async (t) => {
  const engines = [await startEngine(t, "a"), await startEngine(t, "b")];
  const { join: joinIt, relay, pass } = await relayTo(t, engines);
  for (const [idleMs, next] of [
    [31_000, "a:"],
    [20_000, "b:"],
  ] as const) {
    const client = await joinIt();
    client.write("1");
    assert.equal(String((await once(client, "data"))[0]), "a:1");
    pass(idleMs);
    client.write("farewell");
    assert.equal(String((await once(client, "data"))[0]), "a:farewell");
    client.destroy();
    await eventually("the relay has heard", () => relay.state().engine === null);
    const asked = await joinIt();
    asked.write("2");
    assert.equal(String((await once(asked, "data"))[0]), `${next}2`);
    pass(31_000);
    asked.destroy();
    await eventually("the relay has heard", () => relay.state().engine === null);
  }
});

test("an engine that refuses is left alone for a while, though its clients ask again at once", LIMITED, async (t) => {
  let dials = 0;
  const refuse: DialEngine = async () => {
    dials += 1;
    throw new OperationError("unlisted-key", "its key is not listed");
  };
  const { say, pass, relay } = await relayTo(t, [{ port: 1 }], refuse);
  for (let attempt = 0; attempt < 20; attempt++) assert.equal(await say("x"), "");
  assert.equal(dials, 1);
  pass(125);
  for (let attempt = 0; attempt < 20; attempt++) await say("x");
  assert.equal(dials, 2);
  assert.deepEqual(
    relay.state().failures.map(({ engine, code }) => `${engine} ${code}`),
    ["127.0.0.1:1 unlisted-key"],
  );
  assert.equal(relay.state().engine, null);
});

test("an engine that takes connections and ends them without a word counts as one that failed", LIMITED, async (t) => {
  const engine = await startEngine(t, "a");
  engine.onConnection = (socket) => socket.end();
  const { say, relay } = await relayTo(t, [engine]);
  for (let attempt = 0; attempt < 5; attempt++) assert.equal(await say("x"), "");
  assert.equal(engine.connections, 1);
  assert.equal(relay.state().failures[0]?.code, "engine-dropped");
});

test(
  "beside an engine that does not answer the next one is dialled, and the first attempt is dropped",
  LIMITED,
  async (t) => {
    const b = await startEngine(t, "b");
    let isDropped = false;
    const dial: DialEngine = async (endpoint, signal) => {
      if (endpoint.port === b.port) return dialPlain(endpoint, signal);
      await once(signal, "abort");
      isDropped = true;
      throw new Error("aborted");
    };
    const soon: Clock["sleep"] = (milliseconds, signal) => systemClock.sleep(milliseconds / 20, signal);
    const { say, relay } = await relayTo(t, [{ port: 1 }, b], dial, soon);
    assert.equal(await say("1"), "b:1");
    assert.equal(isDropped, true);
    assert.deepEqual(relay.state().failures, [], "an attempt that was dropped is no failure");
  },
);

test(
  "a link that is cut every few kilobytes carries what it can each time, and never waits to be dialled",
  LIMITED,
  async (t) => {
    const engine = await startEngine(t, "a");
    engine.onConnection = (socket) => {
      socket.write("b".repeat(5_000));
      socket.once("data", () => socket.resetAndDestroy());
    };
    const { join: joinIt, relay } = await relayTo(t, [engine]);
    for (let cut = 0; cut < 25; cut++) {
      const socket = await joinIt();
      await once(socket, "data");
      socket.write("more");
      await once(socket, "close");
    }
    assert.equal(engine.connections, 25);
    assert.deepEqual(relay.state().failures, []);
  },
);

test("a reader that does not read holds the writer up, in both directions, and nothing is lost", LIMITED, async (t) => {
  const bytes = Buffer.alloc(8 * 1024 * 1024, "x");
  for (const towards of ["client", "engine"] as const) {
    const engine = await startEngine(t, "a");
    const accepted = new Promise<Socket>((resolve) => {
      engine.onConnection = resolve;
    });
    const { join: joinIt } = await relayTo(t, [engine]);
    const client = await joinIt();
    const socket = await accepted;
    const [writer, reader] = towards === "client" ? [socket, client] : [client, socket];
    writer.write(bytes);
    let before = -1;
    // What the kernel and the relay hold of it ends somewhere, well before all of it.
    await eventually("the writer is held up", () => {
      const isSame = before === writer.writableLength;
      before = writer.writableLength;
      return isSame && writer.writableNeedDrain;
    });
    assert.ok(writer.writableLength > 0);
    let read = 0;
    reader.on("data", (chunk: Buffer) => {
      read += chunk.length;
    });
    await eventually("all of it is read", () => read === bytes.length);
  }
});

test(
  "one side that ends is told to the other, which may say its last words; then nothing is open",
  LIMITED,
  async (t) => {
    const engine = await startEngine(t, "a");
    const heard: string[] = [];
    engine.onConnection = (socket) => {
      socket.on("data", (bytes) => heard.push(String(bytes)));
      socket.on("end", () => socket.end("goodbye"));
    };
    const { join: joinIt, relay } = await relayTo(t, [engine]);
    const socket = await joinIt({ allowHalfOpen: true });
    socket.end("that is all");
    assert.equal(String((await once(socket, "data"))[0]), "goodbye");
    await eventually("nothing is open", () => engine.sockets.size === 0 && relay.state().engine === null);
    assert.deepEqual(heard, ["that is all"]);
  },
);

test("a side that never ends after the other has is ended", LIMITED, async (t) => {
  const engine = await startEngine(t, "a");
  const ended: Promise<unknown>[] = [];
  engine.onConnection = (socket) => {
    ended.push(once(socket, "end"));
    socket.write("x");
    socket.resume();
  };
  const soon: Clock["sleep"] = (milliseconds, signal) => systemClock.sleep(milliseconds / 100, signal);
  const { join: joinIt } = await relayTo(t, [engine], dialPlain, soon);
  const socket = await joinIt({ allowHalfOpen: true });
  socket.resume();
  await once(socket, "data");
  socket.end();
  await once(socket, "close");
  await Promise.all(ended);
});

test(
  "engines whose key is not accepted any more are left at once, the others are not disturbed",
  LIMITED,
  async (t) => {
    const engines = [await startEngine(t, "a"), await startEngine(t, "b")];
    const dialed = new Set<string>();
    const dial: DialEngine = async (endpoint, signal) => {
      dialed.add(endpointText(endpoint));
      return dialPlain(endpoint, signal);
    };
    const { relay, join: joinIt } = await relayTo(t, engines, dial);
    const socket = await joinIt();
    socket.write("1");
    await once(socket, "data");
    relay.keepOnly(new Set([String(engines[0]!.port)]));
    socket.write("2");
    assert.equal(String((await once(socket, "data"))[0]), "a:2");
    relay.keepOnly(new Set([String(engines[1]!.port)]));
    await once(socket, "close");
    assert.deepEqual([...dialed], [`127.0.0.1:${engines[0]!.port}`]);
  },
);

test("each engine can be tried, also one that has to wait and one that nobody needs", LIMITED, async (t) => {
  const engine = await startEngine(t, "a");
  const { relay, say } = await relayTo(t, [{ port: 1 }, engine, { port: 2 }]);
  assert.equal(await say("x"), "a:x");
  await relay.tryAll();
  assert.deepEqual(
    relay.state().failures.map((failure) => `${failure.engine} ${failure.code}`),
    ["127.0.0.1:1 engine-unreachable", "127.0.0.1:2 engine-unreachable"],
  );
  await eventually("what was tried is ended", () => engine.sockets.size === 0);
});

test("closing it ends what is carried and what is being dialled", LIMITED, async (t) => {
  const engine = await startEngine(t, "a");
  const dial: DialEngine = async (endpoint, signal) => {
    if (engine.connections === 0) return dialPlain(endpoint, signal);
    await once(signal, "abort");
    throw new Error("aborted");
  };
  const { relay, join: joinIt } = await relayTo(t, [engine], dial);
  const carried = await joinIt();
  carried.write("x");
  await once(carried, "data");
  const waiting = await joinIt();
  const ended = Promise.all([once(carried, "close"), once(waiting, "close")]);
  for (const socket of [carried, waiting]) socket.resume();
  await relay.close();
  await ended;
  await eventually("the engine's side is ended too", () => engine.sockets.size === 0);
});
