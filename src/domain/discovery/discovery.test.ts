import assert from "node:assert/strict";
import { test } from "node:test";
import { sha256 } from "../../../test/compile-repository.ts";
import type { MachineId, UnitName } from "../names.ts";
import { parseAnnouncement } from "./announcement.ts";
import { answerQuery, type ServiceQuery } from "./answer-query.ts";
import { addressFamily, leafOf, type ReachableUnit, serviceLabel, serviceRecords } from "./service-records.ts";

for (const [text, announced] of [
  ["http:8080", { name: "http", port: 8080, transport: "tcp" }],
  ["dns:53/udp", { name: "dns", port: 53, transport: "udp" }],
  ["pg-main:5432/tcp", { name: "pg-main", port: 5432, transport: "tcp" }],
  ["http", null],
  ["8080", null],
  ["http:0", null],
  ["http:65536", null],
  ["http:08080", null],
  ["HTTP:80", null],
  ["-http:80", null],
  ["h--p:80", null],
  ["80:80", null],
  ["sixteen-letters-x:80", null],
  ["http:80/sctp", null],
] as const) {
  test(`a port that is announced: ${text}`, () => assert.deepEqual(parseAnnouncement(text), announced));
}

for (const [unit, label] of [
  ["web@1.service", "web"],
  ["My_App.service", "my-app"],
  ["postgres.container", "postgres"],
  [`${"x".repeat(70)}.service`, "x".repeat(63)],
  ["_.service", null],
] as const) {
  test(`the name of ${unit.slice(0, 20)} among services`, () => assert.equal(serviceLabel(unit as UnitName), label));
}

for (const [address, family] of [
  ["10.0.0.1", 4],
  ["10.0.0.256", null],
  ["10.0.0", null],
  ["fd00::1", 6],
  ["nas.lan", null],
  ["", null],
] as const) {
  test(`what DNS calls ${JSON.stringify(address)}`, () => assert.equal(addressFamily(address), family));
}

const m1 = "1".repeat(32) as MachineId;
const m2 = "2".repeat(32) as MachineId;
const web = (instance: string): ReachableUnit => ({
  unit: `web@${instance}.service` as UnitName,
  announce: [parseAnnouncement("http:8080")!, parseAnnouncement("stats:9000/udp")!],
});
const records = [
  ...serviceRecords("home", { id: m1, address: "10.0.0.1" }, [web("1"), web("2")], sha256),
  ...serviceRecords("home", { id: m2, address: "fd00::2" }, [web("3")], sha256),
];

test("records stand where SkyDNS has them, and each says whose it is", () => {
  const leaf = leafOf(m1, "web@1.service" as UnitName, sha256);
  assert.deepEqual(
    records.find(({ path, port }) => path.endsWith(leaf) && port === 8080),
    {
      path: `fleet/home/web/_tcp/_http/${leaf}`,
      host: "10.0.0.1",
      port: 8080,
    },
  );
  assert.equal(new Set(records.map(({ path }) => path)).size, 6);
});

test("a machine whose address is a name announces nothing", () => {
  assert.deepEqual(serviceRecords("home", { id: m1, address: "nas.lan" }, [web("1")], sha256), []);
});

const ask = (name: string, type: ServiceQuery["type"]) => answerQuery("home.fleet", records, { name, type });

test("a service has the addresses of its instances, each once, and its ports by name", () => {
  assert.deepEqual(ask("web.home.fleet", "A"), {
    kind: "found",
    records: [{ type: "A", name: "web.home.fleet", address: "10.0.0.1" }],
    targets: [],
  });
  const v6 = ask("_http._tcp.web.home.fleet", "AAAA");
  assert.deepEqual(v6.kind === "found" && v6.records.map((one) => "address" in one && one.address), ["fd00::2"]);
  const srv = ask("_http._tcp.web.home.fleet", "SRV");
  assert.ok(srv.kind === "found");
  assert.deepEqual(
    srv.records.map((one) => one.type === "SRV" && one.port),
    [8080, 8080, 8080],
  );
  const [first] = srv.records;
  assert.ok(first?.type === "SRV");
  const led = answerQuery("home.fleet", records, { name: first.target, type: "A" });
  assert.deepEqual(led.kind === "found" && led.records.length, 1);
  assert.ok(srv.targets.some(({ name }) => name === first.target));
});

test("what is not there is told apart from what is nobody's business here", () => {
  assert.deepEqual(ask("db.home.fleet", "A"), { kind: "unknown" });
  assert.deepEqual(ask("web.home.fleet", "OTHER"), { kind: "found", records: [], targets: [] });
  assert.deepEqual(ask("home.fleet", "SRV").kind, "found");
  for (const name of ["example.org", "xhome.fleet", "fleet", ""]) assert.deepEqual(ask(name, "A"), { kind: "refused" });
  assert.deepEqual(ask("eb.home.fleet", "A"), { kind: "unknown" }, "part of a label is no name");
});
