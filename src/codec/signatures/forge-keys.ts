import { createPublicKey, type KeyObject } from "node:crypto";
import type { ForgeKey } from "../../domain/trust/commit-signature.ts";

/** An OpenPGP key, as far as a signature of it needs it. */
export interface ForgePublicKey {
  readonly forge: ForgeKey;
  /** 40 lower-case hexadecimal digits: SHA-1 of the key and the time it was made at, which the test works out again. */
  readonly fingerprint: string;
  readonly object: KeyObject;
  /** Of its modulus. */
  readonly bytes: number;
}

/**
 * The key GitHub signs with what is merged and edited on its pages: RSA of 4096 bits, made on 2024-01-16, in force when this was written
 * (https://github.com/web-flow.gpg). Of the one before it, which ran out that day, nothing is accepted. A new key of the forge is a new
 * release of fleet: that a forge may name its keys itself is what the opt-in must not mean.
 */
export const GITHUB_WEB_FLOW = {
  fingerprint: "968479a1aff927e37d1a566bb5690eeebb952194",
  createdSeconds: 1_705_428_342,
  exponent: "AQAB",
  modulus: [
    "sjfuL4hUDOkEKCq9ANltKxnTKG0ycDmbKNkD6XsG8gbLi96zVuTph61sFwITyjalCMjs3avDKEsaE07qi5LKGoYsRC_19p8oTgcU",
    "fRpGM_6CPUd52HC0WhUKEiaFXzretaKZC1M21gHoaW4E_BCpZ_CbBDatPtJw5VkItIdkPaBpqpYFc7JMJlWfC3sr-DIO4TerMMme",
    "5qGX5JKQ-flO2dl1bqws5Ekn4OM29pTESyaLNnggHO-PRArF9LezgX7RfmKoIyF4sV7Jtka1Kr1OOzpDrWXgIbwGHp2wt6a_RYWu",
    "TcaAVBGvtdTCvVujnEYcL8VQlKzFEehU0mcgv_1aV007a0ZTqqVOcBjGz986Z_YHqjlwpfKxe_tYADxv6PkBUEwbFRK7sIuCVqII",
    "kLkMjsACJRXv-3b2sVmRqb_8ltvi94Li-8WhyhVRrGsoZYrUEOV2vj9YkoCklw8kXgm1qLX6gHpqT8kiNuSx4d0nFyOjYHR0q0gW",
    "haI8AH4MWz0xEOmnSLChwkKH65y6zWt1DnhgxojjitGmFd44hAxgKLmrZDX9qvORKLI9X_ZWgqgB92CyQ-3XEp3tYgoSuakUwcjL",
    "yMnkg9DWzZ1TBThqV8kslrSm9pXabvAFgUCbCbPRZmAXFgBgQNqafiMWgp-qwSByLFFRUTfDlWSrBLAZFss",
  ].join(""),
};

let known: readonly ForgePublicKey[] | null = null;

/** Made on first use: most commits are signed by people. */
export function forgePublicKeys(): readonly ForgePublicKey[] {
  const { fingerprint, modulus, exponent } = GITHUB_WEB_FLOW;
  known ??= [
    {
      forge: "github-web-flow",
      fingerprint,
      object: createPublicKey({ format: "jwk", key: { kty: "RSA", n: modulus, e: exponent } }),
      bytes: Buffer.from(modulus, "base64url").length,
    },
  ];
  return known;
}
