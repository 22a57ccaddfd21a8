/** Both ends over real TLS on the loopback interface: who is let through, who is not, and what each side hears of it. */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { connect as connectTcp, createServer } from "node:net";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { connect as connectTls, createServer as createTlsServer, type TLSSocket } from "node:tls";
import { type ExpectedPeer, judgePeer, type PeerClaim, type PeerFacts } from "../../domain/identity/judge-peer.ts";
import type { NodeKey } from "../../domain/identity/node-key.ts";
import { type MachineId, parseMachineId } from "../../domain/names.ts";
import { OperationError } from "../../ports/operation-error.ts";
import { systemClock } from "../system-clock.ts";
import { dialPeer } from "./dial-peer.ts";
import { type FrontOptions, type FrontPeer, type FrontTlsServer, frontTlsServer } from "./front-tls-server.ts";
import { IdentityKeeper } from "./identity-keeper.ts";
import { NodeIdentity } from "./node-identity.ts";

const DAY = 24 * 3_600_000;
const hub: MachineId = parseMachineId("e".repeat(32))!;
const nas: MachineId = parseMachineId("a".repeat(32))!;
const newIdentity = () => new NodeIdentity(generateKeyPairSync("ed25519").privateKey);
const [hubKey, nasKey, otherKey] = [newIdentity(), newIdentity(), newIdentity()];
const asEngine: PeerClaim = { clusterId: "c1", role: "engine", machine: hub };
const asMachine: PeerClaim = { clusterId: "c1", role: "machine", machine: nas };
const never = new AbortController().signal;

const servers: FrontTlsServer[] = [];
const sockets: { destroy(): void }[] = [];
after(async () => {
  for (const socket of sockets) socket.destroy();
  await Promise.all(servers.map((server) => server.close()));
});

/** A clock that is off by that much. */
const clockOff = (milliseconds: number) => ({ ...systemClock, wallMs: () => Date.now() + milliseconds });

function keeper(identity: NodeIdentity, claim: PeerClaim, options: { offMs?: number; lifeMs?: number } = {}) {
  return new IdentityKeeper(identity, claim, clockOff(options.offMs ?? 0), options);
}

interface Front {
  readonly port: number;
  readonly server: FrontTlsServer;
  readonly identity: IdentityKeeper;
  readonly peers: FrontPeer[];
  readonly refusals: string[];
  /** Keys it lists; may be changed. */
  readonly keys: Map<NodeKey, MachineId>;
}

/** An engine that says `hello` and then repeats what it hears. */
async function front(options: FrontOptions & { identity?: IdentityKeeper; offMs?: number } = {}): Promise<Front> {
  const keys = new Map([[nasKey.key, nas]]);
  const [peers, refusals]: [FrontPeer[], string[]] = [[], []];
  const identity = options.identity ?? keeper(hubKey, asEngine);
  const judge = (facts: PeerFacts | null) =>
    judgePeer(facts, { clusterId: "c1", role: "machine", keys, nowMs: Date.now() + (options.offMs ?? 0) });
  const server = frontTlsServer(
    identity,
    judge,
    (socket, peer) => {
      peers.push(peer);
      socket.write("hello");
      socket.pipe(socket);
    },
    { ...options, onRefused: (code) => refusals.push(code) },
  );
  servers.push(server);
  const { port } = await server.listen("127.0.0.1", 0);
  return { port, server, identity, peers, refusals, keys };
}

const engines = (change: Partial<ExpectedPeer> = {}) => {
  const keys = new Map([[hubKey.key, hub]]);
  return (facts: PeerFacts | null) =>
    judgePeer(facts, { clusterId: "c1", role: "engine", keys, nowMs: Date.now(), ...change });
};

async function dial(port: number, identity = keeper(nasKey, asMachine), judge = engines()) {
  const dialled = await dialPeer("127.0.0.1", port, identity, judge, never);
  sockets.push(dialled.socket);
  return dialled;
}

/** As a machine does, again and again. */
async function dialUntilIn(port: number): Promise<void> {
  for (const deadline = Date.now() + 20_000; ; await sleep(10)) {
    const attempt = await dial(port).catch((error: OperationError) => error);
    if (!(attempt instanceof OperationError)) return;
    assert.ok(Date.now() < deadline, attempt.message);
  }
}

/** What the other end sends, until that many bytes are there. */
async function hear(socket: TLSSocket, text: string): Promise<void> {
  let heard = "";
  for await (const [chunk] of on(socket)) {
    heard += chunk;
    if (heard.length >= text.length) break;
  }
  assert.equal(heard, text);
}

async function* on(socket: TLSSocket): AsyncGenerator<[Buffer]> {
  for (;;) yield (await once(socket, "data", { signal: AbortSignal.timeout(20_000) })) as [Buffer];
}

async function refusedWith(promise: Promise<unknown>, code: string): Promise<OperationError> {
  const error = await promise.then(
    () => assert.fail("it was let through"),
    (caught: unknown) => caught,
  );
  assert.ok(error instanceof OperationError, String(error));
  assert.equal(error.code, code, error.message);
  assert.ok(error.next !== undefined, "it says what to do");
  return error;
}

test("two that list each other speak, and each knows with whom", async () => {
  const { port, peers, server } = await front();
  const { socket, peer, facts, strangerBecause } = await dial(port);
  await hear(socket, "hello");
  socket.write("and back");
  await hear(socket, "and back");
  assert.deepEqual(peer, { verdict: "accepted", role: "engine", machine: hub });
  assert.equal(facts.key, hubKey.key);
  assert.equal(strangerBecause, null);
  assert.deepEqual(peers[0]?.verdict, { verdict: "accepted", role: "machine", machine: nas });
  assert.equal(peers[0]?.facts?.key, nasKey.key);
  assert.deepEqual(server.machines, [nas]);
  assert.equal(socket.getProtocol(), "TLSv1.3");
});

const theirs: readonly (readonly [what: string, code: string, identity: () => IdentityKeeper, offMs?: number])[] = [
  [
    "a key nobody lists",
    "unlisted-key",
    () => keeper(otherKey, { ...asMachine, machine: "b".repeat(32) as MachineId }),
  ],
  ["a listed machine with another key", "wrong-key", () => keeper(otherKey, asMachine)],
  ["a listed key for another machine", "wrong-key", () => keeper(nasKey, { ...asMachine, machine: hub })],
  ["a machine of another cluster", "other-cluster", () => keeper(nasKey, { ...asMachine, clusterId: "c2" })],
  ["a machine that has joined none", "other-cluster", () => keeper(nasKey, { ...asMachine, clusterId: null })],
  ["another engine", "wrong-role", () => keeper(nasKey, { ...asMachine, role: "engine" })],
  ["a machine with a clock of last year", "expired", () => keeper(nasKey, asMachine, { offMs: -365 * DAY })],
  ["a machine with a clock of tomorrow", "not-yet-valid", () => keeper(nasKey, asMachine, { offMs: DAY })],
  [
    "a certificate for a minute, two minutes later",
    "expired",
    () => keeper(nasKey, asMachine, { lifeMs: 60_000 }),
    120_000,
  ],
];

for (const [what, code, identity, offMs = 0] of theirs) {
  test(`${what} gets no byte of the application, and both sides know why: ${code}`, async () => {
    const { port, peers, refusals } = await front({ offMs });
    await refusedWith(dial(port, identity()), `refused-${code}`);
    assert.deepEqual([refusals, peers], [[code], []]);
  });
}

const ours: readonly (readonly [what: string, code: string, identity: () => IdentityKeeper])[] = [
  ["a machine that plays the engine", "unlisted-key", () => keeper(nasKey, { ...asMachine, role: "engine" })],
  ["somebody under a known engine's name", "wrong-key", () => keeper(otherKey, asEngine)],
  ["an engine of another cluster", "other-cluster", () => keeper(hubKey, { ...asEngine, clusterId: "c2" })],
  ["an agent", "wrong-role", () => keeper(hubKey, { ...asEngine, role: "machine" })],
  ["an engine with a clock of last year", "expired", () => keeper(hubKey, asEngine, { offMs: -365 * DAY })],
  ["an engine with a clock of tomorrow", "not-yet-valid", () => keeper(hubKey, asEngine, { offMs: DAY })],
];

for (const [what, code, identity] of ours) {
  test(`${what} is left before anything is sent to it: ${code}`, async () => {
    const { port, peers } = await front({ identity: identity() });
    const error = await refusedWith(dial(port), code);
    assert.match(error.message, new RegExp(`the engine at 127\\.0\\.0\\.1:${port}`));
    assert.ok(peers.length <= 1, "what the engine thinks of us is its own affair");
  });
}

/** What somebody else's client gets from a front before the connection ends. */
async function foreignClient(port: number, options: object): Promise<string> {
  const socket = connectTls({ host: "127.0.0.1", port, rejectUnauthorized: false, ...options });
  sockets.push(socket);
  const heard: Buffer[] = [];
  socket.on("data", (chunk) => heard.push(chunk));
  const failed = new Promise<string>((resolve) => socket.once("error", (error) => resolve(error.message)));
  const closed = new Promise<string>((resolve) => socket.once("close", () => resolve(Buffer.concat(heard).toString())));
  return Promise.race([failed, closed]);
}

test("who shows no certificate hears so and no more", async () => {
  const { port, peers, refusals } = await front();
  assert.equal(await foreignClient(port, { minVersion: "TLSv1.3" }), "fleet/1 refused no-certificate\n");
  assert.deepEqual([refusals, peers], [["no-certificate"], []]);
});

test("older TLS is refused, also after a renewal", async () => {
  const { port, peers, identity, refusals } = await front();
  const { key, cert } = keeper(nasKey, asMachine).secureContextOptions();
  const old = () => foreignClient(port, { key, cert, minVersion: "TLSv1.2", maxVersion: "TLSv1.2" });
  assert.match(await old(), /version/i);
  identity.claimToBe({ ...asEngine, clusterId: "c2" });
  assert.match(await old(), /version/i);
  assert.deepEqual([refusals, peers], [[], []]);
});

test("a front asks for no other kind of key than ours", async () => {
  const { port } = await front();
  const { key, cert } = keeper(nasKey, asMachine).secureContextOptions();
  const socket = connectTls({ host: "127.0.0.1", port, rejectUnauthorized: false, key, cert });
  await once(socket, "secureConnect");
  // With the hash beside it, of which this kind has none to choose.
  const asked = socket.getSharedSigalgs().map((one) => one.split("+")[0]);
  assert.deepEqual(asked, ["Ed25519"]);
  socket.destroy();
});

test("a session is never taken up again: each connection proves its key", async () => {
  const { port } = await front();
  const { key, cert } = keeper(nasKey, asMachine).secureContextOptions();
  const options = { host: "127.0.0.1", port, rejectUnauthorized: false, key, cert };
  const first = connectTls(options);
  first.resume();
  const [session] = (await once(first, "session")) as [Buffer];
  first.destroy();
  const second = connectTls({ ...options, session });
  await once(second, "secureConnect");
  assert.equal(second.isSessionReused(), false);
  second.destroy();
});

test("strangers stay where they may, hear that they are, and are gone after their time", async () => {
  const strangers = new Set(["unlisted-key"] as const);
  const { port, peers, server } = await front({ strangers, limits: { strangerMs: 150 } });
  const stranger = keeper(otherKey, { clusterId: "c1", role: "machine", machine: parseMachineId("b".repeat(32))! });
  await refusedWith(dial(port, stranger), "refused-unlisted-key");
  const { socket, strangerBecause } = await dialPeer("127.0.0.1", port, stranger, engines(), never, {
    asStranger: true,
  });
  assert.equal(strangerBecause, "unlisted-key");
  await hear(socket, "hello");
  assert.deepEqual(peers.at(-1)?.verdict, { verdict: "refused", code: "unlisted-key" });
  assert.deepEqual(server.machines, []);
  await once(socket.resume(), "close");
});

/** The number of the certificate that a front shows. */
async function serialOf(port: number): Promise<string | undefined> {
  const socket = connectTls({ host: "127.0.0.1", port, rejectUnauthorized: false });
  await once(socket, "secureConnect");
  const serial = socket.getPeerX509Certificate()?.serialNumber;
  socket.destroy();
  return serial;
}

test("a renewal cuts nobody, and the next connection has the new certificate, on both sides", async () => {
  const { port, identity, peers } = await front({ identity: keeper(hubKey, asEngine, { lifeMs: 60_000 }) });
  const own = keeper(nasKey, asMachine);
  const before = await dial(port, own);
  await hear(before.socket, "hello");
  const shown = await serialOf(port);
  for (const one of [identity, own]) {
    const { claim } = one;
    one.claimToBe({ ...claim, clusterId: "c2" });
    one.claimToBe(claim);
  }
  before.socket.write("still there");
  await hear(before.socket, "still there");
  const later = await dial(port, own);
  await hear(later.socket, "hello");
  assert.notEqual(await serialOf(port), shown);
  assert.equal(peers.length, 2);
});

test("a front whose clock was set shows a certificate of the new time to the next one who dials", async () => {
  let offMs = -365 * DAY;
  const clock = { ...systemClock, wallMs: () => Date.now() + offMs };
  const { port } = await front({ identity: new IdentityKeeper(hubKey, asEngine, clock) });
  await refusedWith(dial(port), "expired");
  offMs = 0;
  await dial(port);
});

test("a key that is taken from the list ends its connections, and no others", async () => {
  const { port, server, keys } = await front();
  const pi: MachineId = parseMachineId("c".repeat(32))!;
  keys.set(otherKey.key, pi);
  const [first, second] = [await dial(port), await dial(port, keeper(otherKey, { ...asMachine, machine: pi }))];
  assert.equal(server.rejudge(), 0);
  keys.delete(nasKey.key);
  const closed = once(first.socket.resume(), "close");
  assert.equal(server.rejudge(), 1);
  await closed;
  await hear(second.socket, "hello");
  assert.deepEqual(server.machines, [pi]);
});

test("a connection older than its certificate is cut when the front judges anew, and the machine comes back with another", async () => {
  const now = { offMs: 0 };
  const clock = { ...systemClock, wallMs: () => Date.now() + now.offMs };
  const { port, server } = await front(now);
  const own = new IdentityKeeper(nasKey, asMachine, clock);
  const first = await dial(port, own);
  now.offMs = 80 * DAY;
  assert.equal(server.rejudge(), 0, "it is in its last quarter");
  now.offMs = 100 * DAY;
  const closed = once(first.socket.resume(), "close");
  assert.equal(server.rejudge(), 1);
  await closed;
  await hear((await dial(port, own)).socket, "hello");
});

test("one machine's connections are counted, and a further one ends the oldest", async () => {
  const { port } = await front({ limits: { perMachine: 2 } });
  const first = await dial(port);
  const second = await dial(port);
  const closed = once(first.socket.resume(), "close");
  const third = await dial(port);
  await closed;
  await hear(second.socket, "hello");
  await hear(third.socket, "hello");
});

test("garbage, silence and half a handshake are cut, and keep nobody out", async () => {
  const { port, refusals } = await front({ limits: { timeoutMs: 200, total: 3, perAddress: 3, yieldsAfterMs: 0 } });
  const closings: Promise<unknown>[] = [];
  for (const first of [
    "GET / HTTP/1.1\r\n\r\n",
    Buffer.alloc(4096, 0xff),
    "",
    Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01]),
  ]) {
    const socket = connectTcp({ host: "127.0.0.1", port });
    sockets.push(socket);
    socket.on("error", () => socket.destroy());
    socket.on("data", () => undefined);
    closings.push(once(socket, "close"));
    await once(socket, "connect");
    if (first.length > 0) socket.write(first);
  }
  await dialUntilIn(port);
  await Promise.all(closings);
  assert.deepEqual(refusals, []);
});

test("where there is no room, a newcomer is turned away while the others are quick, and takes the place of one that is slow", async () => {
  const room = { timeoutMs: 60_000, total: 2, perAddress: 2 };
  const quick = await front({ limits: { ...room, yieldsAfterMs: 60_000 } });
  const slow = await front({ limits: { ...room, yieldsAfterMs: 50 } });
  for (const { port } of [quick, slow]) {
    for (let count = 0; count < 2; count++) {
      const socket = connectTcp({ host: "127.0.0.1", port });
      sockets.push(socket);
      socket.on("error", () => socket.destroy());
      await once(socket, "connect");
    }
  }
  await refusedWith(dial(quick.port), "engine-handshake");
  await dialUntilIn(slow.port);
});

test("nobody there, silence, and a stranger's protocol each have a word of their own", async () => {
  const servers = await Promise.all(
    [() => undefined, (socket: { end(text: string): void }) => socket.end("220 mail ready\r\n")].map(async (answer) => {
      const server = createServer((socket) => {
        sockets.push(socket);
        socket.on("error", () => socket.destroy());
        answer(socket);
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      return { server, port: (server.address() as { port: number }).port };
    }),
  );
  const [silent, mail] = servers as [(typeof servers)[0], (typeof servers)[0]];
  const own = keeper(nasKey, asMachine);
  const options = { timeoutMs: 100 };
  await refusedWith(dialPeer("127.0.0.1", silent.port, own, engines(), never, options), "engine-timeout");
  await refusedWith(dialPeer("127.0.0.1", mail.port, own, engines(), never), "engine-handshake");
  for (const { server } of servers) {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
  await refusedWith(dialPeer("127.0.0.1", silent.port, own, engines(), never), "engine-unreachable");
  const abort = new AbortController();
  const patience = dialPeer("127.0.0.1", (await front()).port, own, engines(), abort.signal);
  abort.abort(new Error("enough"));
  await assert.rejects(patience, /enough/);
});

/** An engine of another make: it proves its key, and says these pieces with a pause between them. */
async function talker(pieces: readonly string[]): Promise<number> {
  const options = { ...keeper(hubKey, asEngine).secureContextOptions(), requestCert: true, rejectUnauthorized: false };
  const server = createTlsServer(options, async (socket) => {
    sockets.push(socket);
    socket.on("error", () => socket.destroy());
    for (const piece of pieces) {
      socket.write(piece);
      await new Promise(setImmediate);
    }
  });
  sockets.push({ destroy: () => void server.close() });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as { port: number }).port;
}

test("a greeting is understood in any pieces, and nothing that follows it is lost", async () => {
  for (const pieces of [
    ["fleet/1 accepted\nhello"],
    ["f", "leet/1 acc", "epted\nhel", "lo"],
    [..."fleet/1 accepted\n", "hello"],
  ]) {
    const { socket } = await dial(await talker(pieces));
    await hear(socket, "hello");
  }
});

test("an engine that greets otherwise is left", async () => {
  for (const greeting of [
    "fleet/2 accepted\n",
    "fleet/1 refused nonsense\n",
    "fleet/1 accepted \n",
    "\n",
    "x".repeat(300),
  ]) {
    const error = await refusedWith(dial(await talker([greeting])), "engine-handshake");
    assert.match(error.message, /greets in a way/);
  }
});

test("a port that is taken is said, with what to do", async () => {
  const { port } = await front();
  const second = frontTlsServer(keeper(hubKey, asEngine), engines(), () => undefined);
  await refusedWith(second.listen("127.0.0.1", port), "cannot-listen");
});
