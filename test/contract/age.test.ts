import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createPrivateKey } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { thirdPartyBinary } from "../../scripts/third-party.ts";
import { decryptSecret, encryptSecret } from "../../src/adapters/secrets/age-files.ts";
import { recipientTag, sshLineOf } from "../../src/codec/signatures/machine-ssh-key.ts";
import { parseNodeKey } from "../../src/domain/identity/node-key.ts";
import { readSecretHeader } from "../../src/domain/secret/secret-header.ts";

/** The age of its author as a witness: what fleet writes it reads, and the other way round, so that nobody's secrets hang on fleet. */
const { age, skip } = await thirdPartyBinary("age").then(
  (path) => ({ age: path, skip: false as const }),
  (error: Error) => ({ age: "", skip: error.message }),
);

/** Made for this test. */
const KEY = parseNodeKey("ed25519:doxFpBYF4N0n__-r8-BRpNYmAKbIYpiU_yd0F4D3Jus")!;
const SEED = "0c1sqDZbFpFB4y1rPiDRglDfsPiKWea0oz901j04_qw";
const PERSON = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
const OPENSSH = `-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW
QyNTUxOQAAACB2jEWkFgXg3Sf//6vz4FGk1iYApshimJT/J3QXgPcm6wAAAIh4nRzKeJ0c
ygAAAAtzc2gtZWQyNTUxOQAAACB2jEWkFgXg3Sf//6vz4FGk1iYApshimJT/J3QXgPcm6w
AAAEDRzWyoNlsWkUHjLWs+INGCUN+w+IpZ5rSjP3TWPTj+rHaMRaQWBeDdJ///q/PgUaTW
JgCmyGKYlP8ndBeA9ybrAAAAAAECAwQF
-----END OPENSSH PRIVATE KEY-----
`;

test("age reads what fleet wrote, by a machine's key and by a person's", { skip }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "fleet-age-"));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "machine"), OPENSSH, { mode: 0o600 });
  writeFileSync(join(folder, "person"), `${PERSON}\n`, { mode: 0o600 });
  const { identityToRecipient } = await import("age-encryption");
  const to = { machines: [KEY], people: [await identityToRecipient(PERSON)] };
  writeFileSync(join(folder, "value.age"), await encryptSecret(Buffer.from("by fleet\n"), to, "v1"));
  for (const identity of ["machine", "person"]) {
    const read = execFileSync(age, ["-d", "-i", join(folder, identity), join(folder, "value.age")], {
      encoding: "utf8",
    });
    assert.equal(read, "by fleet\n", identity);
  }
});

test("fleet reads what age wrote to a machine, and sees for whom it is", { skip }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "fleet-age-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "value.age");
  execFileSync(age, ["--armor", "-r", sshLineOf(KEY), "-o", file], { input: "by age\n", stdio: "pipe" });
  const text = readFileSync(file, "utf8");
  const privateKey = createPrivateKey({
    key: { kty: "OKP", crv: "Ed25519", d: SEED, x: KEY.slice("ed25519:".length) },
    format: "jwk",
  });
  const value = await decryptSecret(text, [{ machine: privateKey, key: KEY }]);
  assert.equal(Buffer.from(value).toString(), "by age\n");
  assert.deepEqual(readSecretHeader(text), { header: { tags: [recipientTag(KEY)], others: 0, version: null } });
});
