import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { SIGNER_LINES } from "../../../test/signed-samples.ts";
import { sshSigner } from "../../../test/ssh-signer.ts";
import { eligible } from "../../domain/trust/different-signers.ts";
import { identifySigner, isKnown } from "../../domain/trust/identify-signer.ts";
import { NO_TRUST } from "../../domain/trust/trust-policy.ts";
import { readAllowedSigners, SIGNERS_BYTES_MAX } from "./allowed-signers.ts";
import { parseSignersTime } from "./signers-time.ts";
import { verifySshSignature } from "./ssh-signature.ts";

const KEY = sshSigner("ada").line.slice("ada ".length);
const read = (text: string) => readAllowedSigners("trust/allowed_signers", Buffer.from(text));
const found = (text: string) =>
  read(text).diagnostics.map(({ code, at }) => `${code} ${at?.line ?? "-"}:${at?.column ?? "-"}`);

test("a file with comments, empty lines, several principals and several lines of one is read whole", () => {
  const { signers, diagnostics } = read(
    [
      "# who may change what runs",
      "",
      `ada@example.org,ops ${KEY} Ada's laptop`,
      `  ada@example.org\t${SIGNER_LINES.rsa2048.split(" ").slice(1).join(" ")}\r`,
      `"grace hopper",!*@evil.example namespaces="git,file",valid-after="20260101Z",valid-before="202702011200" ${KEY}`,
    ].join("\n"),
  );
  assert.deepEqual(diagnostics, []);
  assert.deepEqual(signers, [
    { principals: ["ada@example.org", "ops"], key: KEY, namespaces: null, validAfterMs: null, validBeforeMs: null },
    {
      principals: ["ada@example.org"],
      key: SIGNER_LINES.rsa2048.split(" ").slice(1).join(" "),
      namespaces: null,
      validAfterMs: null,
      validBeforeMs: null,
    },
    {
      principals: ['"grace hopper"', "!*@evil.example"],
      key: KEY,
      namespaces: ["git", "file"],
      validAfterMs: Date.UTC(2026, 0, 1),
      validBeforeMs: Date.UTC(2027, 1, 1, 12),
    },
  ]);
});

test("every kind of key that verifies may be listed", () => {
  const { rsa1024, ...good } = SIGNER_LINES;
  assert.deepEqual(found(Object.values(good).join("\n")), []);
  assert.deepEqual(found(rsa1024), ["signers-key 1:21"]);
});

test("what is wrong is told at its place, and the other lines count", () => {
  const certificate = KEY.replace("ssh-ed25519 ", "ssh-ed25519-cert-v01@openssh.com ");
  const table: readonly (readonly [string, string, string])[] = [
    ["a name alone", "ada", "signers-line 1:4"],
    ["no key", "ada ssh-ed25519", "signers-line 1:16"],
    ["a key alone", KEY, "signers-option 1:13"],
    ["an empty name", `ada,,ops ${KEY}`, "signers-line 1:1"],
    ["only refusals", `!ada ${KEY}`, "signers-line 1:1"],
    ["a cut key", `ada ${KEY.slice(0, -4)}`, "signers-key 1:5"],
    ["a key of another algorithm than it says", `ada ${KEY.replace("ssh-ed25519", "ssh-rsa")}`, "signers-key 1:5"],
    ["a certificate", `ada ${certificate}`, "signers-key 1:5"],
    ["an authority", `ada cert-authority ${KEY}`, "signers-authority 1:5"],
    ["an authority with options", `ada namespaces="git",Cert-Authority ${KEY}`, "signers-authority 1:22"],
    ["an option nobody knows", `ada no-touch-required ${KEY}`, "signers-option 1:5"],
    ["an option without quotes", `ada namespaces=git ${KEY}`, "signers-option 1:5"],
    ["an option twice", `ada namespaces="git",namespaces="git" ${KEY}`, "signers-option 1:22"],
    ["a day there is not", `ada valid-after="20260230" ${KEY}`, "signers-option 1:5"],
    [
      "a time that ends before it begins",
      `ada valid-after="20260201",valid-before="20260101" ${KEY}`,
      "signers-option 1:5",
    ],
  ];
  for (const [what, line, expected] of table) {
    assert.deepEqual(found(line), [expected], what);
    const { signers, diagnostics } = read(`${line}\nbob ${KEY}\n`);
    assert.deepEqual([signers.length, diagnostics.length], [1, 1], what);
  }
});

test("a file without signers, one that is too large and one that is no text are told as a whole", () => {
  assert.deepEqual(found("# nobody\n"), ["signers-empty -:-"]);
  assert.deepEqual(found("x".repeat(SIGNERS_BYTES_MAX + 1)), ["signers-unreadable -:-"]);
  const bytes = Buffer.from([0x61, 0xff, 0xfe]);
  assert.equal(readAllowedSigners("a", bytes).diagnostics[0]?.code, "signers-unreadable");
});

test("times are of UTC, to the minute or the second", () => {
  const table: readonly (readonly [string, number | null])[] = [
    ["20260131", Date.UTC(2026, 0, 31)],
    ["20260131Z", Date.UTC(2026, 0, 31)],
    ["202601311259Z", Date.UTC(2026, 0, 31, 12, 59)],
    ["20260131125907", Date.UTC(2026, 0, 31, 12, 59, 7)],
    ["2026013", null],
    ["20261301", null],
    ["202601312500", null],
    ["20260131125960", null],
    ["2026-01-31", null],
    ["", null],
  ];
  for (const [text, expected] of table) assert.equal(parseSignersTime(text), expected, text);
});

const keygen = spawnSync("ssh-keygen", ["-?"]).error === undefined;

test("who may sign when is judged as ssh-keygen judges it", { skip: keygen ? false : "no ssh-keygen here" }, () => {
  const folder = mkdtempSync(join(tmpdir(), "fleet-signers-"));
  try {
    const ada = sshSigner("ada");
    const text = Buffer.from("what is signed");
    const signature = ada.sign(text);
    const [list, signed] = [join(folder, "allowed"), join(folder, "signature")];
    writeFileSync(signed, `${signature}\n`);
    const lines = [
      `ada ${KEY}`,
      `ada,bob ${KEY}`,
      `bob ${KEY}`,
      `* ${KEY}`,
      `!ada,* ${KEY}`,
      `a?a ${KEY}`,
      `ada namespaces="file" ${KEY}`,
      `ada namespaces="file,git" ${KEY}`,
      `ada namespaces="g*" ${KEY}`,
      `ada valid-after="20260615Z" ${KEY}`,
      `ada valid-after="20260616Z" ${KEY}`,
      `ada valid-before="20260615Z" ${KEY}`,
      `ada valid-before="20260616Z" ${KEY}`,
      `ada valid-before="20260614Z" ${KEY}\nada ${KEY}`,
      SIGNER_LINES.ed25519.replace(/^\S+/, "ada"),
    ];
    const atMs = Date.UTC(2026, 5, 15);
    let refused = 0;
    for (const line of lines) {
      writeFileSync(list, `${line}\n`);
      const options = ["-Overify-time=20260615Z", "-n", "git", "-f", list, "-I", "ada", "-s", signed];
      const theirs = spawnSync("ssh-keygen", ["-Y", "verify", ...options], { input: text }).status === 0;
      const trust = { ...NO_TRUST, mode: "head" as const, signers: read(line).signers };
      const signer = identifySigner(verifySshSignature(text, signature), trust, atMs);
      // They ask whether it was ada; fleet asks who it was.
      const ours = isKnown(signer) && eligible([signer], { signers: ["ada"] }).length === 1;
      assert.equal(ours, theirs, line);
      if (!theirs) refused++;
    }
    assert.ok(refused > 3 && refused < lines.length - 3, `${refused}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("what ssh-keygen signs here and now is good", { skip: keygen ? false : "no ssh-keygen here" }, () => {
  const folder = mkdtempSync(join(tmpdir(), "fleet-signers-"));
  try {
    for (const [kind, hash] of [["ed25519", "sha256"] as const, ["ecdsa", "sha512"] as const]) {
      const key = join(folder, kind);
      execFileSync("ssh-keygen", ["-q", "-t", kind, "-N", "", "-f", key]);
      const text = Buffer.from(`what is signed with ${kind}`);
      const signature = execFileSync("ssh-keygen", ["-Y", "sign", "-q", `-Ohashalg=${hash}`, "-n", "git", "-f", key], {
        input: text,
        encoding: "utf8",
        stdio: ["pipe", "pipe", "ignore"],
      });
      assert.equal(verifySshSignature(text, signature).kind, "ssh", kind);
      assert.equal(verifySshSignature(Buffer.from("something else"), signature).kind, "bad", kind);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
