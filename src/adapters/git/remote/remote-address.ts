import { isAbsolute } from "node:path";
import { OperationError } from "../../../ports/operation-error.ts";
import { displayUrl } from "../display-url.ts";

/** Where a remote is, taken apart. */
export type RemoteAddress =
  | {
      readonly kind: "http";
      /** Without what is secret in it. */
      readonly url: string;
      /** `user:password`; null: nobody in particular. */
      readonly credentials: string | null;
    }
  | {
      readonly kind: "ssh";
      readonly user: string | null;
      readonly host: string;
      readonly port: number | null;
      readonly path: string;
    };

/** Whether that is somewhere else: http(s), ssh, or git's short form for ssh, `user@host:path`. */
export function isRemoteAddress(address: string): boolean {
  return /^(https?|(git\+)?ssh):\/\//i.test(address) || isShortForm(address);
}

/** A colon before any slash, and no scheme. */
function isShortForm(address: string): boolean {
  return !isAbsolute(address) && /^[^/\s:]+:(?!\/\/)/.test(address) && !/^(hub|file):/.test(address);
}

/** Rejects with `source-address-refused`, also for what ssh or a shell would take for an option. */
export function parseRemoteAddress(address: string): RemoteAddress {
  if (/^https?:\/\//i.test(address)) return parseHttp(address);
  const parts = isShortForm(address) ? shortForm(address) : longForm(address);
  if (parts === null || !isHost(parts.host) || !isUser(parts.user) || !isPath(parts.path)) throw refused(address);
  return { kind: "ssh", ...parts };
}

function parseHttp(address: string): RemoteAddress {
  if (!URL.canParse(address)) throw refused(address);
  const url = new URL(address);
  const named = url.username !== "" || url.password !== "";
  const credentials = named ? `${decoded(url.username)}:${decoded(url.password)}` : null;
  url.username = "";
  url.password = "";
  url.hash = "";
  return { kind: "http", url: url.href.replace(/\/+$/, ""), credentials };
}

interface SshParts {
  readonly user: string | null;
  readonly host: string;
  readonly port: number | null;
  readonly path: string;
}

function longForm(address: string): SshParts | null {
  if (!URL.canParse(address)) return null;
  const { username, hostname, port, pathname } = new URL(address);
  const path = decoded(pathname);
  return {
    user: username === "" ? null : decoded(username),
    host: hostname.replace(/^\[(.*)\]$/, "$1"),
    port: port === "" ? null : Number(port),
    // As git has it: ssh://host/~me/repo is below a home.
    path: path.startsWith("/~") ? path.slice(1) : path,
  };
}

function shortForm(address: string): SshParts {
  const [, user, host, path] = /^(?:([^@]*)@)?([^:]*):(.*)$/.exec(address)!;
  return { user: user ?? null, host: host!, port: null, path: path! };
}

function isHost(host: string): boolean {
  return /^[A-Za-z0-9._:%-]{1,255}$/.test(host) && !host.startsWith("-");
}

function isUser(user: string | null): boolean {
  return user === null || /^[A-Za-z0-9_][A-Za-z0-9._+-]{0,63}$/.test(user);
}

function isPath(path: string): boolean {
  return path.length > 0 && path.length < 4_096 && !path.startsWith("-") && !/[\x00-\x1f\x7f]/.test(path);
}

function refused(address: string): OperationError {
  return new OperationError("source-address-refused", `${displayUrl(address)} is no address of a git repository`, {
    next: "write https://host/path, ssh://user@host/path or user@host:path",
  });
}

/** What `%41` stands for; what is no such thing stands for itself. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // A `%` that begins no code.
  }
}
