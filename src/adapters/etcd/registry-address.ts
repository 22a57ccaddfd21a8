import { OperationError } from "../../ports/operation-error.ts";

/** Where a registry is: targets in grpc-js's notation, any of which serves the same store. */
export interface RegistryAddress {
  readonly targets: readonly string[];
  readonly secure: boolean;
  /** As the user wrote it, for messages. */
  readonly text: string;
}

/** More endpoints than an etcd cluster has members (seven is etcd's own advice) are a pasted mistake. */
const ENDPOINTS_MAX = 16;
const DEFAULT_PORT = "2379";
/** Host names, IPv4 and bracketed IPv6 addresses, with or without a port. */
const ENDPOINT = /^(?<host>\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::(?<port>\d{1,5}))?$/;
const FORMS = "write etcd://host:2379,host:2379, etcds://host:2379 (TLS), hub://host (engines) or unix:/path/to/socket";

/** Reads `etcd://h1:2379,h2`, `etcds://h1` and `unix:/path`. Throws OperationError `registry-address-invalid`. */
export function parseRegistryAddress(text: string): RegistryAddress {
  if (text.startsWith("unix:")) {
    const path = text.slice("unix:".length).replace(/^\/\/(?=\/)/, "");
    if (!path.startsWith("/")) throw invalid(text, "the socket's path is not absolute");
    return { targets: [`unix:${path}`], secure: false, text };
  }
  const scheme = /^(etcds?):\/\//.exec(text);
  if (scheme === null) throw invalid(text, "it names no kind of registry");
  const endpoints = text.slice(scheme[0].length).replace(/\/$/, "").split(",");
  if (endpoints.length > ENDPOINTS_MAX) throw invalid(text, `it has more than ${ENDPOINTS_MAX} endpoints`);
  return { targets: endpoints.map((endpoint) => targetOf(endpoint, text)), secure: scheme[1] === "etcds", text };
}

function targetOf(endpoint: string, text: string): string {
  const match = ENDPOINT.exec(endpoint);
  if (match === null) throw invalid(text, `"${endpoint}" is not host:port`);
  const { host, port = DEFAULT_PORT } = match.groups as { host: string; port?: string };
  if (Number(port) < 1 || Number(port) > 65_535) throw invalid(text, `${port} is not a port`);
  return `dns:${host}:${port}`;
}

function invalid(text: string, why: string): OperationError {
  const message = `"${text}" is no registry's address: ${why}`;
  // Somebody may have tried user:password@host; a message ends up in logs.
  const safe = message.replaceAll(/[^\s"/,]+@/g, "…@");
  return new OperationError("registry-address-invalid", safe, { next: FORMS });
}
