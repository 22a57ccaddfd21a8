import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { parseMachineId } from "../../domain/names.ts";
import { CERTIFICATE_LIFE_MS, CLOCK_SKEW_MS, issueCertificate } from "./issue-certificate.ts";
import { NodeIdentity } from "./node-identity.ts";
import { certificateFacts } from "./read-peer.ts";

const machine = parseMachineId("0123456789abcdef0123456789abcdef")!;
const claim = { clusterId: "c1", role: "machine", machine } as const;
const identity = new NodeIdentity(generateKeyPairSync("ed25519").privateKey);
const NOW = Date.UTC(2026, 10, 21, 20, 0, 0, 999);

test("what is issued is read back by the platform's reader, for machines, engines and whoever has no cluster yet", () => {
  for (const one of [claim, { ...claim, role: "engine" } as const, { ...claim, clusterId: null }]) {
    const issued = issueCertificate(identity, one, NOW);
    const { notBeforeMs, notAfterMs } = issued;
    assert.deepEqual(certificateFacts(new X509Certificate(issued.pem)), {
      ...{ key: identity.key, notBeforeMs, notAfterMs, uri: one },
    });
    assert.equal(notBeforeMs, Date.UTC(2026, 10, 21, 19, 0, 0));
    assert.equal(notAfterMs - notBeforeMs, CERTIFICATE_LIFE_MS);
  }
});

test("dates of every age are read back: before the epoch, across 2050, with lives of a minute and of decades", () => {
  const year = 365 * 24 * 3600 * 1000;
  const cases = [
    [0, CERTIFICATE_LIFE_MS],
    [Date.UTC(2049, 11, 31), CERTIFICATE_LIFE_MS],
    [Date.UTC(2050, 0, 1), CERTIFICATE_LIFE_MS],
    [NOW, 60_000],
    [NOW, 200 * year],
  ] as const;
  for (const [nowMs, lifeMs] of cases) {
    const { pem, notBeforeMs, notAfterMs } = issueCertificate(identity, claim, nowMs, lifeMs);
    const facts = certificateFacts(new X509Certificate(pem));
    assert.deepEqual([facts.notBeforeMs, facts.notAfterMs], [notBeforeMs, notAfterMs]);
    assert.ok(nowMs - notBeforeMs < CLOCK_SKEW_MS + 1000 && nowMs - notBeforeMs >= Math.min(CLOCK_SKEW_MS, lifeMs / 4));
  }
});

test("it is an authority for nobody, and no two have one number", () => {
  const [first, second] = [issueCertificate(identity, claim, NOW), issueCertificate(identity, claim, NOW)];
  const [a, b] = [new X509Certificate(first.pem), new X509Certificate(second.pem)];
  assert.equal(a.ca, false);
  assert.notEqual(a.serialNumber, b.serialNumber);
  assert.equal(a.subject, `CN=${machine}`);
  assert.equal(a.issuer, a.subject);
});

test("what its key has not signed says nothing", () => {
  const other = new NodeIdentity(generateKeyPairSync("ed25519").privateKey);
  const signed = new X509Certificate(issueCertificate(identity, claim, NOW).pem).raw;
  const foreign = new X509Certificate(issueCertificate(other, claim, NOW).pem).raw;
  const forged = Buffer.concat([signed.subarray(0, -64), foreign.subarray(-64)]);
  const facts = certificateFacts(new X509Certificate(forged));
  assert.deepEqual([facts.key, facts.uri], [identity.key, null]);
});

test("a key of another kind is none of ours", (context) => {
  const made = openssl(
    ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout"],
    ["/dev/null", ...["-subj", "/CN=x", "-addext", `subjectAltName=URI:fleet:c1:machine:${machine}`]],
  );
  if (made === null) return context.skip("openssl is not installed");
  const facts = certificateFacts(new X509Certificate(made.stdout));
  assert.deepEqual([facts.key, facts.uri], [null, null]);
});

test("a second name makes it one that names nobody", (context) => {
  const made = openssl(
    ["req", "-x509", "-newkey", "ed25519", "-nodes", "-keyout", "/dev/null", "-subj", "/CN=x"],
    [...["-addext", `subjectAltName=URI:fleet:c1:machine:${machine},DNS:nas.lan`]],
  );
  if (made === null) return context.skip("openssl is not installed");
  const facts = certificateFacts(new X509Certificate(made.stdout));
  assert.notEqual(facts.key, null);
  assert.equal(facts.uri, null);
});

test("openssl reads it, and by its strict rules", async (context) => {
  const { pem } = issueCertificate(identity, claim, Date.now());
  const folder = await mkdtemp(join(tmpdir(), "fleet-certificate-"));
  try {
    const path = join(folder, "certificate.pem");
    await writeFile(path, pem);
    const shown = openssl(["x509", "-noout", "-text", "-in", path]);
    if (shown === null) return context.skip("openssl is not installed");
    for (const line of [
      "Version: 3 (0x2)",
      "Signature Algorithm: ED25519",
      `Subject: CN = ${machine}`,
      `URI:fleet:c1:machine:${machine}`,
      "CA:FALSE",
      "TLS Web Server Authentication, TLS Web Client Authentication",
    ]) {
      assert.ok(shown.stdout.includes(line), `${line} in\n${shown.stdout}`);
    }
    const verified = openssl(["verify", "-x509_strict", "-partial_chain", "-CAfile", path, path]);
    assert.equal(verified?.status, 0, verified?.stderr);
  } finally {
    await rm(folder, { recursive: true });
  }
});

/** Null where it is not installed. */
function openssl(command: readonly string[], more: readonly string[] = []) {
  const run = spawnSync("openssl", [...command, ...more], { encoding: "utf8", timeout: 20_000 });
  return (run.error as NodeJS.ErrnoException | undefined)?.code === "ENOENT" ? null : run;
}
