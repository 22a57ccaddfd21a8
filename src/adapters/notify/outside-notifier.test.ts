import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { OperationError } from "../../ports/operation-error.ts";
import { OutsideNotifier } from "./outside-notifier.ts";

const MESSAGE = { event: "held", body: '{"event":"held"}' };
const SECRET = "T0/B0/very-secret";

/** What it was rejected with, which holds nothing of an address but its host. */
async function failure(sending: Promise<void>): Promise<OperationError> {
  try {
    await sending;
  } catch (error) {
    assert.ok(error instanceof OperationError);
    const told = `${error.message} ${error.next ?? ""} ${error.cause instanceof Error ? error.cause.message : ""}`;
    assert.doesNotMatch(told, /very-secret/);
    return error;
  }
  assert.fail("it was sent");
}

describe("webhooks", () => {
  const asked: { readonly path: string; readonly type: string | undefined; readonly body: string }[] = [];
  let server: Server;
  let port: number;
  let answer: (request: IncomingMessage, response: ServerResponse) => void;
  before(async () => {
    server = createServer((request, response) => {
      let body = "";
      request.on("data", (chunk) => {
        body += chunk;
      });
      request.on("end", () => {
        asked.push({ path: request.url!, type: request.headers["content-type"], body });
        answer(request, response);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    port = (server.address() as AddressInfo).port;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  const open = (limitMs = 10_000) => new OutsideNotifier({ isForbidden: () => false, limitMs });
  const to = (host: string) => ({ kind: "webhook", url: `http://${host}:${port}/${SECRET}` }) as const;

  test("the message is posted as JSON", async () => {
    answer = (_, response) => response.writeHead(204).end();
    await open().send(to("127.0.0.1"), MESSAGE);
    assert.deepEqual(asked.at(-1), { path: `/${SECRET}`, type: "application/json", body: MESSAGE.body });
  });

  test("a redirect is no success, and is not followed", async () => {
    answer = (_, response) => response.writeHead(302, { location: `http://127.0.0.1:${port}/elsewhere` }).end();
    const { code, message } = await failure(open().send(to("127.0.0.1"), MESSAGE));
    assert.deepEqual([code, message], ["notify-failed", `cannot post to 127.0.0.1:${port}: it answered 302`]);
    assert.equal(asked.at(-1)?.path, `/${SECRET}`);
  });

  test("one that never answers is given up", async () => {
    answer = () => undefined;
    const { message } = await failure(open(50).send(to("127.0.0.1"), MESSAGE));
    assert.match(message, /took too long|TimeoutError|ABORT_ERR/);
  });

  test("the engine's own machine is refused, by address and by a name that leads there", async () => {
    const before = asked.length;
    for (const host of ["127.0.0.1", "localhost"]) {
      const { code } = await failure(new OutsideNotifier().send(to(host), MESSAGE));
      assert.equal(code, "notify-refused");
    }
    const { code } = await failure(new OutsideNotifier().send({ kind: "webhook", url: "http://0x7f.1:9/x" }, MESSAGE));
    assert.equal(code, "notify-refused", "however the address is written");
    assert.equal(asked.length, before);
  });
});

describe("commands", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "fleet-notify-"));
  });
  after(() => rmSync(folder, { recursive: true }));

  /** No formatter has this name: a script, as a person writes one. */
  const program = (name: string, script: string) => {
    const path = join(folder, name);
    writeFileSync(path, `#!/bin/sh\n${script}\n`);
    chmodSync(path, 0o755);
    return { kind: "command", path } as const;
  };

  test("gets the message on its standard input, the event in its environment, and nothing else of the engine's", async () => {
    process.env.FLEET_TEST_SECRET = "very-secret";
    await new OutsideNotifier().send(program("tell", `{ cat; env | sort; pwd; } > ${folder}/told`), MESSAGE);
    delete process.env.FLEET_TEST_SECRET;
    const told = readFileSync(join(folder, "told"), "utf8");
    assert.match(told, /^\{"event":"held"\}\n/);
    assert.match(told, /^FLEET_EVENT=held$/m);
    assert.doesNotMatch(told, /very-secret/);
    assert.match(told, /\n\/\n$/);
  });

  test("its failure is told; one that is not there is, too", async () => {
    const notifier = new OutsideNotifier();
    assert.match((await failure(notifier.send(program("no", "exit 3"), MESSAGE))).message, /: exit 3$/);
    assert.match(
      (await failure(notifier.send({ kind: "command", path: join(folder, "none") }, MESSAGE))).message,
      /ENOENT/,
    );
  });

  test("it is no shell's word: a path with spaces and a semicolon is a path", async () => {
    const odd = program("a; touch b", `touch ${folder}/ran`);
    await new OutsideNotifier().send(odd, MESSAGE);
    assert.ok(existsSync(join(folder, "ran")));
  });

  test("one that goes on for too long is ended, with what it started", async () => {
    const slow = program("slow", `sleep 60 & echo $! > ${folder}/child; wait`);
    const { message } = await failure(new OutsideNotifier({ limitMs: 300 }).send(slow, MESSAGE));
    assert.match(message, /took too long/);
    const child = Number(readFileSync(join(folder, "child"), "utf8"));
    const isAlive = () => {
      try {
        return !/^State:\s+Z/m.test(readFileSync(`/proc/${child}/status`, "utf8"));
      } catch {
        return false;
      }
    };
    for (let turn = 0; turn < 100 && isAlive(); turn++) await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(isAlive(), false);
  });
});
