import { parseSelector, printSelector, type Selector } from "../cluster/selector.ts";
import type { Diagnostic, SourceLocation } from "../diagnostic.ts";
import { parseWindow, WINDOW_FORM } from "../rollout/window.ts";
import type { RebootPolicy, Ring, Window } from "./cluster-spec.ts";
import type { Located, ManifestReboots, ManifestRing } from "./manifest.ts";

/** The manifest's `rings:`, in its order. */
export function compileRings(rings: readonly ManifestRing[]): {
  readonly rings: readonly Ring[];
  readonly diagnostics: readonly Diagnostic[];
} {
  const diagnostics: Diagnostic[] = [];
  const seen = new Map<string, string>();
  const compiled = rings.map(({ match: { value, at }, soakMs, window }): Ring => {
    const match = selectorOf(value);
    const key = match === "all" ? "*" : "problem" in match ? null : printSelector(match);
    const first = key === null ? undefined : (seen.get("*") ?? seen.get(key));
    if (match !== "all" && "problem" in match) diagnostics.push(noMatch(match.problem, at));
    if (first !== undefined) diagnostics.push(unreachable(value, first, at));
    if (key !== null && first === undefined) seen.set(key, value);
    const selector = match === "all" || "problem" in match ? null : match;
    return { name: value, match: selector, soakMs: soakMs ?? 0, window: windowOf(window, diagnostics) };
  });
  return { rings: compiled, diagnostics };
}

/** The manifest's `reboots:`; null where it says nothing. */
export function compileReboots(reboots: ManifestReboots | null): {
  readonly reboots: RebootPolicy | null;
  readonly diagnostics: readonly Diagnostic[];
} {
  if (reboots === null) return { reboots: null, diagnostics: [] };
  const diagnostics: Diagnostic[] = [];
  const window = windowOf(reboots.window, diagnostics);
  return { reboots: { slots: reboots.slots ?? 1, window, drain: reboots.drain }, diagnostics };
}

function selectorOf(text: string): Selector | "all" | { readonly problem: string } {
  return text === "*" ? "all" : parseSelector(text);
}

function noMatch(saw: string, at: SourceLocation): Diagnostic {
  const expected = "a selector such as ring=early, a machine's name, or * for all that are left";
  return { code: "ring-match", severity: "error", at, saw, expected };
}

function windowOf(window: Located<string> | null, diagnostics: Diagnostic[]): Window | null {
  if (window === null) return null;
  const read = parseWindow(window.value);
  if (!("problem" in read)) return read;
  diagnostics.push({ code: "window", severity: "error", at: window.at, saw: read.problem, expected: WINDOW_FORM });
  return null;
}

function unreachable(name: string, first: string, at: SourceLocation): Diagnostic {
  const saw = `the ring ${name} after the ring ${first}, which has all its machines already`;
  return {
    code: "ring-unreachable",
    severity: "error",
    at,
    saw,
    next: "a machine is in the first ring it matches: put the wider one last",
  };
}
