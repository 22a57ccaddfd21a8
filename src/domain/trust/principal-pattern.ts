/**
 * Whether a list of principals, as a line of `allowed_signers` has it, holds that one (ssh_config(5), PATTERNS): `*` is any text, `?` any
 * character, and a pattern behind `!` that matches refuses, whatever the others say.
 */
export function matchesPrincipals(patterns: readonly string[], principal: string): boolean {
  const isRefused = patterns.some((pattern) => pattern.startsWith("!") && matches(pattern.slice(1), principal));
  return !isRefused && patterns.some((pattern) => !pattern.startsWith("!") && matches(pattern, principal));
}

/** Goes back to the last star only, so that no pattern takes longer than the product of both lengths. */
function matches(pattern: string, text: string): boolean {
  let [at, from] = [0, 0];
  let star: { readonly behind: number; taken: number } | null = null;
  while (from < text.length) {
    const character = pattern[at];
    if (character === "*") {
      star = { behind: ++at, taken: from };
    } else if (character === "?" || (character !== undefined && character === text[from])) {
      at++;
      from++;
    } else if (star !== null) {
      at = star.behind;
      from = ++star.taken;
    } else return false;
  }
  while (pattern[at] === "*") at++;
  return at === pattern.length;
}
