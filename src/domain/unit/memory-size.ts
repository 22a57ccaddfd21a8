/** systemd.resource-control(5): suffixes to the base 1024, largest first. */
const FACTORS: readonly (readonly [string, number])[] = [
  ["E", 1024 ** 6],
  ["P", 1024 ** 5],
  ["T", 1024 ** 4],
  ["G", 1024 ** 3],
  ["M", 1024 ** 2],
  ["K", 1024],
  ["B", 1],
  ["", 1],
];

/** A count and what it counts; 15 digits are more bytes than any machine has, and exact. */
const PART = /^(\d{1,15})(?:\.(\d{0,9}))?[ \t]*/;

/**
 * A size as systemd reads it (`parse_size` of 252): `512M`, `1.5G`, `1G 512M`, plain bytes; suffixes are upper-case, and each part's is smaller
 * than the one before. In bytes, a part of one is dropped. Null where it is none, or beyond what a number holds exactly.
 */
export function parseMemorySize(text: string): number | null {
  let rest = text.trimStart();
  let bytes = 0;
  let smallest = 0;
  do {
    const part = PART.exec(rest);
    if (part === null) return null;
    const [all, whole, fraction] = part;
    rest = rest.slice(all.length);
    const index = FACTORS.findIndex(([suffix], place) => place >= smallest && rest.startsWith(suffix));
    if (index === -1) return null;
    const [suffix, factor] = FACTORS[index]!;
    bytes += Math.floor(Number(whole) * factor + Number(`0.${fraction || "0"}`) * factor);
    rest = rest.slice(suffix.length).trimStart();
    smallest = index + 1;
  } while (rest !== "");
  return Number.isSafeInteger(bytes) ? bytes : null;
}
