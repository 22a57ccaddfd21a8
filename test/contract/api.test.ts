/** The engine's HTTP API: a client of the original fleet's, every documented path, and who is turned away. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { API_ROUTES } from "../../src/codec/api/api-routes.ts";
import { API_ANSWERS, apiError } from "../../src/codec/api/api-schema.ts";
import { ApiWorld, ask } from "../api-world.ts";
import { pretendId } from "../pretend-machine.ts";

const UNITS = 130;
const world = new ApiWorld();
const unitName = (at: number) => `u${String(at).padStart(3, "0")}.service`;
const service = (more = "") => `[Unit]\nDescription=one\n\n[Service]\nExecStart=/bin/echo one\n${more}`;

before(async () => {
  await world.join("m1", { role: "web" });
  await world.join("m2");
  const units = Array.from({ length: UNITS }, (_, at) => [`units/${unitName(at)}`, service()]);
  await world.release({
    "fleet.yaml": `apiVersion: fleet/v1\ncluster: prod\nadmit: any\nunits:\n  ${unitName(1)}:\n    state: loaded\n`,
    ...Object.fromEntries(units),
    "units/all.service": service("\n[X-Fleet]\nGlobal=true\n"),
    "units/key.service": service("Environment=DB_PASSWORD=hunter2hunter2\n"),
    "units/key.service.d/10-more.conf": "[Service]\nEnvironment=A=b\n",
  });
  await world.says("m1", "all.service", { sub: "running\u009b31m" });
  await world.says("m2", "all.service", { active: "failed", sub: "failed" });
  await world.serve();
});
after(() => world.stop());

/** Written from the original's documentation (API v1): what it needs of an answer, and no more. */
class OriginalClient {
  async #get<Page>(path: string): Promise<Page> {
    const answer = await world.get(path);
    assert.equal(answer.status, 200, answer.text);
    assert.match(String(answer.headers["content-type"]), /^application\/json/);
    return answer.json<Page>();
  }

  async #all<Entity>(path: string, member: string): Promise<{ entities: Entity[]; pages: number }> {
    const entities: Entity[] = [];
    let token = "";
    for (let pages = 1; ; pages++) {
      const query = token === "" ? "" : `${path.includes("?") ? "&" : "?"}nextPageToken=${token}`;
      const page: Record<string, unknown> = await this.#get(`${path}${query}`);
      entities.push(...(page[member] as Entity[]));
      token = (page.nextPageToken as string | undefined) ?? "";
      if (token === "") return { entities, pages };
    }
  }

  units() {
    return this.#all<{
      name: string;
      options: { section: string; name: string; value: string }[];
      desiredState: string;
      currentState: string;
      machineID?: string;
    }>("/fleet/v1/units", "units");
  }

  states(query = "") {
    return this.#all<{ name: string; hash: string; machineID: string; systemdActiveState: string }>(
      `/fleet/v1/state${query}`,
      "states",
    );
  }

  machines() {
    return this.#all<{ id: string; primaryIP: string; metadata: Record<string, string> }>(
      "/fleet/v1/machines",
      "machines",
    );
  }
}

const client = new OriginalClient();

test("a client of the original's walks the pages of units, each once, and reads what they say and where they are", async () => {
  const { entities, pages } = await client.units();
  assert.equal(pages, 2);
  const names = entities.map(({ name }) => name);
  assert.deepEqual(names, [...new Set(names)].sort());
  assert.equal(names.length, UNITS + 2);
  const first = entities.find(({ name }) => name === unitName(0));
  assert.deepEqual(first?.options, [
    { section: "Unit", name: "Description", value: "one" },
    { section: "Service", name: "ExecStart", value: "/bin/echo one" },
  ]);
  assert.equal(first.desiredState, "launched");
  assert.ok([pretendId("m1"), pretendId("m2")].includes(first.machineID as never));
  assert.equal(entities.find(({ name }) => name === unitName(1))?.desiredState, "loaded");
  assert.equal(entities.find(({ name }) => name === "all.service")?.machineID, undefined, "it is on several");
});

test("a client of the original's reads states, all or of a machine or of a unit, and the machines that are there", async () => {
  const one = { name: "all.service", hash: "a".repeat(64), systemdLoadState: "loaded" };
  const [up, failed] = [
    { ...one, machineID: pretendId("m1"), systemdActiveState: "active", systemdSubState: "running\u009b31m" },
    { ...one, machineID: pretendId("m2"), systemdActiveState: "failed", systemdSubState: "failed" },
  ];
  assert.deepEqual((await client.states()).entities, [up, failed]);
  assert.deepEqual((await client.states(`?machineID=${pretendId("m2")}`)).entities, [failed]);
  assert.deepEqual((await client.states("?unitName=all.service")).entities, [up, failed]);
  assert.deepEqual((await client.states("?unitName=none.service")).entities, []);
  assert.deepEqual((await client.machines()).entities, [
    { id: pretendId("m1"), primaryIP: "192.0.2.1", metadata: { role: "web" } },
    { id: pretendId("m2"), primaryIP: "192.0.2.1", metadata: {} },
  ]);
});

test("drop-ins follow the file, and what looks like a secret is masked", async () => {
  const { options } = (await world.get("/fleet/v1/units/key.service")).json<{ options: { value: string }[] }>();
  assert.deepEqual(
    options.slice(-2).map(({ value }) => value),
    ["DB_PASSWORD=********", "A=b"],
  );
});

test("the legacy prefix answers alike, and escapes what steers a terminal", async () => {
  const text = (await world.get("/v1-alpha/state/all.service")).text;
  assert.match(text, /"systemdSubState":"running\\u009b31m"/);
});

const CHANGES: readonly (readonly [method: string, path: string, says: RegExp])[] = [
  [
    "PUT",
    `/fleet/v1/units/${unitName(1)}`,
    /https:\/\/git\.example\/r edit units\/u001\.service.*branch main.*fleet apply/,
  ],
  ["PUT", "/fleet/v1/units/new.service", /add new\.service below units\//],
  ["DELETE", `/fleet/v1/units/${unitName(1)}`, /remove units\/u001\.service/],
  ["PATCH", "/fleet/v1/machines", /machines: in fleet\.yaml/],
  ["POST", "/fleet/v1/units", /edit fleet\.yaml/],
];
for (const [method, path, says] of CHANGES) {
  test(`${method} ${path} changes nothing and says where in git it is done`, async () => {
    const answer = await world.send(method, path, '{"desiredState":"launched"}');
    assert.equal(answer.status, 405);
    assert.equal(answer.headers.allow, "GET, HEAD");
    const { error } = apiError.parse(answer.json());
    assert.equal(error.code, 405);
    assert.match(error.message, says);
  });
}

const REFUSED: readonly (readonly [string, number, string])[] = [
  ["/fleet/v1/units/none.service", 404, "a unit that is not"],
  ["/fleet/v1/units/%zz", 404, "a name that is none"],
  ["/fleet/v1/nothing", 404, "a path that is not"],
  ["/fleet/v1/units?nextPageToken=AAAAAA", 400, "a token of nobody's"],
  ["/fleet/v1/units?nextPageToken=ZAABAA&nextPageToken=ZAABAA", 400, "two tokens"],
  ["/fleet/v1/", 405, "the prefix"],
  ["/", 405, "the root"],
  ["/v1/plan?release=99", 404, "the plan of a release that is not"],
  ["/v1/releases?last=51", 400, "more releases than are told"],
  [`/${"a".repeat(3_000)}`, 414, "a URL that is too long"],
];
for (const [path, status, what] of REFUSED) {
  test(`${what} is answered ${status} in the original's words for errors`, async () => {
    const answer = await world.get(path);
    assert.equal(answer.status, status);
    assert.equal(apiError.parse(answer.json()).error.code, status);
  });
}

const EXAMPLES: Readonly<Record<string, string>> = { unit: "all.service", "unit-state": "all.service" };
for (const route of API_ROUTES.filter(({ method, type }) => method === "GET" && type === undefined)) {
  test(`${route.path} answers with what schemas/api.openapi.json says`, async () => {
    const answer = await world.get(route.path.replace("{name}", EXAMPLES[route.id] ?? ""));
    assert.equal(answer.status, 200, answer.text);
    const schema = API_ANSWERS[route.id];
    assert.ok(schema !== undefined, "every JSON answer has a schema");
    schema.parse(answer.json());
  });
}

test("docs/api.md has every path, and no other", () => {
  const page = readFileSync(join(import.meta.dirname, "../../docs/api.md"), "utf8");
  const said = [...page.matchAll(/^\| `(GET|POST) (\/[^`? ]*)/gm)].map(([, method, path]) => `${method} ${path}`);
  const known = API_ROUTES.map(({ method, path }) => {
    const shown = path.replace("/fleet/v1", "").replace("{name}", "NAME");
    return `${method} ${shown}`;
  });
  assert.deepEqual(said, known);
});

test("answering asks the registry for nothing while nothing changes", async () => {
  let asked = 0;
  const { list, txn } = world.registry;
  Object.assign(world.registry, {
    list: (...words: Parameters<typeof list>) => ++asked && list.apply(world.registry, words),
    txn: (...words: Parameters<typeof txn>) => ++asked && txn.apply(world.registry, words),
  });
  for (const { path, method, type } of API_ROUTES) {
    if (method === "GET" && type === undefined) await world.get(path.replace("{name}", "all.service"));
  }
  Object.assign(world.registry, { list, txn });
  assert.equal(asked, 0);
});

test("a cluster that is driven by apply refuses a poke, and says who drives", async () => {
  const answer = await world.send("POST", "/v1/sync");
  assert.equal(answer.status, 409);
  assert.match(answer.text, /made by fleet apply/);
});

test("a page of a browser is turned away", async () => {
  assert.equal((await world.get("/v1/status", { Origin: "http://evil.example" })).status, 403);
});

test("who listens hears what changes, and only that", async () => {
  const lines: string[] = [];
  const socket = connect(world.socket);
  socket.setEncoding("utf8");
  socket.write("GET /v1/events HTTP/1.1\r\nHost: fleet\r\n\r\n");
  const heard = new Promise<void>((resolve) => {
    socket.on("data", (text: string) => {
      lines.push(...text.split(/\r?\n/));
      if (lines.includes("event: open") && !lines.includes("event: unit")) void world.says("m2", "all.service");
      if (lines.includes("event: unit")) resolve();
    });
  });
  await heard;
  socket.destroy();
  const events = lines.filter((line) => line.startsWith("event: "));
  assert.deepEqual(events, ["event: open", "event: unit"]);
  const data = JSON.parse(
    lines
      .filter((line) => line.startsWith("data: "))
      .at(-1)!
      .slice("data: ".length),
  );
  assert.deepEqual([data.unit, data.machineName, data.active], ["all.service", "m2", "active"]);
});

test("a head that is too large is refused", async () => {
  const answer = await ask({ socketPath: world.socket, path: "/healthz", headers: { "X-Much": "a".repeat(9_000) } });
  assert.equal(answer.status, 431);
});
