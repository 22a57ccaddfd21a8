import { appendFileSync } from "node:fs";
import type { InputName, OutputName } from "./action-interface.ts";

/** What a runner gives a step: variables, and a standard output that it reads. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly write: (text: string) => void;
  readonly newId: () => string;
}

export type AnnotationLevel = "error" | "warning" | "notice";

/** Where an annotation stands on the diff of a pull request. Lines and columns count from 1. */
export interface AnnotationPlace {
  readonly title?: string;
  readonly file?: string | undefined;
  readonly line?: number | undefined;
  readonly col?: number | undefined;
}

/** A step's summary of more than 1 MiB is thrown away, and the step stays green: this leaves room for what it is counted in. */
export const SUMMARY_BYTES_MAX = 900 * 1024;
/** A runner shows ten of a kind for each step, and drops the rest without a word. */
const ANNOTATIONS_MAX = 9;
/** Anything longer is no sentence. */
const SENTENCE_MAX = 4_000;

/**
 * A runner's protocol: inputs are variables, outputs and the summary are files, all else are lines of standard output that begin with two
 * colons. Whatever text is logged cannot be taken for one of these.
 */
export class Runner {
  readonly #surroundings: Surroundings;
  readonly warnings: string[] = [];
  #summaryLeft = SUMMARY_BYTES_MAX;
  readonly #annotations = { error: 0, warning: 0, notice: 0 };

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
  }

  /** Empty where nobody gave it; without the blanks around it. */
  input(name: InputName): string {
    return (this.variable(`INPUT_${name.toUpperCase()}`) ?? "").trim();
  }

  variable(name: string): string | undefined {
    return this.#surroundings.env[name];
  }

  /** For later steps. Nothing where there is no runner to tell them. */
  output(name: OutputName, value: string): void {
    const file = this.variable("GITHUB_OUTPUT");
    if (file === undefined || file === "") return;
    // Nobody can guess where the value ends, so that no value can go on as another output.
    const end = `end-${this.#surroundings.newId()}`;
    appendFileSync(file, `${name}<<${end}\n${value}\n${end}\n`);
  }

  /** Bytes that still fit. */
  get summaryLeft(): number {
    return this.#summaryLeft;
  }

  /** Markdown on the page of the run; what does not fit is left out by whole lines. */
  summary(text: string): void {
    const file = this.variable("GITHUB_STEP_SUMMARY");
    if (file === undefined || file === "") return;
    const fitting = wholeLines(`${text}\n`, this.#summaryLeft);
    this.#summaryLeft -= Buffer.byteLength(fitting);
    appendFileSync(file, fitting);
  }

  /** What was printed elsewhere or comes from elsewhere: no line of it is a command to the runner. */
  log(text: string): void {
    if (text === "") return;
    const lines = text.endsWith("\n") ? text : `${text}\n`;
    if (!/::|##\[/.test(lines)) {
      this.#surroundings.write(lines);
      return;
    }
    const token = this.#surroundings.newId();
    this.#surroundings.write(`::stop-commands::${token}\n${lines}::${token}::\n`);
  }

  /** Folded in the log. */
  group(title: string, text: string): void {
    this.#surroundings.write(`::group::${dataOf(title)}\n`);
    this.log(text);
    this.#surroundings.write("::endgroup::\n");
  }

  /** At a line of the diff where there is one. Of more than a runner shows, the rest is only counted by `endAnnotations`. */
  annotate(level: AnnotationLevel, message: string, place: AnnotationPlace = {}): void {
    this.#annotations[level]++;
    if (this.#annotations[level] > ANNOTATIONS_MAX) return;
    this.#command(level, message, place);
  }

  endAnnotations(): void {
    for (const level of ["error", "warning", "notice"] as const) {
      const more = this.#annotations[level] - ANNOTATIONS_MAX;
      if (more > 0) this.#command(level, `and ${more} more: the log has all of them`, {});
      this.#annotations[level] = 0;
    }
  }

  /** Something went wrong that does not make the step fail. */
  warn(message: string): void {
    this.warnings.push(message.slice(0, SENTENCE_MAX));
    this.annotate("warning", message);
  }

  /** What must not be shown, should anything print it. Lines that everybody knows, and words too short to be secret, are not hidden. */
  mask(secret: string): void {
    for (const line of secret.split(/\r?\n/)) {
      if (line.length >= 8 && !line.startsWith("-----")) this.#surroundings.write(`::add-mask::${dataOf(line)}\n`);
    }
  }

  #command(level: AnnotationLevel, message: string, { title, file, line, col }: AnnotationPlace): void {
    const properties = Object.entries({ title, file, line, col })
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => `${name}=${propertyOf(`${value}`)}`)
      .join(",");
    const head = properties === "" ? level : `${level} ${properties}`;
    this.#surroundings.write(`::${head}::${dataOf(message.slice(0, SENTENCE_MAX))}\n`);
  }
}

/** As many lines as fit into so many bytes. */
export function wholeLines(text: string, bytesMax: number): string {
  if (Buffer.byteLength(text) <= bytesMax) return text;
  let bytes = 0;
  let fitting = "";
  for (const line of text.split(/(?<=\n)/)) {
    bytes += Buffer.byteLength(line);
    if (bytes > bytesMax) break;
    fitting += line;
  }
  return fitting;
}

function dataOf(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function propertyOf(text: string): string {
  return dataOf(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
