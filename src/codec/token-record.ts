import { parseNodeKey } from "../domain/identity/node-key.ts";
import type { Admission } from "../domain/join/admission.ts";
import type { KnownToken } from "../domain/join/judge-enrolment.ts";
import { parseMachineId } from "../domain/names.ts";
import type { Entry } from "../ports/registry.ts";
import { decodeRecord, encodeRecord, type Shape } from "./record.ts";
import type { RegistryKeys } from "./registry-keys.ts";

/** A token in the registry, under its hash: people write it, an engine deletes it when it lets a machine in, and its lease at its end. */
export interface ShownToken extends KnownToken {
  /** sha256 of its text, which nobody keeps. */
  readonly hash: string;
  readonly createdMs: number;
}

const TOKEN_SHAPE: Shape = {
  by: "string",
  createdMs: "number",
  expiresMs: "number",
  metadata: "texts",
  namePrefix: "string",
  op: "string",
};

export function encodeToken({ hash: _, ...token }: ShownToken, op: string): string {
  return encodeRecord({ ...token, op });
}

/** Null for a record nobody can read: it lets nobody in. */
export function decodeToken(keys: RegistryKeys, { key, value }: Pick<Entry, "key" | "value">): ShownToken | null {
  const decoded = decodeRecord<Omit<ShownToken, "hash">>(value, TOKEN_SHAPE);
  if (decoded.kind !== "record" || !key.startsWith(keys.tokens)) return null;
  const { by, createdMs, expiresMs, metadata, namePrefix } = decoded.record;
  return { hash: key.slice(keys.tokens.length), by, createdMs, expiresMs, metadata, namePrefix };
}

const ADMISSION_SHAPE: Shape = {
  name: "string",
  key: "string",
  metadata: "texts",
  by: "string",
  atMs: "number",
  token: "string",
  op: "string",
};

export function encodeAdmission({ machine: _, ...admission }: Admission, op: string): string {
  return encodeRecord({ ...admission, op });
}

/** Null for a record nobody can read, or whose key is none: it lets nobody in. */
export function decodeAdmission(keys: RegistryKeys, { key, value }: Pick<Entry, "key" | "value">): Admission | null {
  const decoded = decodeRecord<Omit<Admission, "machine">>(value, ADMISSION_SHAPE);
  const machine = key.startsWith(keys.admissions) ? parseMachineId(key.slice(keys.admissions.length)) : null;
  if (decoded.kind !== "record" || machine === null) return null;
  const nodeKey = parseNodeKey(decoded.record.key);
  if (nodeKey === null) return null;
  const { name, metadata, by, atMs, token } = decoded.record;
  return { machine, name, key: nodeKey, metadata, by, atMs, token };
}
