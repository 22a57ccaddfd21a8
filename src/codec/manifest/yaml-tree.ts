import { Composer, type CST, isMap, isScalar, isSeq, LineCounter, Parser } from "yaml";
import type { Diagnostic, SourceLocation } from "../../domain/diagnostic.ts";

/** Every scalar is its source text: `1.10`, `01`, `yes` and 20-digit numbers arrive as written. Null: nothing stands there. */
export type YamlValue = string | null | YamlValue[] | { [key: string]: YamlValue };

export type YamlPath = readonly PropertyKey[];

/** Plain values, and where each stands in the file. */
export interface YamlTree {
  readonly root: YamlValue;
  /** Where the value at that path begins; the nearest place above it where the path leads nowhere. */
  readonly valueAt: (path: YamlPath) => SourceLocation;
  /** Where the key of the last step stands; the value itself where it has none. */
  readonly keyAt: (path: YamlPath) => SourceLocation;
}

/** The language needs six levels. Beyond 32 is an attack on whoever walks the tree by recursion. */
const DEPTH_MAX = 32;

interface Node {
  readonly key: number;
  readonly value: number;
}

/**
 * Reads one YAML document without anchors, aliases, tags, directives or duplicate keys: what is written is what is meant.
 * `tree` is null where the text is not such a document; then there is at least one error.
 */
export function readYamlTree(
  path: string,
  text: string,
): { tree: YamlTree | null; diagnostics: readonly Diagnostic[] } {
  const lines = new LineCounter();
  const at = (offset: number): SourceLocation => {
    const { line, col } = lines.linePos(offset);
    return { path, line, column: col };
  };
  const tokens = [...new Parser(lines.addNewLine).parse(text)];
  const refused = refusedTokens(tokens).map((finding) => ({ ...finding, at: at(finding.offset) }));
  if (refused.length > 0) return { tree: null, diagnostics: refused.map(yamlError) };

  // Its own search for equal keys takes a second for each ten thousand of them.
  const options = { schema: "failsafe", prettyErrors: false, uniqueKeys: false } as const;
  const documents = [...new Composer(options).compose(tokens)];
  const document = documents[0];
  const errors = documents.flatMap((one) => one.errors);
  const diagnostics = errors.map((error) =>
    yamlError({
      saw: `not YAML: ${error.message.split("\n")[0]!.replace(/[.:]$/, "")}`,
      at: at(error.pos[0]),
      next: "correct it; `fleet validate --worktree` checks it before a commit",
    }),
  );
  if (documents.length > 1) {
    const second = documents[1]!.range[0];
    diagnostics.push(yamlError({ saw: "a second YAML document", at: at(second), next: "keep one document per file" }));
  }
  if (document === undefined || diagnostics.length > 0) {
    if (diagnostics.length === 0) diagnostics.push(yamlError({ saw: "an empty file", at: at(0) }));
    return { tree: null, diagnostics };
  }

  const places = new Map<string, Node>();
  const twice: number[] = [];
  const root = toValue(document.contents, [], 0, places, twice);
  if (twice.length > 0) {
    const saw = { saw: "the same key twice in one mapping", next: "keep one of them" };
    return { tree: null, diagnostics: twice.map((offset) => yamlError({ ...saw, at: at(offset) })) };
  }
  const placeOf = (steps: YamlPath): Node => {
    for (let length = steps.length; length > 0; length -= 1) {
      const place = places.get(pathKey(steps.slice(0, length)));
      if (place !== undefined) return place;
    }
    return places.get(pathKey([])) ?? { key: 0, value: 0 };
  };
  return {
    tree: { root, valueAt: (steps) => at(placeOf(steps).value), keyAt: (steps) => at(placeOf(steps).key) },
    diagnostics,
  };
}

interface Finding {
  readonly saw: string;
  readonly next?: string | undefined;
}

function yamlError(finding: Finding & { at: SourceLocation }): Diagnostic {
  return {
    code: "manifest-yaml",
    severity: "error",
    at: finding.at,
    saw: finding.saw,
    ...(finding.next === undefined ? {} : { next: finding.next }),
  };
}

const REFUSED: Readonly<Record<string, Finding>> = {
  alias: { saw: "a YAML alias", next: "write the value out" },
  anchor: { saw: "a YAML anchor", next: "write the value out where it is used" },
  tag: { saw: "a YAML tag", next: "remove it; scalars are taken as written" },
  directive: { saw: "a YAML directive", next: "remove it" },
};

/**
 * Looks at the concrete syntax with a stack of its own, before anything recursive does: depth and aliases are how a small
 * file becomes a large problem.
 */
function refusedTokens(tokens: readonly CST.Token[]): readonly (Finding & { offset: number })[] {
  const found: (Finding & { offset: number })[] = [];
  const open: { token: CST.Token | CST.SourceToken; depth: number }[] = tokens.map((token) => ({ token, depth: 0 }));
  let tooDeep = false;
  while (open.length > 0) {
    const { token, depth } = open.pop()!;
    const finding = REFUSED[token.type];
    if (finding !== undefined) found.push({ ...finding, offset: token.offset });
    if (depth > DEPTH_MAX && !tooDeep) {
      tooDeep = true;
      found.push({ saw: `values nested deeper than ${DEPTH_MAX} levels`, offset: token.offset });
    }
    if (depth > DEPTH_MAX) continue;
    if ("value" in token && token.value !== undefined) open.push({ token: token.value, depth });
    if ("start" in token && Array.isArray(token.start))
      open.push(...token.start.map((part) => ({ token: part, depth })));
    if ("items" in token) {
      for (const item of token.items) {
        for (const part of [...item.start, ...(item.sep ?? [])]) open.push({ token: part, depth });
        if (item.key) open.push({ token: item.key, depth: depth + 1 });
        if (item.value) open.push({ token: item.value, depth: depth + 1 });
      }
    }
  }
  return found.sort((a, b) => a.offset - b.offset);
}

const pathKey = (path: YamlPath): string => JSON.stringify(path.map(String));

/** `twice` gets the offsets of keys that their mapping has already. */
function toValue(
  node: unknown,
  path: readonly string[],
  keyOffset: number,
  places: Map<string, Node>,
  twice: number[],
): YamlValue {
  const ranged = node as { range?: readonly number[] | null } | null;
  places.set(pathKey(path), { key: keyOffset, value: ranged?.range?.[0] ?? keyOffset });
  if (isMap(node)) {
    const members: { [key: string]: YamlValue } = {};
    for (const pair of node.items) {
      const key = isScalar(pair.key) ? String(pair.key.value) : "";
      const offset = (pair.key as { range?: readonly number[] | null } | null)?.range?.[0] ?? keyOffset;
      if (Object.hasOwn(members, key)) twice.push(offset);
      const value = toValue(pair.value, [...path, key], offset, places, twice);
      // A plain assignment of "__proto__" would set the prototype and hide the key from the check for unknown keys.
      Object.defineProperty(members, key, { value, enumerable: true, configurable: true, writable: true });
    }
    return members;
  }
  if (isSeq(node)) {
    return node.items.map((item, index) => toValue(item, [...path, String(index)], keyOffset, places, twice));
  }
  if (isScalar(node)) return node.type === "PLAIN" && node.source === "" ? null : String(node.value);
  return null;
}
