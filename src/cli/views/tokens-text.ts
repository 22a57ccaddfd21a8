import type { ShownToken } from "../../codec/token-record.ts";
import type { Admission } from "../../domain/join/admission.ts";
import { durationText } from "./duration-text.ts";
import { table } from "./table.ts";

/** As many digits of a token's hash as people type; no two tokens of a cluster share them. */
const ID_DIGITS = 12;

interface Tokens {
  readonly tokens: readonly ShownToken[];
  readonly admitted: readonly Admission[];
}

/** The tokens that may still be used, then the machines that came in by one. */
export function tokensText({ tokens, admitted }: Tokens, nowMs: number): string {
  const open = tokens.map((token) => [
    token.hash.slice(0, ID_DIGITS),
    token.by,
    durationText(Math.max(0, token.expiresMs - nowMs)),
    token.namePrefix,
    metadataText(token.metadata),
  ]);
  const used = admitted.map(({ name, machine, by, atMs, metadata }) => [
    name,
    machine,
    by,
    new Date(atMs).toISOString(),
    metadataText(metadata),
  ]);
  return [
    open.length === 0 ? "no token is open" : table(["token", "by", "good for", "name prefix", "metadata"], open),
    ...(used.length === 0 ? [] : ["", table(["came in by a token", "id", "by", "at", "metadata"], used)]),
  ].join("\n");
}

/** What is said beside a new one. */
export function newTokenText({ hash, expiresMs }: ShownToken, nowMs: number): string {
  const until = `${durationText(Math.max(0, expiresMs - nowMs))}, until ${new Date(expiresMs).toISOString()}`;
  return [
    `good for ${until}, for one machine; its id is ${hash.slice(0, ID_DIGITS)}, and it is not shown again`,
    "next: on the machine: fleet join ENGINE --token TOKEN --engine-key KEY, with the key that join shows of the engine",
  ].join("\n");
}

function metadataText(metadata: Readonly<Record<string, string>>): string {
  return Object.entries(metadata)
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
}
