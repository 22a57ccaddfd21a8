import { canonicalJson, type Json } from "../domain/canonical-json.ts";

/** Version of every record we write. Raise it when a field changes its meaning, not when one is added. */
export const RECORD_VERSION = 1;

/** What a record's field must be. `string?` and `number?` may be null. */
type FieldKind = "string" | "number" | "boolean" | "string?" | "strings" | "texts" | "object?" | "objects";
export type Shape = Readonly<Record<string, FieldKind>>;

export type Decoded<T> =
  | { readonly kind: "record"; readonly record: T }
  /** Not ours or damaged: quarantined by the reader, the rest works. */
  | { readonly kind: "garbage"; readonly problem: string }
  /** Written by a newer fleet: whoever meets one reads only and writes nothing. */
  | { readonly kind: "newer"; readonly version: number };

/** A record's text: canonical JSON, so that equal records are equal bytes. */
export function encodeRecord(record: object): string {
  return canonicalJson({ v: RECORD_VERSION, ...record } as Json);
}

/** Reads a record and checks each field's kind; unknown fields are left in place, a newer minor version may have added them. */
export function decodeRecord<T>(text: string, shape: Shape): Decoded<T> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { kind: "garbage", problem: error instanceof Error ? error.message : "not JSON" };
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return { kind: "garbage", problem: "not an object" };
  const record = value as Record<string, unknown>;
  if (typeof record.v !== "number") return { kind: "garbage", problem: "no version" };
  if (record.v > RECORD_VERSION) return { kind: "newer", version: record.v };
  const wrong = wrongField(record, shape);
  if (wrong !== undefined) return { kind: "garbage", problem: `${wrong} is not a ${shape[wrong]}` };
  const { v: _version, ...fields } = record;
  return { kind: "record", record: fields as T };
}

/** Whether a part of a record, which has no version of its own, has the fields it must have. */
export function hasShape(value: unknown, shape: Shape): boolean {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return wrongField(value as Record<string, unknown>, shape) === undefined;
}

function wrongField(record: Readonly<Record<string, unknown>>, shape: Shape): string | undefined {
  return Object.keys(shape).find((field) => !fits(record[field], shape[field]!));
}

function fits(value: unknown, kind: FieldKind): boolean {
  switch (kind) {
    case "string":
    case "number":
    case "boolean":
      return typeof value === kind;
    case "string?":
      return value === null || typeof value === "string";
    case "object?":
      return value === null || (typeof value === "object" && !Array.isArray(value));
    case "strings":
      return Array.isArray(value) && value.every((item) => typeof item === "string");
    case "objects":
      return Array.isArray(value) && value.every((item) => typeof item === "object" && item !== null);
    case "texts":
      return (
        typeof value === "object" &&
        value !== null &&
        !Array.isArray(value) &&
        Object.values(value).every((item) => typeof item === "string")
      );
  }
}
