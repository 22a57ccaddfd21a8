/** The engine's HTTP API among clients that mean no good: row 94 of the faults (Slowloris, idle connections), and pokes in a row. */
import assert from "node:assert/strict";
import { existsSync, statSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { after, before, test } from "node:test";
import { systemClock } from "../../src/adapters/system-clock.ts";
import { decodeSyncAsk, encodeSyncAnswer, type SyncAnswer } from "../../src/codec/sync-record.ts";
import { ApiWorld } from "../api-world.ts";

const FILES = {
  "fleet.yaml": "apiVersion: fleet/v1\ncluster: prod\nadmit: any\nrelease: { by: sync }\n",
  "units/a.service": "[Service]\nExecStart=/bin/a\n",
};
const world = new ApiWorld();
const stop = new AbortController();

before(async () => {
  await world.join("m1");
  await world.release(FILES);
  await world.serve();
});
after(async () => {
  stop.abort();
  await world.stop();
});

const open = (): Promise<Socket> =>
  new Promise((resolve) => {
    const socket = connect(world.socket, () => resolve(socket));
    socket.on("error", () => socket.destroy());
  });

test("of two hundred idle connections most are ended at once, and when they are gone others are answered", async () => {
  const sockets = await Promise.all(Array.from({ length: 200 }, open));
  const isOpen = () => sockets.filter((socket) => !socket.destroyed && !socket.readableEnded).length;
  for (const socket of sockets) socket.resume();
  for (let looks = 0; isOpen() > 64 && looks < 400; looks++) await systemClock.sleep(5);
  assert.ok(isOpen() <= 64, `${isOpen()} are open`);
  for (const socket of sockets) socket.destroy();
  for (let looks = 0; looks < 100; looks++) {
    const answer = await world.get("/healthz").catch(() => null);
    if (answer?.status === 200) return;
    await systemClock.sleep(10);
  }
  assert.fail("nobody is answered any more");
});

test("a body is thrown away, and one that does not end ends the connection", async () => {
  const socket = await open();
  let closed = false;
  socket.once("close", () => {
    closed = true;
  });
  socket.resume();
  socket.write("POST /fleet/v1/units HTTP/1.1\r\nHost: fleet\r\nContent-Length: 100000000\r\n\r\n");
  const chunk = Buffer.alloc(32_768);
  for (let sent = 0; sent < 400 && !closed; sent++) {
    if (!socket.destroyed) socket.write(chunk);
    await systemClock.sleep(2);
  }
  assert.equal(closed, true);
});

/** Of a client that never reads what it is sent. */
async function listener(): Promise<Socket> {
  const socket = await open();
  socket.pause();
  socket.write("GET /v1/events HTTP/1.1\r\nHost: fleet\r\n\r\n");
  return socket;
}

test("sixteen listen to events, and one more is told to come again; when they have gone there is room", async () => {
  const sockets = await Promise.all(Array.from({ length: 16 }, listener));
  const full = async () => {
    const socket = await open();
    socket.setEncoding("utf8");
    socket.write("GET /v1/events HTTP/1.1\r\nHost: fleet\r\n\r\n");
    const head = await new Promise<string>((resolve) => socket.once("data", (text) => resolve(String(text))));
    socket.destroy();
    return head.startsWith("HTTP/1.1 503") && /retry-after: 60/i.test(head);
  };
  let isFull = false;
  for (let looks = 0; !isFull && looks < 200; looks++) isFull = await full();
  assert.ok(isFull);
  for (const socket of sockets) socket.destroy();
  for (let looks = 0; isFull && looks < 200; looks++) isFull = await full();
  assert.equal(isFull, false);
});

test("a client of events that does not read is cut off, and one that reads goes on hearing", async () => {
  const idle = await listener();
  const keen = await listener();
  let heard = 0;
  keen.on("data", (chunk: Buffer) => {
    heard += chunk.length;
  });
  keen.resume();
  for (let looks = 0; heard === 0 && looks < 400; looks++) await systemClock.sleep(10);
  const isCut = () => idle.destroyed || idle.readableEnded;
  const ROUNDS = 6;
  const BYTES = 400_000;
  for (let round = 1; round <= ROUNDS; round++) {
    await world.says("m1", "a.service", { sub: `${round}${"x".repeat(BYTES)}` });
    for (let looks = 0; heard < round * BYTES && looks < 400; looks++) await systemClock.sleep(10);
    assert.ok(heard >= round * BYTES, "who reads hears each");
  }
  idle.resume();
  for (let looks = 0; !isCut() && looks < 100; looks++) await systemClock.sleep(10);
  assert.equal(isCut(), true);
  assert.equal(keen.destroyed, false);
  keen.destroy();
});

test("the plan of the branch's tip says what it would change, or why it cannot be planned; many who ask are one question", async () => {
  const pushed = async (unit: string) => {
    world.repository.push("main", { ...FILES, "units/b.service": unit }, unit);
    // Another picture, so that nobody is told the plan of a moment ago.
    await world.says("m1", "a.service", { sub: unit });
    const shown = async () => JSON.stringify((await world.get("/v1/status")).json()).includes(JSON.stringify(unit));
    for (let looks = 0; !(await shown()) && looks < 200; looks++) await systemClock.sleep(5);
  };
  const planned = async (unit: string) => {
    await pushed(unit);
    return world.get("/v1/plan/branch");
  };
  const { changes } = (await planned("[Service]\nExecStart=/bin/b\n")).json<{
    changes: { action: string; unit: string }[];
  }>();
  assert.deepEqual(
    changes.map(({ action, unit }) => [action, unit]),
    [["add", "b.service"]],
  );
  const refused = await planned("[Service\n");
  assert.equal(refused.status, 409);
  assert.match(refused.text, /units\/b\.service:1: /);
  let fetched = 0;
  const { fetch } = world.source;
  world.source.fetch = (...words: Parameters<typeof fetch>) => {
    fetched += 1;
    return fetch.apply(world.source, words);
  };
  await pushed("[Service]\nExecStart=/bin/c\n");
  await Promise.all(Array.from({ length: 5 }, () => world.get("/v1/plan/branch")));
  assert.equal(fetched, 1);
  world.source.fetch = fetch;
});

test("a poke asks as fleet sync now does and tells what came of it; one that comes at once after is put off", async () => {
  const answering = answerAsLeader({ kind: "released", commit: "c".repeat(40) as never, seq: 2 });
  const first = await world.send("POST", "/v1/sync?timeout=5s", '{"ref":"refs/heads/main"}');
  await answering;
  assert.equal(first.status, 200, first.text);
  const { kind, seq } = first.json<SyncAnswer>();
  assert.deepEqual([kind, seq], ["released", 2]);
  const again = await world.send("POST", "/v1/sync");
  assert.deepEqual([again.status, again.headers["retry-after"]], [429, "1"]);
  const bad = await world.send("POST", "/v1/sync?timeout=1h");
  assert.equal(bad.status, 400);
});

test("a socket at which another engine answers is left to it, and one that a killed engine left is taken", async () => {
  const [second, third] = [new ApiWorld(), new ApiWorld()];
  const door = { scheme: "http", names: null, tokens: null } as const;
  await second.serve([{ at: { path: world.socket }, door, tls: null }]);
  assert.match(second.log[0]!.message, /^api-taken: /);
  await second.stop();
  assert.equal((await world.get("/healthz")).status, 200);
  writeFileSync(third.socket, "");
  await third.serve();
  assert.equal((await third.get("/healthz")).status, 200);
  assert.equal(statSync(third.socket).mode & 0o007, 0, "nobody else may ask");
  await third.stop();
  assert.equal(existsSync(third.socket), false);
});

/** What the leading engine does with the next ask. */
async function answerAsLeader(answer: Omit<SyncAnswer, "ask">): Promise<void> {
  const { registry, keys } = world;
  for await (const message of registry.watch(keys.syncNow, 0, stop.signal)) {
    if (message.kind !== "changes") continue;
    for (const change of message.changes) {
      const asked = change.kind === "put" ? decodeSyncAsk(change.entry.value) : null;
      if (asked?.kind !== "record") continue;
      const value = encodeSyncAnswer({ ...answer, ask: asked.record.id });
      await registry.txn({
        when: [],
        then: [
          { kind: "delete", key: keys.syncNow },
          { kind: "put", key: keys.syncAnswer, value },
        ],
      });
      return;
    }
  }
}
