/** The engine's HTTP API over a network: who is let in, by a token or by a certificate, and by which name (row 93 of the faults). */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { request as tlsRequest } from "node:https";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { apiDoors } from "../../src/cli/api-doors.ts";
import type { ApiFlags } from "../../src/cli/api-flags.ts";
import { OperationError } from "../../src/ports/operation-error.ts";
import { ApiWorld, ask, type HttpAnswer } from "../api-world.ts";
import { TestAuthority } from "./certificates.ts";

const TOKEN = "correct-horse-battery-staple";
const world = new ApiWorld();
const authority = new TestAuthority();
const server = authority.issue("server");
const tokenFile = join(world.folder, "tokens");
const SOCKETLESS: ApiFlags = { "api-socket": "none" };
const ports: number[] = [];

before(async () => {
  writeFileSync(tokenFile, `# of the dashboard\n${TOKEN}\n`, { mode: 0o600 });
  await world.join("m1");
  await world.release({
    "fleet.yaml": "apiVersion: fleet/v1\ncluster: prod\nadmit: any\n",
    "units/a.service": "[Service]\nExecStart=/bin/true\n",
  });
  const byToken = { ...SOCKETLESS, "api-listen": "127.0.0.1:0", "api-token-file": tokenFile, "api-names": "fleet.lan" };
  const files = { "api-tls-cert": server.certificate, "api-tls-key": server.key, "api-client-ca": authority.authority };
  await world.serve([...apiDoors(byToken), ...apiDoors({ ...SOCKETLESS, "api-listen": "127.0.0.1:0", ...files })]);
  for (const scheme of ["http", "https"]) {
    const line = world.log.find(({ message }) => message.includes(` ${scheme}://`))!;
    ports.push(Number(/:(\d+)$/.exec(line.message)![1]));
  }
});
after(async () => {
  await world.stop();
  authority.remove();
});

const get = (headers: Readonly<Record<string, string>>, path = "/v1/status"): Promise<HttpAnswer> =>
  ask({ host: "127.0.0.1", port: ports[0], path, headers });
const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });

const CALLERS: readonly (readonly [what: string, headers: Readonly<Record<string, string>>, status: number])[] = [
  ["a caller with the token", bearer(TOKEN), 200],
  ["a caller without one", {}, 401],
  ["a caller with another one", bearer(`${TOKEN}s`), 401],
  ["a caller with a part of it", bearer(TOKEN.slice(0, -1)), 401],
  ["a caller with another scheme", { Authorization: `Basic ${TOKEN}` }, 401],
  ["a caller by a name it was given", { ...bearer(TOKEN), Host: "fleet.lan:7441" }, 200],
  ["a caller by an address", { ...bearer(TOKEN), Host: "[::1]:7441" }, 200],
  ["a page that had its own name lead here (DNS rebinding)", { ...bearer(TOKEN), Host: "evil.example" }, 403],
  ["a page of another origin", { ...bearer(TOKEN), Origin: "http://evil.example" }, 403],
  ["a page of no origin", { ...bearer(TOKEN), Origin: "null" }, 403],
  ["a page of its own", { ...bearer(TOKEN), Host: "fleet.lan", Origin: "http://fleet.lan" }, 200],
];
for (const [what, headers, status] of CALLERS) {
  test(`${what} is answered ${status}`, async () => {
    assert.equal((await get(headers)).status, status);
  });
}

test("metrics and health are told to nobody either who has no token, and a poke needs one", async () => {
  for (const path of ["/metrics", "/healthz", "/v1/events"]) assert.equal((await get({}, path)).status, 401);
  const poke = await ask({ host: "127.0.0.1", port: ports[0], path: "/v1/sync", method: "POST" });
  assert.equal(poke.status, 401);
});

const BODY = JSON.stringify({ ref: "refs/heads/main" });
const signed = (token: string, body = BODY) => createHmac("sha256", token).update(body).digest("hex");
const WEBHOOKS: readonly (readonly [what: string, headers: Readonly<Record<string, string>>, status: number])[] = [
  // The release is made by fleet apply: 409 is the answer of one that was let in.
  ["GitLab's with the token", { "X-Gitlab-Token": TOKEN }, 409],
  ["GitLab's with another", { "X-Gitlab-Token": "another-token-of-some-length" }, 401],
  ["GitHub's, signed with the token", { "X-Hub-Signature-256": `sha256=${signed(TOKEN)}` }, 409],
  ["GitHub's, signed with another", { "X-Hub-Signature-256": `sha256=${signed("another")}` }, 401],
  ["GitHub's, signed over another body", { "X-Hub-Signature-256": `sha256=${signed(TOKEN, "{}")}` }, 401],
  ["one with half a signature", { "X-Hub-Signature-256": "sha256=00" }, 401],
];
for (const [what, headers, status] of WEBHOOKS) {
  test(`a webhook, ${what}, is answered ${status}`, async () => {
    const length = { "Content-Length": String(BODY.length) };
    const options = { host: "127.0.0.1", port: ports[0], path: "/v1/sync", method: "POST" };
    assert.equal((await ask({ ...options, headers: { ...headers, ...length } }, BODY)).status, status);
  });
}

test("what proves a webhook opens nothing else", async () => {
  const headers = { "X-Gitlab-Token": TOKEN, "X-Hub-Signature-256": `sha256=${signed(TOKEN, "")}` };
  assert.equal((await get(headers)).status, 401);
  const long = "a".repeat(1_100_000);
  const options = { host: "127.0.0.1", port: ports[0], path: "/v1/sync", method: "POST" };
  const signature = { "X-Hub-Signature-256": `sha256=${signed(TOKEN, long)}`, "Content-Length": String(long.length) };
  assert.equal((await ask({ ...options, headers: signature }, long)).status, 413);
});

test("a token that was replaced in the file is good no more, and the new one is", async () => {
  const next = "a-new-token-of-some-length";
  writeFileSync(tokenFile, `${next}\n`);
  assert.deepEqual([(await get(bearer(TOKEN))).status, (await get(bearer(next))).status], [401, 200]);
  writeFileSync(tokenFile, "short\n");
  assert.equal((await get(bearer("short"))).status, 401, "a file that is no good lets nobody in");
  writeFileSync(tokenFile, `${TOKEN}\n`);
});

const secure = (files: { readonly certificate?: string; readonly key?: string }): Promise<HttpAnswer> => {
  const { certificate, key } = files;
  const own = certificate === undefined ? {} : { cert: readFileSync(certificate), key: readFileSync(key!) };
  const options = {
    host: "127.0.0.1",
    port: ports[1],
    path: "/v1/status",
    ca: readFileSync(authority.authority),
    ...own,
  };
  return ask(options, "", tlsRequest as never);
};

test("over TLS whoever has a certificate of the authority is answered, and whoever has none or a stranger's is not", async () => {
  assert.equal((await secure(authority.issue("dashboard"))).status, 200);
  await assert.rejects(secure({}));
  const stranger = new TestAuthority();
  await assert.rejects(secure(stranger.issue("dashboard")));
  stranger.remove();
});

const open = join(world.folder, "open");
const REFUSED: readonly (readonly [what: string, flags: Partial<ApiFlags>, code: string])[] = [
  ["a port for everybody", {}, "api-unguarded"],
  ["TLS that lets everybody in", { "api-tls-cert": server.certificate, "api-tls-key": server.key }, "api-unguarded"],
  ["a certificate without its key", { "api-tls-cert": server.certificate }, "api-tls-half"],
  ["a key that is no key", { "api-tls-cert": server.certificate, "api-tls-key": server.certificate }, "api-tls-bad"],
  ["a token file that is not there", { "api-token-file": "/nowhere" }, "api-file-unreadable"],
  ["a token file that everybody may read", { "api-token-file": open }, "api-token-open"],
  ["an address without a port", { "api-listen": "localhost", "api-token-file": tokenFile }, "bad-address"],
];
for (const [what, flags, code] of REFUSED) {
  test(`${what} is refused at the start: ${code}`, () => {
    writeFileSync(open, `${TOKEN}\n`);
    chmodSync(open, 0o644);
    const start = () => apiDoors({ ...SOCKETLESS, "api-listen": "0.0.0.0:7441", ...flags });
    assert.throws(start, (error) => error instanceof OperationError && error.code === code);
  });
}
