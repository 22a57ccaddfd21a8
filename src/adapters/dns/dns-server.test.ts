import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { Resolver } from "node:dns/promises";
import { once } from "node:events";
import { connect } from "node:net";
import { after, before, describe, test } from "node:test";
import { answerQuery } from "../../domain/discovery/answer-query.ts";
import type { ServiceRecord } from "../../domain/discovery/service-records.ts";
import { OperationError } from "../../ports/operation-error.ts";
import { serveDns } from "./dns-server.ts";

const ZONE = "home.fleet";

/** c-ares, which Node brings along, is the client; it knows nothing of ours. */
describe("names of services, as a resolver asks for them", { concurrency: false }, () => {
  const stop = new AbortController();
  const resolver = new Resolver({ timeout: 2_000, tries: 1 });
  let records: readonly ServiceRecord[] = [];
  let served: Awaited<ReturnType<typeof serveDns>>;
  before(async () => {
    served = await serveDns({
      ...{ host: "127.0.0.1", port: 0, zone: ZONE, ttlS: 5, signal: stop.signal },
      answer: (query) => answerQuery(ZONE, records, query),
    });
    resolver.setServers([`127.0.0.1:${served.port}`]);
  });
  after(async () => {
    stop.abort();
    await served?.ended;
  });
  const record = (leaf: string, host: string, port = 8080): ServiceRecord => ({
    ...{ path: `fleet/home/web/_tcp/_http/${leaf}`, host, port },
  });
  const codeOf = (asked: Promise<unknown>) =>
    asked.then(
      () => null,
      (error: { code: string }) => error.code,
    );

  test("addresses, ports and where they lead, by turns", async () => {
    records = [record("a", "10.0.0.1"), record("b", "10.0.0.2"), record("c", "fd00::3")];
    const firsts = new Set<string | undefined>();
    for (let again = 0; again < 4; again++) firsts.add((await resolver.resolve4("Web.Home.Fleet"))[0]);
    assert.deepEqual([...firsts].sort(), ["10.0.0.1", "10.0.0.2"]);
    assert.deepEqual(await resolver.resolve6("web.home.fleet"), ["fd00::3"]);
    const [first, ...others] = await resolver.resolveSrv("_http._tcp.web.home.fleet");
    assert.deepEqual([first?.port, others.length], [8080, 2]);
    assert.equal((await resolver.resolve4("a._http._tcp.web.home.fleet"))[0], "10.0.0.1");
    const [withTtl] = await resolver.resolve4("web.home.fleet", { ttl: true });
    assert.equal(withTtl?.ttl, 5);
  });

  test("what is gone is gone with the next question, and told apart from what is not asked here", async () => {
    records = [];
    assert.equal(await codeOf(resolver.resolve4("web.home.fleet")), "ENOTFOUND");
    records = [record("c", "fd00::3")];
    assert.equal(await codeOf(resolver.resolve4("web.home.fleet")), "ENODATA");
    assert.equal(await codeOf(resolver.resolve4("example.org")), "EREFUSED");
  });

  test("more than a datagram takes comes by the other way", async () => {
    records = Array.from({ length: 300 }, (_, index) => record(`m${index}`, `10.1.${index >> 8}.${index & 255}`));
    assert.equal((await resolver.resolve4("web.home.fleet")).length, 300);
  });

  test("what is no question is answered by nothing, and the next one is", async () => {
    records = [record("a", "10.0.0.1")];
    const socket = createSocket("udp4");
    for (const junk of [
      "",
      "x",
      "\0".repeat(12),
      "\xff".repeat(600),
      `\0\0\x01\0\0\x01\0\0\0\0\0\0${"\xc0\x0c".repeat(9)}`,
    ]) {
      socket.send(Buffer.from(junk, "latin1"), served.port, "127.0.0.1");
    }
    const stream = connect(served.port, "127.0.0.1");
    stream.on("error", () => undefined);
    stream.write(Buffer.from("ffff00", "hex"));
    await once(stream, "close");
    assert.deepEqual(await resolver.resolve4("web.home.fleet"), ["10.0.0.1"]);
    socket.close();
  });

  test("a port that is taken is told with what to do", async () => {
    const again = serveDns({
      ...{ host: "127.0.0.1", port: served.port, zone: ZONE, ttlS: 5, signal: stop.signal },
      answer: () => ({ kind: "refused" }),
    });
    await assert.rejects(again, (error) => error instanceof OperationError && error.code === "dns-listen");
  });
});
