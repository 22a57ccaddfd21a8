import { readFileSync, statSync } from "node:fs";
import { hostname } from "node:os";
import { createSecureContext } from "node:tls";
import type { ApiTls } from "../api/api-server.ts";
import { readTokens } from "../api/bearer-tokens.ts";
import type { Door } from "../api/door.ts";
import { OperationError } from "../ports/operation-error.ts";
import { type ApiFlags, NO_API_SOCKET } from "./api-flags.ts";
import { hostAndPort } from "./host-and-port.ts";

/** Where the API is answered, and who is let in. */
export interface ApiDoor {
  readonly at: { readonly path: string } | { readonly host: string; readonly port: number };
  readonly door: Door;
  readonly tls: ApiTls | null;
}

/**
 * The doors that the flags ask for. Throws where one of them would let in everybody who reaches it: over a network nobody asks without a token or
 * a certificate.
 */
export function apiDoors(flags: ApiFlags): readonly ApiDoor[] {
  const path = flags["api-socket"];
  const socket: ApiDoor = { at: { path }, door: { scheme: "http", names: null, tokens: null }, tls: null };
  const network = networkDoor(flags);
  return [...(path === NO_API_SOCKET ? [] : [socket]), ...(network === null ? [] : [network])];
}

function networkDoor(flags: ApiFlags): ApiDoor | null {
  const listen = flags["api-listen"];
  if (listen === undefined) return null;
  const tokenFile = flags["api-token-file"];
  const tls = apiTls(flags);
  if (tokenFile === undefined && (tls === null || tls.clientAuthority === null)) {
    throw new OperationError("api-unguarded", `the API on ${listen} would answer everybody who reaches it`, {
      next: "give it --api-token-file FILE (head -c 32 /dev/urandom | base64 > FILE; chmod 0640), or --api-tls-cert, --api-tls-key and --api-client-ca",
    });
  }
  const names = [hostname(), "localhost", ...(flags["api-names"] ?? "").split(/[\s,]+/)].filter((name) => name !== "");
  const at = hostAndPort(listen);
  const known = [...names, at.host].map((name) => name.toLowerCase());
  const tokens = tokenFile === undefined ? null : tokensOf(tokenFile);
  return { at, door: { scheme: tls === null ? "http" : "https", names: known, tokens }, tls };
}

function apiTls(flags: ApiFlags): ApiTls | null {
  const [certificate, key, authority] = [flags["api-tls-cert"], flags["api-tls-key"], flags["api-client-ca"]];
  if (certificate === undefined && key === undefined && authority === undefined) return null;
  if (certificate === undefined || key === undefined) {
    throw new OperationError("api-tls-half", "TLS for the API takes --api-tls-cert and --api-tls-key, both", {
      next: "name the server's certificate and its key; --api-client-ca beside them says who may ask",
    });
  }
  const tls = {
    certificate: read("--api-tls-cert", certificate),
    key: read("--api-tls-key", key),
    clientAuthority: authority === undefined ? null : read("--api-client-ca", authority),
  };
  try {
    createSecureContext({ cert: tls.certificate, key: tls.key, ca: tls.clientAuthority ?? undefined });
  } catch (error) {
    throw new OperationError("api-tls-bad", `${certificate} and ${key} cannot be used as certificate and key`, {
      cause: error,
      next: "both are PEM, and the key is the certificate's own: openssl x509 -pubkey, openssl pkey -pubout",
    });
  }
  return tls;
}

/** Readable by others. */
const BY_OTHERS = 0o007;

/** Read again when the file has changed, so that a token is replaced without a restart; a file that is then no good lets nobody in. */
function tokensOf(path: string): () => readonly string[] {
  let known: { readonly mtimeMs: number; readonly tokens: readonly string[] } = { mtimeMs: -1, tokens: [] };
  const look = (): readonly string[] => {
    const { mtimeMs } = statSync(path);
    if (mtimeMs !== known.mtimeMs) known = { mtimeMs, tokens: readTokenFile(path) };
    return known.tokens;
  };
  readTokenFile(path);
  return () => {
    try {
      return look();
    } catch {
      // Said at the start, where somebody reads it; whoever breaks the file later finds that nobody is let in.
      return [];
    }
  };
}

function readTokenFile(path: string): readonly string[] {
  const text = read("--api-token-file", path);
  if ((statSync(path).mode & BY_OTHERS) !== 0) {
    throw new OperationError("api-token-open", `everybody on this machine may read the tokens in ${path}`, {
      next: `chmod 0640 ${path}, and let the engine's group own it`,
    });
  }
  const tokens = readTokens(text);
  if ("tokens" in tokens) return tokens.tokens;
  throw new OperationError("api-token-bad", `--api-token-file ${path}: ${tokens.problem}`, {
    next: `head -c 32 /dev/urandom | base64 > ${path}`,
  });
}

function read(flag: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new OperationError("api-file-unreadable", `cannot read ${flag} ${path}`, { cause: error });
  }
}
