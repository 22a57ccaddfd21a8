import assert from "node:assert/strict";
import { test } from "node:test";
import { type CertificateVerdict, judgeCertificate } from "./judge-certificate.ts";

const dates = { notBeforeMs: 1000, notAfterMs: 5000 };

const cases: readonly (readonly [what: string, nowMs: number, verdict: CertificateVerdict])[] = [
  ["a clock that went back", 999, "from-later"],
  ["its first moment", 1000, "good"],
  ["the end of its third quarter", 3999, "good"],
  ["its last quarter", 4000, "ending"],
  ["its end", 5000, "ending"],
  ["a clock that jumped ahead", 9_000_000, "ending"],
];

for (const [what, nowMs, verdict] of cases) {
  test(`${what}: ${verdict}`, () => {
    assert.equal(judgeCertificate(dates, nowMs), verdict);
  });
}
