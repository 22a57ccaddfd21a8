type Step =
  | { readonly kind: "literal"; readonly character: string }
  | { readonly kind: "any" }
  | { readonly kind: "class"; readonly negated: boolean; readonly ranges: readonly { low: string; high: string }[] };

/** What follows a star, or the pattern's beginning. */
interface Chunk {
  readonly star: boolean;
  readonly steps: readonly Step[];
}

/**
 * Old fleet's globs of unit names, Go's path.Match: `*` (not across `/`), `?`, `[a-z]`, `[^a-z]`, backslash escapes. Compiled
 * once, because placement asks for every pair of units. Null where the pattern is malformed. Matching takes at most the
 * product of both lengths; no pattern makes it explode, as a regular expression of many stars would.
 */
export function compileGlob(pattern: string): ((name: string) => boolean) | null {
  const chunks = readPattern(pattern);
  if (chunks === null) return null;
  const only = chunks.length === 1 ? chunks[0]! : null;
  if (only !== null && !only.star && only.steps.every((step) => step.kind === "literal")) {
    const literal = only.steps.map((step) => (step.kind === "literal" ? step.character : "")).join("");
    return (name) => name === literal;
  }
  return (name) => matches(chunks, name);
}

function matches(chunks: readonly Chunk[], name: string): boolean {
  let at = 0;
  for (const [index, { star, steps }] of chunks.entries()) {
    const isLast = index === chunks.length - 1;
    if (star && steps.length === 0) return isLast && !name.includes("/", at);
    let end = -1;
    for (let start = at; start <= name.length; start++) {
      const found = matchSteps(steps, name, start);
      // The last chunk has to reach the end; one that could also begin later is tried there.
      if (found !== -1 && (!isLast || found === name.length)) end = found;
      if (end !== -1 || !star || name[start] === "/") break;
    }
    if (end === -1) return false;
    at = end;
  }
  return at === name.length;
}

/** Where the steps end when they begin at `start`, or -1. */
function matchSteps(steps: readonly Step[], name: string, start: number): number {
  if (start + steps.length > name.length) return -1;
  const fit = steps.every((step, index) => matchesStep(step, name[start + index]!));
  return fit ? start + steps.length : -1;
}

function matchesStep(step: Step, character: string): boolean {
  if (step.kind === "literal") return step.character === character;
  if (step.kind === "any") return character !== "/";
  return step.ranges.some(({ low, high }) => low <= character && character <= high) !== step.negated;
}

function readPattern(pattern: string): Chunk[] | null {
  const chunks: { star: boolean; steps: Step[] }[] = [{ star: false, steps: [] }];
  let at = 0;
  while (at < pattern.length) {
    const current = chunks.at(-1)!;
    const character = pattern[at]!;
    if (character === "*") {
      if (!current.star || current.steps.length > 0) chunks.push({ star: true, steps: [] });
      at++;
    } else if (character === "[") {
      const read = readClass(pattern, at + 1);
      if (read === null) return null;
      current.steps.push(read.step);
      at = read.end;
    } else if (character === "?") {
      current.steps.push({ kind: "any" });
      at++;
    } else {
      const escaped = character === "\\";
      const literal = escaped ? pattern[at + 1] : character;
      if (literal === undefined) return null;
      current.steps.push({ kind: "literal", character: literal });
      at += escaped ? 2 : 1;
    }
  }
  const [first] = chunks;
  return chunks.length > 1 && first!.steps.length === 0 ? chunks.slice(1) : chunks;
}

/** From behind `[` to behind `]`. At least one range; `-` and `]` stand for themselves only behind a backslash. */
function readClass(pattern: string, start: number): { step: Step; end: number } | null {
  const negated = pattern[start] === "^";
  const ranges: { low: string; high: string }[] = [];
  let at = negated ? start + 1 : start;
  for (;;) {
    if (pattern[at] === "]" && ranges.length > 0) return { step: { kind: "class", negated, ranges }, end: at + 1 };
    const low = readClassCharacter(pattern, at);
    if (low === null) return null;
    at = low.end;
    let high = low;
    if (pattern[at] === "-") {
      const read = readClassCharacter(pattern, at + 1);
      if (read === null) return null;
      high = read;
      at = read.end;
    }
    ranges.push({ low: low.character, high: high.character });
  }
}

function readClassCharacter(pattern: string, at: number): { character: string; end: number } | null {
  const character = pattern[at];
  if (character === undefined || character === "-" || character === "]") return null;
  if (character !== "\\") return { character, end: at + 1 };
  const escaped = pattern[at + 1];
  return escaped === undefined ? null : { character: escaped, end: at + 2 };
}
