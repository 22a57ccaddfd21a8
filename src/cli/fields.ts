import { OperationError } from "../ports/operation-error.ts";

/** Picks a list command's columns, fleetctl's way: `--fields unit,machine`; an unknown one is an error that names the known. */
export function selectFields<Row>(
  known: Readonly<Record<string, (row: Row) => string>>,
  asked: string,
): ((row: Row) => string)[] {
  return fieldNames(known, asked).map((name) => known[name]!);
}

/** The names asked for, each known. */
export function fieldNames(known: Readonly<Record<string, unknown>>, asked: string): string[] {
  const names = asked.split(",").map((name) => name.trim());
  const unknown = names.filter((name) => !Object.hasOwn(known, name));
  if (unknown.length === 0) return names;
  throw new OperationError("unknown-field", `there is no field ${unknown.join(", ")}`, {
    next: `the fields are ${Object.keys(known).sort().join(", ")}`,
  });
}
