/** systemd.time(7): units of a span, in milliseconds. `m` is minutes and `M` months. */
const UNITS: Readonly<Record<string, number>> = Object.fromEntries(
  (
    [
      ["us usec µs μs", 0.001],
      ["ms msec", 1],
      ["s sec second seconds", 1_000],
      ["m min minute minutes", 60_000],
      ["h hr hour hours", 3_600_000],
      ["d day days", 86_400_000],
      ["w week weeks", 604_800_000],
      ["M month months", 2_629_800_000],
      ["y year years", 31_557_600_000],
    ] as const
  ).flatMap(([names, milliseconds]) => names.split(" ").map((name) => [name, milliseconds])),
);

/** A number and its unit; seconds where there is none. */
const PART = /^(\d{1,15}(?:\.\d{0,9})?|\.\d{1,9})[ \t]*([A-Za-zµμ]*)[ \t]*/;

/**
 * A time span as systemd reads it (`90`, `1min 30s`, `1.5s`, `infinity`), in milliseconds: `Infinity` is an answer. Null where it is
 * none: systemd ignores the line then.
 */
export function parseTimeSpan(text: string): number | null {
  let rest = text.trim();
  if (rest === "infinity") return Number.POSITIVE_INFINITY;
  if (rest === "") return null;
  let milliseconds = 0;
  while (rest !== "") {
    const part = PART.exec(rest);
    if (part === null) return null;
    const [all, count, unit] = part;
    const factor = UNITS[unit === "" ? "s" : unit!];
    if (factor === undefined) return null;
    milliseconds += Number(count) * factor;
    rest = rest.slice(all.length);
  }
  return milliseconds;
}
