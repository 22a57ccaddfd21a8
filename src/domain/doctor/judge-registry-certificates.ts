import type { AreaVerdict, Finding } from "./finding.ts";
import type { CertificateFacts } from "./registry-check-facts.ts";

/** Of its life left: of 90 days three weeks, enough for a holiday of whoever renews it. */
const LEFT_WARN = 0.25;
const DAY_MS = 86_400_000;

/** Files are read again on each connect, so that renewing one needs no restart of fleet. */
export function judgeCertificates(certificates: readonly CertificateFacts[]): AreaVerdict {
  const first = certificates.reduce((a, b) => (b.notAfterMs < a.notAfterMs ? b : a));
  return {
    saw: `${certificates.length} looked at, the first to end is ${titled(first)}: ${whenOver(first)}`,
    findings: certificates.flatMap(judgeOne),
  };
}

function judgeOne(certificate: CertificateFacts): Finding[] {
  const { whose, where, notBeforeMs, notAfterMs, nowMs } = certificate;
  const next = RENEW[whose];
  const expected = `more than a quarter of its ${days(notAfterMs - notBeforeMs)} left`;
  if (nowMs < notBeforeMs) {
    const saw = `${titled(certificate)} (${where}) begins in ${days(notBeforeMs - nowMs)}`;
    const clock = "look at this machine's clock: timedatectl";
    return [{ code: "certificate-over", severity: "error", saw, expected: "one that has begun", next: clock }];
  }
  const saw = `${titled(certificate)} (${where}): ${whenOver(certificate)}`;
  if (nowMs >= notAfterMs) return [{ code: "certificate-over", severity: "error", saw, expected, next }];
  if (notAfterMs - nowMs >= LEFT_WARN * (notAfterMs - notBeforeMs)) return [];
  return [{ code: "certificate-ends", severity: "warning", saw, expected, next }];
}

const RENEW: Readonly<Record<CertificateFacts["whose"], string>> = {
  server: "renew it where etcd runs; etcd reads it again by itself",
  client: "renew it and put it in the old one's place; fleet reads it again on the next connect",
  authority: "sign everything anew with another authority, and let both be trusted meanwhile: docs/etcd.md",
};

function titled({ whose, name }: CertificateFacts): string {
  return `the ${whose}'s certificate of ${name}`;
}

function whenOver({ notAfterMs, nowMs }: CertificateFacts): string {
  return notAfterMs <= nowMs ? `ended ${days(nowMs - notAfterMs)} ago` : `${days(notAfterMs - nowMs)} left`;
}

function days(ms: number): string {
  return ms < 2 * DAY_MS ? `${Math.floor(ms / 3_600_000)} h` : `${Math.floor(ms / DAY_MS)} days`;
}
