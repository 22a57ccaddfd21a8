import type { Diagnostic, SourceLocation } from "../diagnostic.ts";
import type { UnitEntry, UnitFile } from "./unit-file.ts";

/**
 * The longest physical line, in bytes, its newline not counted. Old fleet refused from 2048 on, because the systemd of its day
 * truncated there without a word; today's takes 1 MiB. The longest line of 1,278 production units has 485 bytes, a
 * continuation says the same readably, and a limit far below every systemd's means that no parser sees another text.
 */
export const UNIT_LINE_MAX = 2048;

/**
 * The largest unit file, in bytes. The longest known is below 8 KiB; a unit travels to every agent and is hashed
 * often. Also keeps every continued line far below systemd's own 1 MiB.
 */
export const UNIT_FILE_MAX = 64 * 1024;

/** systemd's WHITESPACE. CR is refused, but once, and not again by every line that ends in one. */
const BLANK = /^[ \t\r]*$/;
const BLANKS: ReadonlySet<string> = new Set([" ", "\t", "\r"]);
const COMMENT = /^[ \t]*[#;]/;

export interface ParsedUnitFile {
  readonly file: UnitFile;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Reads a unit file or drop-in as systemd does, and refuses what systemd reads otherwise than a person would: it ends
 * lines on CR and NUL, skips what it cannot read with a warning in the journal, and a linter that does not is bypassed.
 * Without errors, `printUnitFile` gives back the same bytes. A file that is not text at all comes back with no entries.
 */
export function parseUnitFile(path: string, content: Uint8Array | string): ParsedUnitFile {
  const size = typeof content === "string" ? utf8Length(content) : content.byteLength;
  if (size > UNIT_FILE_MAX) {
    return refused(path, {
      code: "unit-file-too-large",
      severity: "error",
      at: { path },
      saw: `a unit file of ${size} bytes`,
      expected: `at most ${UNIT_FILE_MAX} bytes`,
    });
  }
  const text = typeof content === "string" ? content : decode(content);
  if (text === null || !text.isWellFormed()) {
    return refused(path, {
      code: "unit-not-utf8",
      severity: "error",
      at: typeof content === "string" ? { path } : placeOfBadByte(path, content),
      saw: "a byte sequence that is not UTF-8",
      next: "save the file as UTF-8",
    });
  }
  return new UnitFileParser(path).parse(text);
}

function refused(path: string, diagnostic: Diagnostic): ParsedUnitFile {
  return { file: { path, entries: [] }, diagnostics: [diagnostic] };
}

/** One pass over the physical lines, joining continuations before anything looks at a line's meaning. */
class UnitFileParser {
  readonly #path: string;
  readonly #diagnostics: Diagnostic[] = [];
  readonly #entries: UnitEntry[] = [];
  #section: string | null = null;
  /** Assignments before any section, or below a broken header, are reported once, not line by line. */
  #saidNoSection = false;

  constructor(path: string) {
    this.#path = path;
  }

  parse(text: string): ParsedUnitFile {
    this.#forbidden(text);
    const lines = text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
    let index = 0;
    while (index < lines.length) {
      const first = index;
      const content = withoutNewline(index === 0 ? lines[0]!.replace(/^\ufeff/, "") : lines[index]!);
      index++;
      this.#checkLength(content, first + 1);
      if (COMMENT.test(content)) {
        this.#entries.push({ kind: "comment", raw: lines[first]!, line: first + 1 });
        continue;
      }
      const parts = [content];
      while (endsInBackslash(parts.at(-1)!)) {
        parts.push(`${parts.pop()!.slice(0, -1)} `);
        // systemd skips comment lines in the middle of a continuation, and a blank line ends it.
        while (index < lines.length && COMMENT.test(lines[index]!)) {
          this.#checkLength(withoutNewline(lines[index]!), index + 1);
          index++;
        }
        if (index >= lines.length) break;
        parts.push(withoutNewline(lines[index]!));
        this.#checkLength(parts.at(-1)!, index + 1);
        index++;
      }
      this.#entries.push(this.#entry(parts.join(""), lines.slice(first, index).join(""), first + 1));
    }
    return { file: { path: this.#path, entries: this.#entries }, diagnostics: this.#diagnostics };
  }

  #entry(logical: string, raw: string, line: number): UnitEntry {
    if (BLANK.test(logical)) return { kind: "blank", raw, line };
    const column = logical.search(/[^ \t]/) + 1;
    const stripped = strip(logical);
    if (stripped.startsWith("[")) return this.#header(stripped, raw, line, column);
    if (this.#section === null) {
      if (!this.#saidNoSection) {
        this.#problem("unit-text-before-section", { line, column }, `text outside of a section: ${shorten(stripped)}`, {
          expected: "a header such as [Unit] or [Service] above it",
        });
      }
      this.#saidNoSection = true;
      return { kind: "broken", raw, line };
    }
    const equals = stripped.indexOf("=");
    if (equals === -1) {
      this.#problem("unit-no-equals", { line, column }, `a line without "=": ${shorten(stripped)}`, {
        expected: "Key=value, a [Section] or a comment",
        next: `write "=", or end the line before with a backslash`,
      });
      return { kind: "broken", raw, line };
    }
    if (equals === 0) {
      this.#problem("unit-no-key", { line, column }, `nothing before "=": ${shorten(stripped)}`, {
        expected: "Key=value",
      });
      return { kind: "broken", raw, line };
    }
    const key = strip(stripped.slice(0, equals));
    const value = strip(stripped.slice(equals + 1));
    return { kind: "assignment", raw, line, section: this.#section, key, value, column };
  }

  #header(stripped: string, raw: string, line: number, column: number): UnitEntry {
    const name = stripped.endsWith("]") && stripped.length > 1 ? stripped.slice(1, -1) : null;
    // The characters systemd's string_is_safe refuses, and brackets, which it takes but nobody means.
    if (name === null || name === "" || /[\x00-\x1f\x7f"'\\[\]]/.test(name)) {
      this.#problem("unit-section-header", { line, column }, `a malformed section header: ${shorten(stripped)}`, {
        expected: "[Name] alone on its line",
      });
      this.#section = null;
      this.#saidNoSection = true;
      return { kind: "broken", raw, line };
    }
    this.#section = name;
    return { kind: "section", raw, line, name };
  }

  /** Once a file each: a file with Windows line ends has one problem, not a hundred. */
  #forbidden(text: string): void {
    if (text.startsWith("\ufeff")) {
      this.#problem("unit-bom", { line: 1, column: 1 }, "a byte order mark", {
        next: "save the file as UTF-8 without it",
      });
    }
    this.#forbiddenCharacter(text, "\r", "unit-carriage-return", "a carriage return, which ends a line for systemd", {
      next: "save the file with Unix line ends",
    });
    this.#forbiddenCharacter(text, "\0", "unit-nul", "a NUL character, which ends a line for systemd", {
      next: "remove it",
    });
  }

  #forbiddenCharacter(text: string, character: string, code: string, saw: string, more: { next: string }): void {
    const at = text.indexOf(character);
    if (at !== -1) this.#problem(code, positionAt(text, at), saw, more);
  }

  #checkLength(content: string, line: number): void {
    if (content.length * 3 <= UNIT_LINE_MAX) return;
    const bytes = utf8Length(content);
    if (bytes <= UNIT_LINE_MAX) return;
    this.#problem("unit-line-too-long", { line, column: 1 }, `a line of ${bytes} bytes`, {
      expected: `at most ${UNIT_LINE_MAX} bytes`,
      next: "break it with backslashes at line ends",
    });
  }

  #problem(
    code: string,
    at: { line: number; column: number },
    saw: string,
    more: { expected?: string; next?: string },
  ): void {
    this.#diagnostics.push({ code, severity: "error", at: { path: this.#path, ...at }, saw, ...more });
  }
}

function withoutNewline(line: string): string {
  return line.endsWith("\n") ? line.slice(0, -1) : line;
}

/** An odd number of backslashes: systemd reads them in pairs, so `\\` at a line's end is a backslash and not a continuation. */
function endsInBackslash(text: string): boolean {
  let count = 0;
  while (text[text.length - 1 - count] === "\\") count++;
  return count % 2 === 1;
}

/** By hand: a regular expression for the end is quadratic in a run of blanks, and a line may be one. */
function strip(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && BLANKS.has(text[start]!)) start++;
  while (end > start && BLANKS.has(text[end - 1]!)) end--;
  return text.slice(start, end);
}

function shorten(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}...` : text);
}

function positionAt(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf("\n") + 1;
  return { line: before.split("\n").length, column: offset - lineStart + 1 };
}

/** Keeps the byte order mark, which has to be seen to be refused. */
function decode(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}

/** The line of the first bytes that do not decode; a newline byte is never part of a longer UTF-8 sequence. */
function placeOfBadByte(path: string, bytes: Uint8Array): SourceLocation {
  let start = 0;
  for (let line = 1; ; line++) {
    const newline = bytes.indexOf(0x0a, start);
    const end = newline === -1 ? bytes.length : newline;
    if (decode(bytes.subarray(start, end)) === null) {
      const loose = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(start, end));
      return { path, line, column: loose.indexOf("\ufffd") + 1 };
    }
    if (newline === -1) return { path };
    start = newline + 1;
  }
}

function utf8Length(text: string): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x80) continue;
    // A surrogate pair is two code units and four bytes, so each half adds one.
    bytes += code < 0x800 || (code >= 0xd800 && code <= 0xdfff) ? 1 : 2;
  }
  return bytes;
}
