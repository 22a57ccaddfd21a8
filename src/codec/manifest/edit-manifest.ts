import { isMap, isScalar, type Pair, parseDocument, type Scalar, type YAMLMap } from "yaml";
import { hasErrors } from "../../domain/diagnostic.ts";
import type { ManifestEdit } from "../../domain/edit/repository-edit.ts";
import { readManifest } from "./read-manifest.ts";

/**
 * The manifest with these changes and every other byte as its author wrote it: comments, order, quotes and columns. Null where it cannot be
 * changed so that it reads as meant: it has errors, or stands in a form that has no place for them.
 *
 * yaml's own printer keeps comments but not their columns, nor the author's spacing in braces; so it is asked where things stand, and
 * the text is changed there.
 */
export function editManifest(path: string, text: string, edits: readonly ManifestEdit[]): string | null {
  let edited = text;
  for (const edit of edits) {
    const next = editOnce(edited, edit);
    if (next === null) return null;
    edited = next;
  }
  return isAsMeant(path, edited, edits) ? edited : null;
}

/** The last word about each setting counts. */
function isAsMeant(path: string, text: string, edits: readonly ManifestEdit[]): boolean {
  const { manifest, diagnostics } = readManifest(path, text);
  if (manifest === null || manifest.flawed || hasErrors(diagnostics)) return false;
  const document = documentOf(text);
  const wanted = new Map<string, ManifestEdit>();
  for (const edit of edits) {
    // What was said of an entry before it was removed, or after, is nothing to find.
    if (edit.key === null) for (const [place, { unit }] of wanted) if (unit === edit.unit) wanted.delete(place);
    wanted.set(JSON.stringify([edit.unit, edit.key]), edit);
    if (edit.key !== null && edit.value !== null) wanted.delete(JSON.stringify([edit.unit, null]));
  }
  return [...wanted.values()].every(({ unit, key, value }) => {
    const place = [...(unit === null ? ["defaults"] : ["units", unit]), ...(key === null ? [] : [key])];
    const found = document.getIn(place, true) as Scalar | YAMLMap | undefined;
    const written = found?.range == null ? null : text.slice(found.range[0], found.range[1]);
    return written === value;
  });
}

function documentOf(text: string) {
  return parseDocument(text, { schema: "failsafe", prettyErrors: false });
}

function editOnce(text: string, { unit, key, value }: ManifestEdit): string | null {
  const root = documentOf(text).contents;
  if (!isMap(root) || root.flow === true) return null;
  const first = root.items.find((pair) => keyOf(pair) === (unit === null ? "defaults" : "units"));
  if (unit === null) {
    if (value === null) return null;
    const whole = `defaults: { ${key}: ${value} }`;
    return first === undefined ? withLine(text, whole) : withSetting(text, first, key ?? "", value);
  }
  if (value === null) return first === undefined ? text : removed(text, root, first, unit, key);
  const entry = `${quoted(unit)}: { ${key}: ${value} }`;
  if (first === undefined) return withLine(text, `units:\n  ${entry}`);
  if (isNothing(first)) return withLine(cut(text, lineOf(text, first)), `units:\n  ${entry}`);
  if (!isMap(first.value)) return null;
  const own = first.value.items.find((pair) => keyOf(pair) === unit);
  return own === undefined ? withItem(text, first.value, entry) : withSetting(text, own, key ?? "", value);
}

function withLine(text: string, line: string): string {
  return `${text}${text === "" || text.endsWith("\n") ? "" : "\n"}${line}\n`;
}

/** In an entry that is there, whatever its form. */
function withSetting(text: string, own: Pair, key: string, value: string): string | null {
  if (isNothing(own)) return splice(text, endOfKey(text, own), endOfKey(text, own), ` { ${key}: ${value} }`);
  if (!isMap(own.value)) return null;
  const setting = own.value.items.find((pair) => keyOf(pair) === key);
  if (setting === undefined) return withItem(text, own.value, `${key}: ${value}`);
  const range = (setting.value as { range?: [number, number, number] } | null)?.range;
  return range === undefined ? null : splice(text, range[0], range[1], value);
}

/** Removes a setting, or a whole entry, and the braces and keys that then hold nothing. */
function removed(text: string, root: YAMLMap, units: Pair, unit: string, key: string | null): string | null {
  const map = units.value;
  if (!isMap(map)) return isNothing(units) ? text : null;
  const own = map.items.find((pair) => keyOf(pair) === unit);
  if (own === undefined) return text;
  const settings = own.value;
  if (key !== null && isMap(settings)) {
    const setting = settings.items.find((pair) => keyOf(pair) === key);
    if (setting === undefined) return text;
    if (settings.items.length > 1) return withoutItem(text, settings, setting);
  } else if (key !== null) return text;
  return map.items.length > 1 ? withoutItem(text, map, own) : withoutItem(text, root, units);
}

/** Behind the last item, in the form its neighbours have. */
function withItem(text: string, map: YAMLMap, item: string): string | null {
  const last = map.items.at(-1);
  if (map.flow === true) {
    const close = text.lastIndexOf("}", map.range![1] - 1);
    if (last === undefined) return splice(text, map.range![0], map.range![1], `{ ${item} }`);
    const end = endOf(text, last);
    return splice(text, end, Math.max(end, text[close - 1] === " " ? end : close), `, ${item}`);
  }
  if (last === undefined) return null;
  const { start, indent } = lineStart(text, startOf(last));
  if (text.slice(start, startOf(last)).trim() !== "") return null;
  const at = endOfLine(text, endOf(text, last));
  const lead = at > 0 && text[at - 1] !== "\n" ? "\n" : "";
  return splice(text, at, at, `${lead}${indent}${item}\n`);
}

function withoutItem(text: string, map: YAMLMap, item: Pair): string {
  if (map.flow !== true) return cut(text, lineOf(text, item));
  const index = map.items.indexOf(item);
  const next = map.items[index + 1];
  if (next !== undefined) return cut(text, [startOf(item), startOf(next)]);
  const before = map.items[index - 1];
  return cut(text, [before === undefined ? startOf(item) : endOf(text, before), endOf(text, item)]);
}

function keyOf(pair: Pair): string | null {
  return isScalar(pair.key) ? String(pair.key.value) : null;
}

/** `web.service:` with nothing behind it. */
function isNothing(pair: Pair): boolean {
  return pair.value === null || (isScalar(pair.value) && pair.value.source === "");
}

function startOf(pair: Pair): number {
  return (pair.key as Scalar).range![0];
}

/** Behind its colon. */
function endOfKey(text: string, pair: Pair): number {
  return text.indexOf(":", (pair.key as Scalar).range![1]) + 1;
}

/** Behind its value, before blanks and comments. */
function endOf(text: string, pair: Pair): number {
  const range = (pair.value as { range?: [number, number, number] } | null)?.range;
  return range === undefined || isNothing(pair) ? endOfKey(text, pair) : lastOf(text, range[1]);
}

/** A block's range ends at the start of the line after it. */
function lastOf(text: string, end: number): number {
  let at = end;
  while (at > 0 && /\s/.test(text[at - 1]!)) at--;
  return at;
}

/** The lines of an item of a block, the comment behind it included. */
function lineOf(text: string, pair: Pair): readonly [number, number] {
  return [lineStart(text, startOf(pair)).start, endOfLine(text, endOf(text, pair))];
}

function lineStart(text: string, at: number): { readonly start: number; readonly indent: string } {
  const start = text.lastIndexOf("\n", at - 1) + 1;
  return { start, indent: /^ */.exec(text.slice(start, at))![0] };
}

function endOfLine(text: string, at: number): number {
  const end = text.indexOf("\n", at);
  return end === -1 ? text.length : end + 1;
}

function splice(text: string, from: number, to: number, by: string): string {
  return `${text.slice(0, from)}${by}${text.slice(to)}`;
}

function cut(text: string, [from, to]: readonly [number, number]): string {
  return splice(text, from, to, "");
}

/** Names of units need quotes where YAML would read them otherwise. */
function quoted(name: string): string {
  return /^[A-Za-z0-9][A-Za-z0-9@._:-]*$/.test(name) && !name.includes(": ") && !name.endsWith(":")
    ? name
    : JSON.stringify(name);
}
