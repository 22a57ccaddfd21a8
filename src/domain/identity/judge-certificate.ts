/** Milliseconds since the epoch. */
export interface CertificateDates {
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/**
 * - `good`: use it.
 * - `ending`: less than a quarter of its life is left, or none.
 * - `from-later`: it begins after now. The clock went back since it was made: to others it is not valid yet.
 */
export type CertificateVerdict = "good" | "ending" | "from-later";

/** Whether our own certificate is still one to show, by the wall clock, which may jump both ways. */
export function judgeCertificate({ notBeforeMs, notAfterMs }: CertificateDates, nowMs: number): CertificateVerdict {
  if (nowMs < notBeforeMs) return "from-later";
  const lastQuarterMs = notAfterMs - (notAfterMs - notBeforeMs) / 4;
  return nowMs < lastQuarterMs ? "good" : "ending";
}
