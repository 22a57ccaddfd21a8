/** A page of documentation as something to run: its `console` blocks, in order. */
export interface Step {
  readonly command: string;
  /** Lines that must be in what the command prints, in this order. `…` stands for anything. */
  readonly expected: readonly string[];
  /** Tried again until it prints them, for at most this long; 0: once. */
  readonly untilMs: number;
  /** In the page, counting from 1. */
  readonly line: number;
}

/** Blocks open with ```` ```console ```` or ```` ```console until 30s ````; `$ ` begins a command, other lines are expected of it. */
export function parseTranscript(page: string): readonly Step[] {
  const steps: { command: string; expected: string[]; untilMs: number; line: number }[] = [];
  let untilMs: number | null = null;
  for (const [index, text] of page.split("\n").entries()) {
    const fence = /^```(?:console(?: until (\d+)s)?)?$/.exec(text);
    if (fence !== null) {
      untilMs = untilMs === null && text !== "```" ? Number(fence[1] ?? 0) * 1000 : null;
    } else if (untilMs !== null && text.startsWith("$ ")) {
      steps.push({ command: text.slice(2), expected: [], untilMs, line: index + 1 });
    } else if (untilMs !== null && text.trim() !== "") {
      const step = steps.at(-1);
      if (step === undefined) throw new Error(`line ${index + 1} expects output before any command`);
      step.expected.push(text);
    }
  }
  return steps;
}

/** The first expected line that the output does not have below the ones before it, or null where it has all. */
export function firstMissing(expected: readonly string[], output: string): string | null {
  const lines = output.split("\n");
  let from = 0;
  for (const line of expected) {
    const pattern = patternOf(line);
    const at = lines.findIndex((text, index) => index >= from && pattern.test(text));
    if (at < 0) return line;
    from = at + 1;
  }
  return null;
}

/** Columns are as wide as their widest cell, so a run of blanks is any run of blanks. */
function patternOf(line: string): RegExp {
  const parts = line
    .trim()
    .split("…")
    .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&").replaceAll(/\s+/g, "\\s+"));
  return new RegExp(`^\\s*${parts.join(".*")}\\s*$`);
}
