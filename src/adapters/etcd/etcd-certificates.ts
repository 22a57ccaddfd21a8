import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { connect } from "node:tls";
import type { CertificateFacts } from "../../domain/doctor/registry-check-facts.ts";
import { OperationError } from "../../ports/operation-error.ts";
import type { TlsFiles } from "./tls-files.ts";

const HANDSHAKE_MAX_MS = 4_000;

/** Of every endpoint that shows one, of this client and of the authority: one that has ended is told, not refused. */
export async function certificatesOf(
  endpoints: readonly string[],
  { authority, certificate, key }: TlsFiles,
  nowMs: number,
): Promise<CertificateFacts[]> {
  const files = [
    ["client", certificate],
    ["authority", authority],
  ] as const;
  const [shown, own] = await Promise.all([
    Promise.all(endpoints.map((endpoint) => shownBy(endpoint, certificate, key))),
    Promise.all(
      files.map(async ([whose, path]) => (path === undefined ? [] : describe(whose, path, await parse(path), nowMs))),
    ),
  ]);
  const servers = shown.flatMap((one, index) =>
    one === null ? [] : describe("server", endpoints[index]!, [one], nowMs),
  );
  return [...servers, ...own.flat()];
}

function describe(
  whose: CertificateFacts["whose"],
  where: string,
  certificates: readonly X509Certificate[],
  nowMs: number,
): CertificateFacts[] {
  // A client's file may hold those that signed it behind its own; a bundle of authorities, each for itself.
  const meant = whose === "authority" ? certificates : certificates.slice(0, 1);
  return meant.map(({ subject, validFromDate, validToDate }) => ({
    ...{ whose, where, name: nameOf(subject), nowMs },
    notBeforeMs: validFromDate.getTime(),
    notAfterMs: validToDate.getTime(),
  }));
}

function nameOf(subject: string): string {
  return /^CN=(.+)$/m.exec(subject)?.[1] ?? subject.replaceAll("\n", ", ");
}

async function parse(path: string): Promise<X509Certificate[]> {
  try {
    const text = await readFile(path, "utf8");
    const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
    if (blocks === null) throw new Error("no certificate is in it");
    return blocks.map((block) => new X509Certificate(block));
  } catch (cause) {
    throw new OperationError("registry-tls-invalid", `cannot use ${path}`, { cause });
  }
}

/** Null where nobody is there, or speaks no TLS: what keeps us out is said by whoever asks for more than a certificate. */
async function shownBy(endpoint: string, certificate?: string, key?: string): Promise<X509Certificate | null> {
  const url = new URL(`tls://${endpoint}`);
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const [cert, pem] = await Promise.all(
    [certificate, key].map(async (path) => (path === undefined ? undefined : readFile(path).catch(() => undefined))),
  );
  return new Promise((resolve) => {
    const own = cert === undefined || pem === undefined ? {} : { cert, key: pem };
    // Judged by nobody here: this connection carries nothing.
    const socket = connect({ host, port: Number(url.port), rejectUnauthorized: false, ALPNProtocols: ["h2"], ...own });
    socket.setTimeout(HANDSHAKE_MAX_MS, () => socket.destroy());
    socket.once("secureConnect", () => {
      resolve(socket.getPeerX509Certificate() ?? null);
      socket.destroy();
    });
    socket.on("error", () => socket.destroy());
    socket.once("close", () => resolve(null));
  });
}
