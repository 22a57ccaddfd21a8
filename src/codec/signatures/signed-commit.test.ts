import assert from "node:assert/strict";
import { test } from "node:test";
import { SIGNED_COMMITS } from "../../../test/signed-samples.ts";
import { sshSigner, withSignature } from "../../../test/ssh-signer.ts";
import { cutCommit } from "./signed-commit.ts";

const [TREE, ONE, TWO] = ["4b", "01", "02"].map((byte) => byte.repeat(20));
const BY = "A <a@b> 1700000000 +0100";
const PLAIN = `tree ${TREE}\nparent ${ONE}\nparent ${TWO}\nauthor ${BY}\ncommitter ${BY}\n\ntext\n\nmore\n`;
const SIGNATURE = sshSigner("ada").sign(Buffer.from(PLAIN));
const cut = (raw: string) => cutCommit(Buffer.from(raw, "latin1"));

test("a commit is cut into what was signed and the signature, byte for byte", () => {
  const read = cut(withSignature(PLAIN, SIGNATURE));
  assert.equal(Buffer.from(read!.payload).toString("latin1"), PLAIN);
  assert.equal(read?.signature, SIGNATURE);
  assert.deepEqual(read?.parents, [ONE, TWO]);
  assert.equal(read?.committedMs, 1_700_000_000_000);
});

test("an unsigned one is its own payload, and headers that go on over several lines stay as they are", () => {
  assert.equal(Buffer.from(cut(PLAIN)!.payload).toString("latin1"), PLAIN);
  const tagged = PLAIN.replace(
    "\n\n",
    `\nmergetag object ${ONE}\n type commit\n \n gpgsig not one\nencoding latin1\n\n`,
  );
  const read = cut(withSignature(tagged, SIGNATURE));
  assert.equal(Buffer.from(read!.payload).toString("latin1"), tagged);
  assert.equal(read?.signature, SIGNATURE);
  assert.equal(cut(PLAIN.replace("text", "gpgsig in the text"))?.signature, null);
});

test("what git would not have written has no payload anybody could rely on", () => {
  const signed = withSignature(PLAIN, SIGNATURE);
  const header = `gpgsig ${SIGNATURE.replaceAll("\n", "\n ")}\n`;
  const table: readonly (readonly [string, string])[] = [
    ["two signatures", withSignature(signed, SIGNATURE)],
    ["a second one under another name", signed.replace("\n\n", "\ngpgsig-sha256 x\n\n")],
    ["a signature before the parents", PLAIN.replace(`parent ${ONE}`, `${header}parent ${ONE}`)],
    ["a parent behind the author", PLAIN.replace("\ncommitter", `\nparent ${ONE}\ncommitter`)],
    ["a parent at the end", PLAIN.replace("\n\n", `\nparent ${ONE}\n\n`)],
    ["two trees", PLAIN.replace("parent", `tree ${TREE}\nparent`)],
    ["no tree", PLAIN.replace(/^tree .*\n/, "")],
    ["no committer", PLAIN.replace(/committer .*\n/, "")],
    ["two committers", PLAIN.replace("\n\n", `\ncommitter ${BY}\n\n`)],
    ["a short id", PLAIN.replace(ONE!, ONE!.slice(1))],
    ["no time", PLAIN.replace(/(committer .*>).*/, "$1")],
    ["a NUL among the headers", PLAIN.replace("author A", "author A\0")],
    ["headers without an end", PLAIN.slice(0, PLAIN.indexOf("\n\n"))],
    ["a line without a name", PLAIN.replace("author", " author")],
    ["nothing", ""],
    ["a signature without end", withSignature(PLAIN, `${SIGNATURE}\n${"A".repeat(20_000)}`)],
  ];
  for (const [what, raw] of table) assert.equal(cut(raw), null, what);
});

test("all that git made is taken", () => {
  for (const [kind, raw] of Object.entries(SIGNED_COMMITS)) assert.notEqual(cut(raw)?.signature ?? null, null, kind);
});
