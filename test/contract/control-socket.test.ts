import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { askControl } from "../../src/adapters/control/ask-control.ts";
import { type ControlServer, serveControl } from "../../src/adapters/control/control-server.ts";

const REQUEST_MAX = 100;

describe("an agent's own socket", () => {
  let folder: string;
  let path: string;
  let server: ControlServer;
  const asked: string[] = [];

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "fleet-control-"));
    path = join(folder, "run/control.sock");
    asked.length = 0;
    const answer = async (line: string) => {
      asked.push(line);
      return `heard ${line}`;
    };
    server = await serveControl({ path, requestMax: REQUEST_MAX, answer, requestWithinMs: 200 });
  });

  afterEach(async () => {
    await server.close();
    rmSync(folder, { recursive: true });
  });

  test("answers a line with a line, many at once", async () => {
    const lines = Array.from({ length: 12 }, (_, index) => `number ${index}`);
    assert.deepEqual(
      await Promise.all(lines.map((line) => askControl(path, line))),
      lines.map((line) => `heard ${line}`),
    );
  });

  test("is for its owner only, and gone when it is closed", async () => {
    assert.equal(statSync(path).mode & 0o777, 0o600);
    await server.close();
    await assert.rejects(askControl(path, "anybody?"), { code: "no-agent-here" });
    server = await serveControl({ path, requestMax: REQUEST_MAX, answer: async (line) => line });
  });

  test("takes the place of what a killed process left, a file or a socket", async () => {
    await server.close();
    for (const remains of [path, `${path}.new`]) writeFileSync(remains, "");
    server = await serveControl({ path, requestMax: REQUEST_MAX, answer: async () => "here" });
    assert.equal(await askControl(path, "anybody?"), "here");
    const next = await serveControl({ path, requestMax: REQUEST_MAX, answer: async () => "another" });
    assert.equal(await askControl(path, "anybody?"), "another");
    await next.close();
  });

  test("hangs up on a line that is too long, and on one that does not end in time", async () => {
    await assert.rejects(askControl(path, "x".repeat(REQUEST_MAX + 1)), { code: "no-answer" });
    assert.equal(await said(path, "no end"), "");
    assert.deepEqual(asked, []);
    assert.equal(await askControl(path, "next"), "heard next");
  });

  test("answers the first line only, split and joined as it may come", async () => {
    assert.equal(await said(path, "one\ntwo\n"), "heard one\n");
    assert.equal(await said(path, "o", "ne", "\n"), "heard one\n");
  });

  test("goes on where whoever asked has gone away", async () => {
    const socket = connect(path);
    await new Promise((resolve) => socket.once("connect", resolve));
    socket.write("gone\n");
    socket.destroy();
    assert.equal(await askControl(path, "still there?"), "heard still there?");
  });
});

/** All that comes back for these pieces, until the other side hangs up. */
async function said(path: string, ...pieces: readonly string[]): Promise<string> {
  const socket = connect(path);
  socket.setEncoding("utf8");
  let text = "";
  socket.on("data", (part: string) => {
    text += part;
  });
  for (const piece of pieces) await new Promise((resolve) => socket.write(piece, resolve));
  await new Promise((resolve) => socket.once("close", resolve));
  return text;
}
