/** A page of docs/journeys, executed: on a lab of its own, in a shell of its own, with the bundle as it is shipped. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { readLab } from "../../src/lab/lab-state.ts";
import { missingPackages } from "../../src/lab/prerequisites.ts";
import { clearAbandonedLabs } from "../e2e/lab-name.ts";
import { firstMissing, parseTranscript, type Step } from "./transcript.ts";

const root = join(import.meta.dirname, "../..");
/** Not the default one: somebody may have a lab up. */
const LAB = `e2e-${process.pid}`;
/** The longest step is an apply, which has 60 s of its own. */
const STEP_LIMIT_MS = 90_000;
const RETRY_MS = 250;

/** Why this machine cannot follow a page on a lab, or false. */
export function whyNot(): string | false {
  if (process.getuid?.() !== 0) return "a lab of real machines needs root";
  const missing = missingPackages();
  return missing.length > 0 && `a lab needs ${missing.join(", ")}`;
}

/** Does what the page says, and takes its lab down where the page did not. `programs`: further ones it calls, by name. */
export async function followPage(
  context: Pick<TestContext, "after">,
  page: string,
  programs: Readonly<Record<string, string>> = {},
): Promise<void> {
  await clearAbandonedLabs();
  const folder = mkdtempSync(join(tmpdir(), "fleet-journey-"));
  const shell = new Shell(folder, programs);
  context.after(() => {
    shell.end();
    if (readLab(LAB) !== null) spawnSync(join(folder, "bin/fleet"), ["lab", "down", "--name", LAB]);
    rmSync(folder, { recursive: true });
  });
  for (const step of parseTranscript(readFileSync(join(root, page), "utf8"))) await follow(shell, step);
  assert.equal(readLab(LAB), null, "the journey ends with its lab down");
}

async function follow(shell: Shell, { command, expected, untilMs, line }: Step): Promise<void> {
  const deadline = performance.now() + untilMs;
  for (;;) {
    const output = await shell.run(command);
    const missing = firstMissing(expected, output);
    if (missing === null) return;
    if (performance.now() >= deadline) {
      assert.fail(`line ${line} of the page: $ ${command}\nprinted\n${output}\nwithout the line\n${missing}`);
    }
    await sleep(RETRY_MS);
  }
}

/** One shell for the whole page, as a person has one: `cd` and variables stay. */
class Shell {
  readonly #child;
  #heard = "";
  #wake: () => void = () => {};

  constructor(folder: string, programs: Readonly<Record<string, string>>) {
    mkdirSync(join(folder, "bin"));
    for (const [name, path] of Object.entries(programs)) symlinkSync(path, join(folder, "bin", name));
    const words = [join(root, "tools/node/run"), join(root, "bin/fleet.js")].map((word) => `'${word}'`).join(" ");
    writeFileSync(join(folder, "bin/fleet"), `#!/bin/sh\nexec ${words} "$@"\n`, { mode: 0o755 });
    this.#child = spawn("bash", ["--norc"], {
      cwd: folder,
      stdio: ["pipe", "pipe", "inherit"],
      env: {
        PATH: `${join(folder, "bin")}:${process.env.PATH ?? "/usr/sbin:/usr/bin:/sbin:/bin"}`,
        HOME: folder,
        EXAMPLES: join(root, "examples"),
        FLEET_LAB: LAB,
        FLEET_REGISTRY: `unix:/var/lib/fleet-lab/${LAB}/shared/registry.sock`,
        ...Object.fromEntries(
          ["AUTHOR", "COMMITTER"].flatMap((who) => [
            [`GIT_${who}_NAME`, "you"],
            [`GIT_${who}_EMAIL`, "you@localhost"],
          ]),
        ),
      },
    });
    this.#child.stdout.setEncoding("utf8").on("data", (text: string) => {
      this.#heard += text;
      this.#wake();
    });
    this.#child.on("exit", () => this.#wake());
  }

  /** Runs a line and returns what it printed on both outputs. */
  async run(command: string): Promise<string> {
    const mark = `--${Math.random().toString(36).slice(2)}--`;
    this.#heard = "";
    // Not in a subshell: what the line does to the shell is part of the page.
    this.#child.stdin.write(`{ ${command}\n} </dev/null 2>&1\nprintf '\\n%s\\n' ${mark}\n`);
    const limit = performance.now() + STEP_LIMIT_MS;
    while (!this.#heard.includes(mark)) {
      const left = limit - performance.now();
      if (left <= 0 || this.#child.exitCode !== null)
        assert.fail(`$ ${command}\ndid not end; it printed\n${this.#heard}`);
      await Promise.race([new Promise<void>((resolve) => (this.#wake = resolve)), sleep(Math.min(left, 1_000))]);
    }
    return this.#heard.slice(0, this.#heard.indexOf(mark));
  }

  end(): void {
    this.#child.kill("SIGKILL");
  }
}
