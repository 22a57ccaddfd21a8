import assert from "node:assert/strict";
import { generateKeyPairSync, sign, verify } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { ReachDesk } from "../../src/adapters/front/reach-desk.ts";
import { serveConnection } from "../../src/adapters/front/serve-connection.ts";
import { nodeKeyOf } from "../../src/adapters/identity/node-identity.ts";
import { randomId } from "../../src/adapters/random-id.ts";
import { askEngine } from "../../src/adapters/reach/ask-engine.ts";
import { EngineLine } from "../../src/adapters/reach/engine-line.ts";
import { systemClock } from "../../src/adapters/system-clock.ts";
import { encodeJournalAsk, signedBytesOf } from "../../src/codec/journal-ask.ts";
import type { MachineId, UnitName } from "../../src/domain/names.ts";
import type { JournalAsk } from "../../src/domain/reach/judge-ask.ts";
import type { SpecMachine } from "../../src/domain/spec/cluster-spec.ts";
import { OperationError } from "../../src/ports/operation-error.ts";
import type { JournalReader } from "../../src/ports/reach.ts";
import { AskAnswerer } from "../../src/usecases/answer-asks.ts";
import { pretendId } from "../pretend-machine.ts";

const [NAS, LAPTOP, PI] = [pretendId("nas"), pretendId("laptop"), pretendId("pi")];
const laptop = generateKeyPairSync("ed25519");
const stranger = generateKeyPairSync("ed25519");
const CHUNK = Buffer.alloc(32 * 1024, "x");
const bare = { match: null, metadata: {}, drain: false, cordon: false, dropins: [] };
const MACHINES: readonly SpecMachine[] = [
  { ...bare, key: "nas", id: NAS },
  { ...bare, key: "laptop", id: LAPTOP, machineKey: nodeKeyOf(laptop.publicKey)! },
];

/** A journal that counts how much of it was read, and notices its end. */
class CountedJournal implements JournalReader {
  chunks = 0;
  ended = 0;
  lines: readonly string[] = ["one\n", "two\n"];
  isEndless = false;

  async *read(_service: string, _options: object, signal: AbortSignal): AsyncGenerator<Uint8Array, void, void> {
    try {
      for (const line of this.lines) yield Buffer.from(line);
      while (this.isEndless && !signal.aborted) {
        this.chunks += 1;
        yield CHUNK;
        await new Promise<void>((resolve) => setImmediate(resolve));
      }
    } finally {
      this.ended += 1;
    }
  }
}

/** An engine that has accepted these machines, machine nas behind it, and terminals. */
class World {
  readonly journal = new CountedJournal();
  readonly stop = new AbortController();
  readonly sockets = new Map<MachineId, Set<Socket>>();
  allowed: readonly string[] = ["laptop"];
  readonly #folder = mkdtempSync(join(tmpdir(), "fleet-reach-"));
  readonly #desk = new ReachDesk(systemClock, randomId);
  readonly #servers: Server[] = [];
  #serving: Promise<unknown> = Promise.resolve();

  async target(machine: MachineId): Promise<string> {
    const path = join(this.#folder, `${this.#servers.length}.sock`);
    const server = createServer((socket) => {
      const known = this.sockets.get(machine) ?? new Set();
      this.sockets.set(machine, known.add(socket));
      serveConnection(socket, [this.#desk.service(machine)]);
    });
    this.#servers.push(server);
    await new Promise<void>((resolve) => server.listen(path, resolve));
    return `unix:${path}`;
  }

  async serveNas(): Promise<void> {
    const answerer = new AskAnswerer({
      ...{ self: NAS, journal: this.journal, clock: systemClock, log: () => undefined },
      allowed: this.allowed,
      clusterId: async () => "c1",
      units: async () => new Set(["web.service" as UnitName]),
      isSignedBy: ({ text, signature }, key) =>
        key === MACHINES[1]!.machineKey && verify(null, signedBytesOf(text), laptop.publicKey, signature),
    });
    answerer.accept(MACHINES);
    const line = new EngineLine(await this.target(NAS), () => undefined);
    this.#serving = line.serve(answerer.answer, this.stop.signal).catch((error: unknown) => error);
  }

  async ask(others: Partial<JournalAsk> = {}, key = laptop.privateKey, signal = new AbortController().signal) {
    const ask: JournalAsk = {
      ...{ clusterId: "c1", from: LAPTOP, to: NAS, unit: "web.service", lines: 10, follow: false, json: false },
      ...{ atMs: Date.now(), id: randomId(), ...others },
    };
    const text = encodeJournalAsk(ask);
    const signature = sign(null, signedBytesOf(text), key);
    return askEngine(await this.target(LAPTOP), { machine: ask.to, text, signature }, signal);
  }

  async end(): Promise<void> {
    this.stop.abort();
    await this.#serving;
    for (const sockets of this.sockets.values()) for (const socket of sockets) socket.destroy();
    for (const server of this.#servers) server.close();
    rmSync(this.#folder, { recursive: true });
  }
}

async function textOf(parts: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const part of parts) chunks.push(part);
  return Buffer.concat(chunks).toString();
}

async function until(holds: () => boolean, what: string): Promise<void> {
  const endMs = performance.now() + 10_000;
  while (!holds()) {
    if (performance.now() > endMs) throw new Error(`never: ${what}`);
    await systemClock.sleep(5);
  }
}

const refusedWith = (code: string) => (error: unknown) => error instanceof OperationError && error.code === code;

/** The machine's line to its engine stands a moment after it was begun. */
async function served(world: World): Promise<void> {
  await world.serveNas();
  for (;;) {
    const answer = await world
      .ask({ unit: "ssh.service" })
      .then(textOf)
      .catch((error: OperationError) => error.code);
    if (answer !== "machine-not-here") return;
    await systemClock.sleep(5);
  }
}

describe("a journal through an engine", { concurrency: false, timeout: 60_000 }, () => {
  const worlds: World[] = [];
  const world = async (prepare: (world: World) => void = () => undefined): Promise<World> => {
    const made = new World();
    worlds.push(made);
    prepare(made);
    await served(made);
    return made;
  };
  after(async () => {
    for (const one of worlds) await one.end();
  });

  test("comes whole to whoever is allowed, and ends", async () => {
    const one = await world();
    assert.equal(await textOf(await one.ask()), "one\ntwo\n");
    one.journal.lines = [];
    assert.equal(await textOf(await one.ask()), "", "also where there is none");
  });

  test("is told to nobody else, and each is told why", async () => {
    const one = await world();
    await assert.rejects(one.ask({ unit: "ssh.service" }).then(textOf), refusedWith("unit-not-here"));
    await assert.rejects(one.ask({}, stranger.privateKey).then(textOf), refusedWith("ask-unproven"));
    await assert.rejects(one.ask({ to: PI }).then(textOf), refusedWith("machine-not-here"));
    await assert.rejects(one.ask({ atMs: Date.now() - 600_000 }).then(textOf), refusedWith("ask-late"));
    const id = randomId();
    await textOf(await one.ask({ id }));
    await assert.rejects(one.ask({ id }).then(textOf), refusedWith("ask-repeated"));
    assert.equal(one.journal.ended, 1, "nothing was read for those");
    const closed = await world((made) => {
      made.allowed = [];
    });
    await assert.rejects(closed.ask().then(textOf), refusedWith("journal-not-allowed"));
  });

  test("is read no faster than it is taken, and not at all once nobody takes it", async () => {
    const one = await world((made) => {
      made.journal.isEndless = true;
    });
    const stop = new AbortController();
    const parts = (await one.ask({ follow: true }, laptop.privateKey, stop.signal))[Symbol.asyncIterator]();
    await parts.next();
    await until(() => one.journal.chunks > 0, "it is read");
    let seen = -1;
    // It stands still once every buffer on the way is full.
    while (seen !== one.journal.chunks) {
      seen = one.journal.chunks;
      await systemClock.sleep(200);
    }
    assert.ok(seen * CHUNK.length < 16 * 1024 * 1024, `${seen} parts of 32 KiB lie on the way`);
    for (let part = 0; part < 200; part++) await parts.next();
    await until(() => one.journal.chunks > seen, "it goes on when it is taken");
    stop.abort();
    await parts.return?.();
    await until(() => one.journal.ended === 1, "its reading ends");
  });

  test("ends on the other side when either goes", async () => {
    const one = await world((made) => {
      made.journal.isEndless = true;
    });
    const parts = (await one.ask({ follow: true }))[Symbol.asyncIterator]();
    await parts.next();
    for (const socket of one.sockets.get(LAPTOP)!) socket.destroy();
    await until(() => one.journal.ended === 1, "the machine stops reading for a terminal that is gone");
    await assert.rejects(async () => {
      for (;;) if ((await parts.next()).done) return;
    }, refusedWith("engine-lost"));
    const other = (await one.ask({ follow: true }))[Symbol.asyncIterator]();
    await other.next();
    for (const socket of one.sockets.get(NAS)!) socket.destroy();
    await assert.rejects(async () => {
      for (;;) if ((await other.next()).done) return;
    }, refusedWith("machine-lost"));
    await until(() => one.journal.ended === 2, "the machine stops reading when its engine is gone");
  });

  test("more than a few at once are told to wait, and nothing is lost of the others", async () => {
    const one = await world((made) => {
      made.journal.isEndless = true;
    });
    const stop = new AbortController();
    const many = await Promise.all(
      Array.from({ length: 9 }, () => one.ask({ follow: true }, laptop.privateKey, stop.signal)),
    );
    const firsts = await Promise.all(
      many.map((parts) =>
        parts.next().then(
          () => "reads",
          (error: OperationError) => error.code,
        ),
      ),
    );
    assert.deepEqual(firsts.sort(), ["engine-busy", ...Array.from({ length: 8 }, () => "reads")]);
    stop.abort();
    for (const parts of many) await parts.return();
    await until(() => one.journal.ended === 8, "all have ended");
    one.journal.isEndless = false;
    assert.equal(await textOf(await one.ask()), "one\ntwo\n");
  });
});
