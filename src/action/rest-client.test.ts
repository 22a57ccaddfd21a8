import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, beforeEach, test } from "node:test";
import type { Clock } from "../ports/clock.ts";
import { RestClient } from "./rest-client.ts";

type Answer = { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string };

/** Answers come in this order; after the last one, an empty list. */
let answers: Answer[] = [];
let requests: string[] = [];
let slept: number[] = [];
let server: Server;
let stranger: Server;
let strangers = 0;
let url = "";

const clock: Clock = {
  wallMs: () => 1_000_000,
  monotonicMs: () => 0,
  sleep: async (ms) => void slept.push(ms),
};
const client = () => new RestClient({ apiUrl: url, graphqlUrl: `${url}/graphql`, token: "canary", clock });

before(async () => {
  server = createServer((request: IncomingMessage, response: ServerResponse) => {
    request.resume();
    requests.push(`${request.method} ${request.url}`);
    const { status, headers = {}, body = "[]" } = answers.shift() ?? { status: 200 };
    response.writeHead(status, headers).end(body);
  });
  stranger = createServer((_request, response) => {
    strangers++;
    response.end("[]");
  });
  for (const one of [server, stranger]) await new Promise<void>((resolve) => one.listen(0, "127.0.0.1", resolve));
  url = originOf(server);
});
after(() => {
  for (const one of [server, stranger]) {
    one.closeAllConnections();
    one.close();
  }
});
beforeEach(() => {
  [answers, requests, slept] = [[], [], []];
});

function originOf(one: Server): string {
  return `http://127.0.0.1:${(one.address() as AddressInfo).port}`;
}

interface Case {
  readonly says: string;
  readonly method?: "GET" | "POST" | "PATCH";
  readonly answers: readonly Answer[];
  readonly code: string | null;
  /** How long it waited before each further try, in milliseconds. */
  readonly slept: readonly number[];
}

const limited = (headers: Record<string, string>): Answer => ({
  status: 403,
  headers,
  body: '{"message":"slow down"}',
});
const CASES: readonly Case[] = [
  { says: "what is answered is returned", answers: [{ status: 200 }], code: null, slept: [] },
  {
    says: "as long as Retry-After says",
    answers: [{ status: 429, headers: { "retry-after": "7" } }],
    code: null,
    slept: [7_000],
  },
  {
    says: "until the limit's window ends",
    answers: [limited({ "x-ratelimit-remaining": "0", "x-ratelimit-reset": "1030" })],
    code: null,
    slept: [30_000],
  },
  {
    says: "a window that has ended already is no wait",
    answers: [limited({ "x-ratelimit-remaining": "0", "x-ratelimit-reset": "1" })],
    code: null,
    slept: [0],
  },
  {
    says: "not for longer than a comment is worth",
    answers: [{ status: 429, headers: { "retry-after": "61" } }],
    code: "forge-rate-limited",
    slept: [],
  },
  { says: "a limit that says no time", answers: [{ status: 429 }, { status: 429 }], code: null, slept: [500, 1_000] },
  {
    says: "not for ever",
    answers: Array.from({ length: 9 }, () => ({ status: 429, headers: { "retry-after": "1" } })),
    code: "forge-rate-limited",
    slept: [1_000, 1_000, 1_000],
  },
  { says: "a 403 that is no limit is one", answers: [{ status: 403 }], code: "forge-forbidden", slept: [] },
  { says: "reading is tried again", answers: [{ status: 500 }, { status: 503 }], code: null, slept: [500, 1_000] },
  { says: "so is setting", method: "PATCH", answers: [{ status: 502 }], code: null, slept: [500] },
  { says: "creating is not", method: "POST", answers: [{ status: 502 }], code: "forge-unavailable", slept: [] },
  {
    says: "unless nothing was done",
    method: "POST",
    answers: [{ status: 429, headers: { "retry-after": "0" } }],
    code: null,
    slept: [0],
  },
  { says: "a page in place of JSON", answers: [{ status: 200, body: "<html>" }], code: "forge-malformed", slept: [] },
  { says: "what is wrong with the request", answers: [{ status: 422 }], code: "forge-unprocessable", slept: [] },
];
for (const { says, method = "GET", answers: given, code, slept: waits } of CASES) {
  test(says, async () => {
    answers = [...given];
    const asked = client().request(method, "/x", method === "GET" ? undefined : {});
    if (code === null) assert.deepEqual(await asked, []);
    else await assert.rejects(asked, { code });
    assert.deepEqual(slept, waits);
  });
}

test("a list goes on for as long as there are pages of the same server; the token goes to no other", async () => {
  answers = [
    { status: 200, headers: { link: `<${url}/x?page=2>; rel="next", <${url}/x?page=3>; rel="last"` }, body: "[1]" },
    { status: 200, headers: { link: `<${originOf(stranger)}/x?page=3>; rel="next"` }, body: "[2]" },
  ];
  const found: unknown[] = [];
  for await (const entry of client().list("/x?state=open")) found.push(entry);
  assert.deepEqual(found, [1, 2]);
  assert.deepEqual(requests, ["GET /x?state=open&per_page=100", "GET /x?page=2"]);
  assert.equal(strangers, 0);
});

test("a list without an end has one", async () => {
  answers = Array.from({ length: 99 }, () => ({
    status: 200,
    headers: { link: `<${url}/x>; rel="next"` },
    body: "[1]",
  }));
  const found: unknown[] = [];
  for await (const entry of client().list("/x")) found.push(entry);
  assert.equal(found.length, 50);
});

test("a query that GitHub refuses is told in its words, cut, and never with the token", async () => {
  answers = [{ status: 200, body: JSON.stringify({ errors: [{ message: "no ".repeat(1_000) }] }) }];
  await assert.rejects(client().graphql("query", {}), (error: Error & { code?: string }) => {
    assert.equal(error.code, "forge-unprocessable");
    assert.ok(error.message.length < 400 && !error.message.includes("canary"));
    return true;
  });
});

test("a server that is not there", async () => {
  const nowhere = new RestClient({ apiUrl: "http://127.0.0.1:1", graphqlUrl: "http://127.0.0.1:1", token: "", clock });
  await assert.rejects(nowhere.request("GET", "/x"), { code: "forge-unavailable" });
  assert.equal(slept.length, 3);
});
