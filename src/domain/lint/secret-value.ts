/** A stretch of the text, the end exclusive. */
export interface Stretch {
  readonly start: number;
  readonly end: number;
}

/** How far on a closing quote is looked for: longer than any line a unit may have. */
const REACH = 8192;

/**
 * The value that begins at `start`, behind a name and its separator, as whoever reads the text takes it: systemd and shells read up to a
 * blank outside of quotes, YAML up to the line's end, the end of its quotes or block, or the next comma of a mapping. In doubt rather too
 * much: what is cut off too early is a secret told.
 */
export function secretValueAt(
  text: string,
  nameStart: number,
  separator: string | undefined,
  start: number,
  /** Which is open where the name begins. */
  quote: string | null,
): Stretch {
  const own = text[start]!;
  const isYaml = separator !== undefined && /:[ \t]/.test(separator);
  if (own === '"' || own === "'") return { start: start + 1, end: endOfQuote(text, start + 1, own, isYaml) };
  if (own === "\\" && (text[start + 1] === '"' || text[start + 1] === "'")) {
    const end = text.indexOf(text.slice(start, start + 2), start + 2);
    return { start: start + 2, end: Math.min(end === -1 ? text.length : end, endOfLine(text, start)) };
  }
  // A quote that closes before the separator was only around the name.
  const isNameQuoted = separator !== undefined && /^["']/.test(separator);
  const before = text[nameStart - (isNameQuoted ? 2 : 1)];
  if (!isNameQuoted && (before === '"' || before === "'")) {
    return { start, end: endOfQuote(text, start, before, false) };
  }
  const isListed = isInList(text, nameStart - (isNameQuoted ? 2 : 1), isYaml);
  if (!isYaml) return { start, end: endOfWord(text, start, isListed ? "," : "", quote) };
  const block = blockAt(text, start);
  if (block !== null) return block;
  if (quote !== null && !isNameQuoted) return { start, end: endOfQuote(text, start, quote, false) };
  return { start, end: isListed ? endOfWord(text, start, ",}", null, " ") : endOfLine(text, start) };
}

/** Behind a comma or an opening brace; YAML has blanks between. */
function isInList(text: string, at: number, isYaml: boolean): boolean {
  let index = at;
  while (isYaml && text[index] === " ") index--;
  return text[index] === "," || text[index] === "{";
}

function endOfLine(text: string, start: number): number {
  const newline = text.indexOf("\n", start);
  const end = newline === -1 ? text.length : newline;
  return text[end - 1] === "\\" ? end - 1 : end;
}

/** At its quote, or where the logical line ends: an open quote hides nothing. YAML's goes on over lines. */
function endOfQuote(text: string, start: number, quote: string, overLines: boolean): number {
  for (let at = start; at < text.length && at < start + REACH; at++) {
    const character = text[at];
    if (character === "\\") at++;
    else if (character === quote) return at;
    else if (character === "\n" && !overLines) return at;
  }
  return overLines ? endOfLine(text, start) : Math.min(text.length, start + REACH);
}

/** At a blank (other than those in `keeps`) or one of `stops`, outside of quotes; inside of `open` at that quote. */
function endOfWord(text: string, start: number, stops: string, open: string | null, keeps = ""): number {
  let quote: string | null = null;
  let end = text.length;
  for (let at = start; at < text.length; at++) {
    const character = text[at]!;
    const isEnd =
      character === open ||
      character === "\n" ||
      (quote === null && (stops.includes(character) || (/[\s`]/.test(character) && !keeps.includes(character))));
    if (isEnd) {
      end = at;
      break;
    }
    if (character === "\\" && text[at + 1] !== "\n") at++;
    else if (character === quote) quote = null;
    else if (quote === null && open === null && (character === '"' || character === "'")) quote = character;
  }
  end = Math.min(end, text.length);
  if (text[end - 1] === "\\" && text[end] === "\n") end--;
  // Punctuation of what stands around.
  while (end > start && ",;)}] \t".includes(text[end - 1]!)) end--;
  return end;
}

/** Says which quote is open at a place of its logical line, if any; asked from front to back, so that it reads the text once. */
export function openQuotes(text: string): (index: number) => string | null {
  let quote: string | null = null;
  let at = 0;
  return (index) => {
    for (; at < index; at++) {
      const character = text[at];
      if (character === "\\") at++;
      else if (character === "\n" || character === quote) quote = null;
      else if (quote === null && (character === '"' || character === "'")) quote = character;
    }
    return quote;
  };
}

/** The indented lines below YAML's `NAME: |` or `NAME: >`; null where the value is no such mark. */
function blockAt(text: string, start: number): Stretch | null {
  const mark = /[|>][-+0-9]{0,2}[ \t]*\n/y;
  mark.lastIndex = start;
  if (!mark.test(text)) return null;
  const lineStart = text.lastIndexOf("\n", start) + 1;
  const indent = /^[ \t]*/.exec(text.slice(lineStart, start))![0].length;
  let end = mark.lastIndex;
  for (let at = end; at < text.length; ) {
    const newline = text.indexOf("\n", at);
    const lineEnd = newline === -1 ? text.length : newline;
    const blanks = /^[ \t]*/.exec(text.slice(at, lineEnd))![0].length;
    if (blanks < lineEnd - at) {
      if (blanks <= indent) break;
      end = lineEnd;
    }
    at = lineEnd + 1;
  }
  return { start: mark.lastIndex, end };
}
