import type { Diagnostic } from "../../domain/diagnostic.ts";
import type { Signer } from "../../domain/trust/trust-policy.ts";
import { parseSignersTime, TIME_FORM } from "./signers-time.ts";
import { readSshKeyText } from "./ssh-public-key.ts";

/** Some 300 signers with RSA keys; a company has dozens. */
export const SIGNERS_BYTES_MAX = 256 * 1024;

/**
 * Reads a file of signers in the format of ssh-keygen(1), ALLOWED SIGNERS: `principals [options] algorithm key [comment]` in a line. All
 * problems at once, with line and column. `cert-authority` is refused: fleet knows keys, not who vouches for keys. Lines that are right
 * come back also where others are wrong.
 */
export function readAllowedSigners(
  path: string,
  content: Uint8Array,
): { readonly signers: readonly Signer[]; readonly diagnostics: readonly Diagnostic[] } {
  const diagnostics: Diagnostic[] = [];
  const text = textOf(content);
  if (text === null) {
    const saw = `a file of signers of ${content.length} bytes, or with bytes that are not UTF-8`;
    const expected = `at most ${SIGNERS_BYTES_MAX} bytes of UTF-8`;
    return {
      signers: [],
      diagnostics: [{ code: "signers-unreadable", severity: "error", at: { path }, saw, expected }],
    };
  }
  const signers = text.split("\n").flatMap((line, index) => {
    const reader = new SignersLine(path, index + 1, line.replace(/\r$/, ""), diagnostics);
    return reader.read() ?? [];
  });
  if (signers.length === 0 && diagnostics.length === 0) {
    const next = "add a line: who@example.org ssh-ed25519 AAAA… (fleet trust init writes yours)";
    diagnostics.push({ code: "signers-empty", severity: "error", at: { path }, saw: "no signer", next });
  }
  return { signers, diagnostics };
}

function textOf(content: Uint8Array): string | null {
  if (content.length > SIGNERS_BYTES_MAX) return null;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(content);
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}

interface Word {
  /** Without the quotes around it. */
  readonly text: string;
  readonly column: number;
}

interface Options {
  readonly namespaces: readonly string[] | null;
  readonly validAfterMs: number | null;
  readonly validBeforeMs: number | null;
}

const NO_OPTIONS: Options = { namespaces: null, validAfterMs: null, validBeforeMs: null };

/** One line, from left to right. */
class SignersLine {
  readonly #path: string;
  readonly #line: number;
  readonly #text: string;
  readonly #diagnostics: Diagnostic[];
  #at = 0;

  constructor(path: string, line: number, text: string, diagnostics: Diagnostic[]) {
    this.#path = path;
    this.#line = line;
    this.#text = text;
    this.#diagnostics = diagnostics;
  }

  /** Null where there is nothing, or nothing that can be gone by. */
  read(): Signer | null {
    if (/^[ \t]*(#|$)/.test(this.#text)) return null;
    const principals = this.#word();
    const second = this.#word();
    const isKeyNext = second !== null && !isAlgorithm(second.text);
    const options = isKeyNext ? this.#options(second) : NO_OPTIONS;
    const algorithm = isKeyNext ? this.#word() : second;
    const key = this.#word();
    if (options === null || principals === null) return null;
    if (algorithm === null || key === null)
      return this.#problem("signers-line", this.#text.length + 1, "a line without a key", LINE_FORM);
    const names = principals.text.split(",");
    if (names.some((name) => name.replace(/^!/, "") === ""))
      return this.#problem("signers-line", principals.column, "a name that is empty", LINE_FORM);
    if (names.every((name) => name.startsWith("!")))
      return this.#problem("signers-line", principals.column, "names that only refuse", LINE_FORM);
    const read = readSshKeyText(algorithm.text, key.text);
    if (typeof read !== "string") return { principals: names, key: read.id.text, ...options };
    return this.#problem("signers-key", algorithm.column, KEY_FLAWS[read](algorithm.text), KEY_FORM);
  }

  /** `namespaces="git,file",valid-after="20260101Z"`; null where one is wrong. */
  #options({ text, column }: Word): Options | null {
    let options = NO_OPTIONS;
    const seen = new Set<string>();
    for (const { text: option, column: offset } of splitOptions(text)) {
      const at = column + offset;
      const [, name = option, quoted] = /^([^=]*)="([^"]*)"$/.exec(option) ?? [];
      const known = name.toLowerCase();
      if (known === "cert-authority") {
        const saw = "cert-authority: fleet does not verify certificates";
        return this.#problem("signers-authority", at, saw, "the keys of those who sign, one in a line");
      }
      const isKnown = known === "namespaces" || known === "valid-after" || known === "valid-before";
      if (!isKnown || quoted === undefined || seen.has(known))
        return this.#problem("signers-option", at, `the option ${shown(option)}`, OPTION_FORM);
      seen.add(known);
      if (known === "namespaces") options = { ...options, namespaces: quoted.split(",") };
      else {
        const ms = parseSignersTime(quoted);
        if (ms === null) return this.#problem("signers-option", at, `${known}="${shown(quoted)}"`, TIME_FORM);
        options = known === "valid-after" ? { ...options, validAfterMs: ms } : { ...options, validBeforeMs: ms };
      }
    }
    const { validAfterMs: after, validBeforeMs: before } = options;
    if (after === null || before === null || after < before) return options;
    return this.#problem("signers-option", column, "a key that is valid at no time", "valid-after before valid-before");
  }

  /** The next word; spaces inside double quotes do not end it, and quotes around all of it are no part of it. */
  #word(): Word | null {
    const rest = this.#text.slice(this.#at);
    const [all = "", space = "", word] = /^([ \t]*)((?:"[^"]*"|[^ \t"])+)/.exec(rest) ?? [];
    if (word === undefined) return null;
    this.#at += all.length;
    const text = /^"[^"]*"$/.test(word) ? word.slice(1, -1) : word;
    return { text, column: this.#at - all.length + space.length + 1 };
  }

  #problem(code: SignersCode, column: number, saw: string, expected: string): null {
    const at = { path: this.#path, line: this.#line, column };
    this.#diagnostics.push({ code, severity: "error", at, saw, expected });
    return null;
  }
}

type SignersCode = "signers-line" | "signers-key" | "signers-option" | "signers-authority";

const LINE_FORM = "principals, options if any, algorithm, key: who@example.org ssh-ed25519 AAAA…";
const OPTION_FORM = 'namespaces="git", valid-after="…" or valid-before="…", each at most once, with commas between';
const KEY_FORM = "a public key of OpenSSH: ed25519, ecdsa, rsa of 2048 bits or more, or one of a security key";
const KEY_FLAWS = {
  weak: () => "an RSA key of less than 2048 bits",
  unsupported: (algorithm: string) => `a key of the algorithm ${shown(algorithm)}, which fleet does not verify`,
  malformed: (algorithm: string) => `no key of the algorithm ${shown(algorithm)}`,
} as const;

/** What tells options from a key, as OpenSSH does: no option's name looks like an algorithm. */
function isAlgorithm(word: string): boolean {
  return /^(ssh-|ecdsa-|sk-|rsa-|webauthn-)/.test(word);
}

/** Parts between commas that are not inside quotes, with where they begin. */
function splitOptions(text: string): readonly Word[] {
  const parts: Word[] = [];
  let start = 0;
  let isQuoted = false;
  for (let at = 0; at <= text.length; at++) {
    if (text[at] === '"') isQuoted = !isQuoted;
    if (at < text.length && (text[at] !== "," || isQuoted)) continue;
    parts.push({ text: text.slice(start, at), column: start });
    start = at + 1;
  }
  return parts;
}

function shown(text: string): string {
  const short = text.length > 60 ? `${text.slice(0, 57)}...` : text;
  return JSON.stringify(short).slice(1, -1);
}
