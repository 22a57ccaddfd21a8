import { openQuotes, secretValueAt } from "./secret-value.ts";

/** A stretch of a text that is, most likely, a secret's value. */
export interface SecretRange {
  /** UTF-16 code units, the end exclusive. */
  readonly start: number;
  readonly end: number;
  /** What gives it away: a name (`DB_PASSWORD`, `--token`), or the kind of token it has the form of. */
  readonly known: string;
}

/** Nothing in a text without one of these can match any rule below: most files are done after this one look. */
const ANY_SIGN =
  /pass|pw|secret|token|key|credential|auth|:\/\/[^/\s]*:|AKIA|ASIA|gh[opsur]_|github_pat_|xox|glpat-|sk[-_]|AIza|npm_|hv[sb]\.|SG\.|eyJ/i;

/** Forms that nothing but a credential has, as their issuers document them, so that scanners may know them. */
const TOKEN_SHAPES: readonly (readonly [what: string, shape: RegExp])[] = [
  ["an AWS access key id", /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g],
  ["a GitHub token", /\b(?:gh[opsur]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255})\b/g],
  ["a GitLab token", /\bglpat-[A-Za-z0-9_-]{20,255}/g],
  ["a Slack token", /\bxox[abeoprs]-[A-Za-z0-9-]{10,255}/g],
  ["a Stripe key", /\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,255}/g],
  ["an API key of a model provider", /\bsk-(?:ant-|proj-)?[A-Za-z0-9_-]{32,255}/g],
  ["a Google API key", /\bAIza[A-Za-z0-9_-]{35}/g],
  ["an npm token", /\bnpm_[A-Za-z0-9]{36}\b/g],
  ["a Vault token", /\bhv[sb]\.[A-Za-z0-9_-]{20,255}/g],
  ["a SendGrid key", /\bSG\.[A-Za-z0-9_-]{16,64}\.[A-Za-z0-9_-]{16,128}/g],
  ["a JSON web token", /\beyJ[A-Za-z0-9_-]{8,4096}\.eyJ[A-Za-z0-9_-]{8,4096}\.[A-Za-z0-9_-]{0,4096}/g],
];

/** A private key in full, or up to where the text ends: the base64 lines between may be joined by backslashes or `\n`. */
const PRIVATE_KEY =
  /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[\s\S]{0,16384}?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|$)/g;

/** The password in `scheme://user:password@host`. */
const URL_PASSWORD = /:\/\/[^\s/@:"']{0,128}:([^\s/@"']{1,512})@/g;

/** With or without its scheme; a scheme before a variable is no secret. */
const AUTHORIZATION =
  /\bAuthorization:[ \t]{0,4}(?:(?:Bearer|Basic|Digest|Token)[ \t]{1,4})?(?!(?:Bearer|Basic|Digest|Token)\b)([A-Za-z0-9._~+/=-]{4,4096})/gi;

/** `SetCredential=name:value` is a secret whatever it is called; the encrypted form is another directive. */
const SET_CREDENTIAL = /^[ \t]*SetCredential[ \t]*=[ \t]*([^:\n]{1,255}):((?:[^\\\n]|\\[^\n]|\\\n)+)/gm;

/**
 * Names whose value is the secret itself. The name must end there: `DB_PASSWORD_FILE`, `TOKEN_TTL` and `SECRET_NAME` speak of one.
 * Words that also end other names (`COMPASS`, `PWD`, `MONKEY`) count only behind a separator.
 */
const NAME =
  "(?:[A-Za-z0-9_.-]{0,64}?(?:passwords?|passwd|passphrase|secrets?|token|credentials?|" +
  "(?:api|access|secret|private|auth|encryption|encrypt|signing|master|session|account|storage|shared|app|license)[_.-]?key(?:[_.-]?base)?)" +
  "|[A-Za-z0-9_.-]{0,64}?[_.-](?:pass|pwd|pw)|redis(?:cli)?_auth|pass|requirepass|masterauth)[0-9]{0,3}";

/** `NAME=value`, `NAME: value` and `--name value`, over continued lines; what stands before the name is looked at by itself. */
const NAMED = new RegExp(
  `(?<![A-Za-z0-9_.-])((?:--?)?${NAME})(?:(=|["']?[ \\t]*:[ \\t]*|[ \\t]+=[ \\t]*)|(?:[ \\t]|\\\\\n)+)(?=[^\\s=])`,
  "gi",
);

/** Lines whose values name secrets that are kept elsewhere, or are sealed; `SetCredential=` has a rule of its own. */
const CREDENTIAL_LINES = /^[ \t]*(?:Load|Set|Import)Credential(?:Encrypted)?[ \t]*=.*$/gm;

/** Where secrets stand in the text of a unit file, a command line or a manifest: sorted, none over another. */
export function findSecrets(text: string): readonly SecretRange[] {
  if (!ANY_SIGN.test(text)) return [];
  const found: SecretRange[] = [];
  for (const match of text.matchAll(PRIVATE_KEY)) {
    found.push({ start: match.index, end: match.index + match[0].length, known: "a private key" });
  }
  for (const [known, shape] of TOKEN_SHAPES) {
    for (const match of text.matchAll(shape)) {
      found.push({ start: match.index, end: match.index + match[0].length, known });
    }
  }
  for (const match of text.matchAll(URL_PASSWORD)) {
    if (isLiteral(match[1]!)) found.push({ ...rangeOfEnd(match, match[1]!, 1), known: "a password in a URL" });
  }
  for (const match of text.matchAll(AUTHORIZATION)) {
    found.push({ ...rangeOfEnd(match, match[1]!, 0), known: "an Authorization header" });
  }
  for (const match of text.matchAll(SET_CREDENTIAL)) {
    found.push({ ...rangeOfEnd(match, match[2]!, 0), known: `the credential ${match[1]!.trim()}` });
  }
  const named = text.replace(CREDENTIAL_LINES, (line) => " ".repeat(line.length));
  const quoteAt = openQuotes(text);
  for (const match of named.matchAll(NAMED)) found.push(...namedSecret(text, match, quoteAt));
  return withoutOverlap(found);
}

function rangeOfEnd(match: RegExpExecArray, value: string, behind: number): { start: number; end: number } {
  const end = match.index + match[0].length - behind;
  return { start: end - value.length, end };
}

function namedSecret(text: string, match: RegExpExecArray, quoteAt: (index: number) => string | null): SecretRange[] {
  const [whole, name, separator] = match as unknown as [string, string, string | undefined];
  // A blank separates only a flag and its value; anything else is prose.
  if (separator === undefined && !name.startsWith("-")) return [];
  const start = match.index + whole.length;
  const value = secretValueAt(text, match.index, separator, start, quoteAt(match.index));
  const literal = text.slice(value.start, value.end);
  if (isReferenceName(name, literal) || !isLiteral(literal)) return [];
  // A flag without value is followed by the next flag; a counter is no token.
  if (separator === undefined && literal.startsWith("-")) return [];
  if (/token\d*$/i.test(name) && /^\d{1,9}$/.test(literal)) return [];
  return [{ ...value, known: name }];
}

/** podman's and docker's `Secret=` and `--secret` name one that is kept elsewhere; only what looks made at random is a value there. */
function isReferenceName(name: string, value: string): boolean {
  return /^(--?)?secrets?$/i.test(name) && !looksRandom(value);
}

/** Whether a value is the thing itself: not a variable, a specifier, a path, a place to fill in, a switch or nothing at all. */
function isLiteral(value: string): boolean {
  const plain = value.trim();
  return (
    plain !== "" &&
    !/^[%`<]|^\\*\$(\$|[A-Z_][A-Z0-9_]*$|[({])|\$\{|\{\{/.test(plain) &&
    !/^(true|false|yes|no|on|off|none|null|nil|undefined|[01]|required|optional)$/i.test(plain) &&
    !/^(\*+|x{3,}|\.{3}|…)$/i.test(plain) &&
    !/^(file|env|vault|op|ref\+[a-z]+|arn|keyring|pass|https?):/i.test(plain) &&
    !(/^(\.{0,2}|~)\/[\w.@-]+(\/[\w.@-]*)*$/.test(plain) && !looksRandom(plain))
  );
}

/** Twenty characters or more in one run with both digits and letters of both cases, and many different ones: no word, no path. */
function looksRandom(value: string): boolean {
  const longest = value.split(/[^A-Za-z0-9+=]/).reduce((a, b) => (b.length > a.length ? b : a), "");
  return (
    longest.length >= 20 &&
    /[0-9]/.test(longest) &&
    /[a-z]/.test(longest) &&
    /[A-Z]/.test(longest) &&
    new Set(longest).size >= 12
  );
}

/** Of overlapping ranges the union, known by the first. */
function withoutOverlap(found: readonly SecretRange[]): readonly SecretRange[] {
  const merged: SecretRange[] = [];
  for (const range of found.toSorted((a, b) => a.start - b.start || b.end - a.end)) {
    const last = merged.at(-1);
    if (range.end <= range.start) continue;
    if (last === undefined || range.start >= last.end) merged.push(range);
    else if (range.end > last.end) merged[merged.length - 1] = { ...last, end: range.end };
  }
  return merged;
}
