import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { Runner, SUMMARY_BYTES_MAX, wholeLines } from "./runner.ts";

const folder = mkdtempSync(join(tmpdir(), "fleet-runner-"));
after(() => rmSync(folder, { recursive: true }));

function runnerWith(env: Readonly<Record<string, string>> = {}) {
  let printed = "";
  let ids = 0;
  const write = (text: string) => {
    printed += text;
  };
  const runner = new Runner({ env, write, newId: () => `id${++ids}` });
  return { runner, printed: () => printed };
}

const CUTS: readonly [string, string, number, string][] = [
  ["what fits stays", "a\nb\n", 4, "a\nb\n"],
  ["a line that does not fit goes whole", "a\nbc\n", 4, "a\n"],
  ["bytes count, not characters", "🚀\n🚀\n", 9, "🚀\n"],
  ["nothing after the first that does not fit", "long line\na\n", 4, ""],
];
for (const [sentence, text, bytes, expected] of CUTS) {
  test(sentence, () => assert.equal(wholeLines(text, bytes), expected));
}

test("a summary of more than a runner takes is cut, however often it is added to", () => {
  const file = join(folder, "summary");
  writeFileSync(file, "");
  const { runner } = runnerWith({ GITHUB_STEP_SUMMARY: file });
  for (let index = 0; index < 12; index++) runner.summary("🚀\n".repeat(20_000));
  const text = readFileSync(file, "utf8");
  assert.ok(Buffer.byteLength(text) <= SUMMARY_BYTES_MAX && Buffer.byteLength(text) > SUMMARY_BYTES_MAX - 10);
  assert.ok(/^(🚀?\n)+$/u.test(text), "whole lines");
});

test("an output of several lines ends where nobody can guess", () => {
  const file = join(folder, "output");
  writeFileSync(file, "");
  const { runner } = runnerWith({ GITHUB_OUTPUT: file });
  runner.output("summary", "one\nend\nchanges<<x\ntrue");
  assert.equal(readFileSync(file, "utf8"), "summary<<end-id1\none\nend\nchanges<<x\ntrue\nend-id1\n");
});

test("outside of a runner outputs and summaries go nowhere", () => {
  const { runner, printed } = runnerWith();
  runner.output("summary", "x");
  runner.summary("x");
  assert.equal(printed(), "");
});

test("annotations are escaped, properties more than messages", () => {
  const { runner, printed } = runnerWith();
  runner.annotate("error", "50%, a:b\r\nc", { title: "x", file: "a,b:c%.service", line: 3, col: undefined });
  assert.equal(printed(), "::error title=x,file=a%2Cb%3Ac%25.service,line=3::50%25, a:b%0D%0Ac\n");
});

const LOGGED: readonly [string, string, string][] = [
  ["plain text is printed as it is", "a b", "a b\n"],
  ["an order to the runner is none", "a\n::error::x", "::stop-commands::id1\na\n::error::x\n::id1::\n"],
  ["nor is one of the old form, wherever it stands", "a ##[error]x\n", "::stop-commands::id1\na ##[error]x\n::id1::\n"],
];
for (const [sentence, text, expected] of LOGGED) {
  test(sentence, () => {
    const { runner, printed } = runnerWith();
    runner.log(text);
    assert.equal(printed(), expected);
  });
}

test("each line of a secret is masked, what everybody knows of it is not", () => {
  const { runner, printed } = runnerWith();
  runner.mask("-----BEGIN KEY-----\nlong secret%\nab\n\n-----END KEY-----");
  assert.equal(printed(), "::add-mask::long secret%25\n");
});
