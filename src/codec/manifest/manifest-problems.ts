import { z } from "zod";
import type { Diagnostic } from "../../domain/diagnostic.ts";
import { closestName } from "../../domain/unit/closest-name.ts";
import { refusedKey } from "./refused-keys.ts";
import type { YamlPath, YamlTree, YamlValue } from "./yaml-tree.ts";

/** What a schema's issue means to the author of the manifest: one diagnostic for each thing to change. */
export function manifestProblems(schema: z.ZodType, tree: YamlTree, issue: z.core.$ZodIssue): readonly Diagnostic[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => unknownKey(schema, tree, issue.path, key));
  }
  const key = keyOf(issue.path);
  if (issue.code === "invalid_key") {
    return [
      {
        code: "manifest-key",
        severity: "error",
        at: tree.keyAt(issue.path),
        saw: `${key}`,
        expected: issue.issues[0]?.message ?? issue.message,
      },
    ];
  }
  const value = valueAt(tree.root, issue.path);
  if (value === undefined) {
    return [
      {
        code: "manifest-missing-key",
        severity: "error",
        at: tree.valueAt(issue.path),
        saw: `no ${key}`,
        expected: `${key}: ${issue.message}`,
      },
    ];
  }
  return [
    {
      code: "manifest-value",
      severity: "error",
      at: tree.valueAt(issue.path),
      saw: issue.path.length === 0 ? describe(value) : `${key}: ${describe(value)}`,
      expected: issue.message,
    },
  ];
}

function unknownKey(schema: z.ZodType, tree: YamlTree, path: YamlPath, key: string): Diagnostic {
  const at = tree.keyAt([...path, key]);
  const refused = refusedKey([...path, key]);
  if (refused !== null) {
    const saw = `the key ${key}: ${refused.because}`;
    return { code: "manifest-refused-key", severity: "error", at, saw, next: refused.next };
  }
  const known = keysAt(schema, path);
  const meant = closestName(key, known);
  return {
    code: "manifest-unknown-key",
    severity: "error",
    at,
    saw: `the unknown key ${shorten(key)}`,
    ...(known.length === 0 ? {} : { expected: `one of ${known.join(", ")}` }),
    ...(meant === null ? {} : { next: `did you mean ${meant}?` }),
  };
}

/** The keys the schema knows in the mapping at that path. */
function keysAt(schema: unknown, path: YamlPath): readonly string[] {
  if (schema instanceof z.ZodOptional) return keysAt(schema.unwrap(), path);
  const [step, ...rest] = path;
  if (schema instanceof z.ZodObject) {
    if (step === undefined) return Object.keys(schema.shape).sort();
    return keysAt((schema.shape as Record<string, unknown>)[String(step)], rest);
  }
  if (schema instanceof z.ZodArray && step !== undefined) return keysAt(schema.element, rest);
  if (schema instanceof z.ZodUnion) return schema.options.flatMap((option) => keysAt(option, path));
  if (schema instanceof z.ZodRecord && step !== undefined) return keysAt(schema.valueType, rest);
  return [];
}

export function valueAt(root: YamlValue, path: YamlPath): YamlValue | undefined {
  let value: YamlValue | undefined = root;
  for (const step of path) {
    if (value === null || value === undefined || typeof value === "string") return undefined;
    const key = String(step);
    value = Object.hasOwn(value, key) ? (value as Record<string, YamlValue>)[key] : undefined;
  }
  return value;
}

/** The last step that has a name: `instances` for the second of its list. */
function keyOf(path: YamlPath): string {
  const named = path.filter((step) => typeof step === "string");
  return shorten(named.at(-1) ?? "the manifest");
}

function describe(value: YamlValue | undefined): string {
  if (value === null || value === undefined) return "nothing";
  if (typeof value === "string") return JSON.stringify(shorten(value));
  return Array.isArray(value) ? "a list" : "a mapping";
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
