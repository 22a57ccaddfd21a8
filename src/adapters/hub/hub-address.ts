import { OperationError } from "../../ports/operation-error.ts";

/** The port on which an engine serves machines where nothing else is said: free of IANA's registrations and near nothing known. */
export const DEFAULT_FRONT_PORT = 7440;

/** One engine's front. */
export interface HubEndpoint {
  /** A name, an IPv4 address or an IPv6 one without brackets. */
  readonly host: string;
  readonly port: number;
}

/** Where a cluster's engines serve machines; any of them will do. */
export interface HubAddress {
  readonly engines: readonly HubEndpoint[];
  /** As the user wrote it, for messages. */
  readonly text: string;
}

/** Seven members are etcd's own advice, and engines need not be more; what is longer is a pasted mistake. */
const ENGINES_MAX = 16;
/** Host names, IPv4 and bracketed IPv6 addresses, with or without a port. */
const ENDPOINT = /^(?:\[(?<six>[0-9a-fA-F:.]+)\]|(?<host>[A-Za-z0-9._-]+))(?::(?<port>\d{1,5}))?$/;
const FORMS = "write hub://host, hub://host:7440 or hub://host,host (an engine with --listen each)";

/** Whether a registry's address means engines. */
export function isHubAddress(text: string): boolean {
  return text.startsWith("hub://");
}

/** Reads `hub://h1:7440,h2`. An engine named twice is one. Throws OperationError `registry-address-invalid`. */
export function parseHubAddress(text: string): HubAddress {
  if (!isHubAddress(text)) throw invalid(text, "it does not begin with hub://");
  const endpoints = text.slice("hub://".length).replace(/\/$/, "").split(",");
  if (endpoints.length > ENGINES_MAX) throw invalid(text, `it has more than ${ENGINES_MAX} engines`);
  const engines = new Map<string, HubEndpoint>();
  for (const endpoint of endpoints) {
    const parsed = parseEndpoint(endpoint.trim(), text);
    engines.set(endpointText(parsed), parsed);
  }
  return { engines: [...engines.values()], text };
}

/** `host:port`, with an IPv6 address in brackets: what people write and logs say. */
export function endpointText({ host, port }: HubEndpoint): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

function parseEndpoint(endpoint: string, text: string): HubEndpoint {
  const match = ENDPOINT.exec(endpoint);
  if (match === null) throw invalid(text, `"${endpoint}" is not host:port`);
  const { six, host = six!, port = String(DEFAULT_FRONT_PORT) } = match.groups as Record<string, string | undefined>;
  if (Number(port) < 1 || Number(port) > 65_535) throw invalid(text, `${port} is not a port`);
  return { host: host.toLowerCase(), port: Number(port) };
}

function invalid(text: string, why: string): OperationError {
  // Somebody may have tried user:password@host; a message ends up in logs.
  const safe = `"${text}" is no hub's address: ${why}`.replaceAll(/[^\s"/,]+@/g, "…@");
  return new OperationError("registry-address-invalid", safe, { next: FORMS });
}
