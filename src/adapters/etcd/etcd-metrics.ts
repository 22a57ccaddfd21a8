import { readFile } from "node:fs/promises";
import { type IncomingMessage, request as plainRequest } from "node:http";
import { request as secureRequest } from "node:https";
import type { StoreFacts } from "../../domain/doctor/registry-check-facts.ts";
import type { TlsFiles } from "./tls-files.ts";

/** etcd's are 150 KiB; some thousand users of gRPC would make them ten times as many. */
const BYTES_MAX = 4 * 1024 ** 2;
const ANSWER_MAX_MS = 4_000;

/** What an etcd counts for Prometheus, of which quota and compaction stand nowhere else. */
export interface EtcdMetrics extends StoreFacts {
  /** What its clock said when it answered, milliseconds since 1970, whole seconds. */
  readonly date: number | null;
}

/** Null where it tells nothing there: it may serve them elsewhere (--listen-client-http-urls), or not to us. */
export async function readMetrics(endpoint: string, isSecure: boolean, tls: TlsFiles): Promise<EtcdMetrics | null> {
  try {
    const { text, date } = await get(`${isSecure ? "https" : "http"}://${endpoint}/metrics`, isSecure ? tls : null);
    const number = (name: string) => metric(text, name);
    const compacted = number("etcd_debugging_mvcc_compact_revision");
    return {
      bytes: number("etcd_mvcc_db_total_size_in_bytes"),
      bytesInUse: number("etcd_mvcc_db_total_size_in_use_in_bytes"),
      quotaBytes: number("etcd_server_quota_backend_bytes"),
      revision: number("etcd_debugging_mvcc_current_revision"),
      // -1: never.
      compactedRevision: compacted === null ? null : Math.max(0, compacted),
      date,
    };
  } catch {
    // Whether it can be reached at all is asked by other means, and said there.
    return null;
  }
}

function metric(text: string, name: string): number | null {
  const found = new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1];
  const value = Number(found ?? Number.NaN);
  return Number.isFinite(value) ? value : null;
}

async function get(
  url: string,
  tls: TlsFiles | null,
): Promise<{ readonly text: string; readonly date: number | null }> {
  const read = async (path: string | undefined) => (path === undefined ? undefined : await readFile(path));
  const [ca, cert, key] = await Promise.all([tls?.authority, tls?.certificate, tls?.key].map(read));
  const signal = AbortSignal.timeout(ANSWER_MAX_MS);
  return new Promise((resolve, reject) => {
    const answered = (response: IncomingMessage) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > BYTES_MAX) response.destroy(new Error(`more than ${BYTES_MAX} bytes`));
        chunks.push(chunk);
      });
      response.on("error", reject);
      response.on("end", () => {
        if (response.statusCode !== 200) return reject(new Error(`status ${response.statusCode}`));
        const date = Date.parse(response.headers.date ?? "");
        resolve({ text: Buffer.concat(chunks).toString("utf8"), date: Number.isFinite(date) ? date : null });
      });
    };
    const request =
      tls === null
        ? plainRequest(url, { signal, agent: false }, answered)
        : secureRequest(url, { signal, agent: false, ca, cert, key }, answered);
    request.on("error", reject);
    request.end();
  });
}
