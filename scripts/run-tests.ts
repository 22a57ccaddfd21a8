/**
 * Runs test files, each in a process of its own, and prints what a person needs: every failure whole, what was skipped and why,
 * and one closing line. Programs read the closing line: `N passed, N failed, N skipped`.
 */
import { globSync } from "node:fs";
import { relative } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";

export interface TestCounts {
  passed: number;
  failed: number;
  readonly skipped: { readonly name: string; readonly reason: string }[];
}

export interface TestRunOptions {
  /** Globs from the repository's root. */
  readonly files: readonly string[];
  /** Files at once. */
  readonly concurrency: number;
  /** One file may take this long. */
  readonly timeoutMs: number;
}

export async function runTests(title: string, options: TestRunOptions): Promise<TestCounts> {
  const files = options.files.flatMap((pattern) => globSync(pattern)).sort();
  if (files.length === 0) throw new Error(`no test files match ${options.files.join(" ")}`);
  const counts: TestCounts = { passed: 0, failed: 0, skipped: [] };
  const started = performance.now();
  process.stdout.write(`${title}: ${files.length} files\n`);
  const stream = run({ files, concurrency: options.concurrency, timeout: options.timeoutMs, isolation: "process" });
  const slowest: { file: string; seconds: number }[] = [];
  stream.on("test:pass", (event) => {
    const isFile = event.nesting === 0 && event.name === event.file;
    if (event.details.type === "suite" || isFile) return;
    if (event.skip !== undefined)
      counts.skipped.push({ name: event.name, reason: event.skip === true ? "no reason given" : String(event.skip) });
    else counts.passed++;
  });
  stream.on("test:fail", (event) => {
    if (event.details.type !== "suite") counts.failed++;
  });
  stream.on("test:summary", (event) => {
    if (event.file !== undefined)
      slowest.push({ file: relative(process.cwd(), event.file), seconds: event.duration_ms / 1000 });
  });
  await new Promise<void>((resolve, reject) => {
    const failures = new spec();
    let shown = "";
    failures.on("data", (chunk: Buffer | string) => {
      shown += String(chunk);
    });
    stream.on("error", reject);
    stream.pipe(failures).on("finish", () => {
      // The reporter's list of failures is its last part; the rest says only that things work.
      const at = shown.indexOf("failing tests:");
      if (counts.failed > 0) process.stdout.write(`${at < 0 ? shown : shown.slice(at)}\n`);
      resolve();
    });
  });
  const tail = slowest.sort((a, b) => b.seconds - a.seconds).slice(0, 3);
  const slow = tail.map(({ file, seconds }) => `${file} ${seconds.toFixed(1)} s`).join(", ");
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  process.stdout.write(
    `${title}: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped.length} skipped in ${seconds} s (slowest: ${slow})\n`,
  );
  return counts;
}

/** What did not run on this machine and why, then the one line programs read. Sets the exit code. */
export function closeRun(all: readonly TestCounts[]): void {
  const skipped = all.flatMap((counts) => counts.skipped);
  const reasons = Map.groupBy(skipped, (skip) => skip.reason);
  for (const [reason, skips] of reasons) process.stdout.write(`skipped ${skips.length}: ${reason}\n`);
  const sum = (of: (counts: TestCounts) => number) => all.reduce((total, counts) => total + of(counts), 0);
  const failed = sum((counts) => counts.failed);
  process.stdout.write(`${sum((counts) => counts.passed)} passed, ${failed} failed, ${skipped.length} skipped\n`);
  if (failed > 0) process.exitCode = 1;
}
