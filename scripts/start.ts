/**
 * `npm start`: the main job, shown. Boots a lab of three real systemd machines, puts examples/hello into a fresh repository of its
 * own, plans, applies, shows what runs where, pulls a plug, shows the units return elsewhere, and says what to type next.
 */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { missingPackages } from "../src/lab/prerequisites.ts";
import { buildIfStale } from "./build.ts";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const node = process.execPath;
const cli = join(root, "bin/fleet.js");
const lab = "hello";
/** How long the demonstration waits for what takes a second or two. */
const PATIENCE_MS = 60_000;

await buildIfStale();
const missing = missingPackages();
if (missing.length > 0 || process.argv.includes("--simulated")) await simulated(missing);
else if (process.getuid?.() !== 0) needsRoot();
else await real();

function needsRoot(): void {
  say("Real machines need root: network namespaces, mounts and systemd as PID 1. Nothing outside the lab is touched.");
  say(`Run:\n\n    sudo ${node} ${join(root, "scripts/start.ts")}\n`);
  process.exitCode = 1;
}

async function real(): Promise<void> {
  const repository = makeRepository();
  step(`a fresh git repository with ${join("examples", "hello")} in it: ${repository}`);
  if (existsSync(`/var/lib/fleet-lab/${lab}/lab.json`)) fleet(["lab", "down", "--name", lab]);
  step("three machines, each with systemd as its PID 1, an engine and an agent");
  fleet(["lab", "up", "--name", lab, "--machines", "3", "-C", repository]);
  await until("the machines have joined", () => machines().filter((machine) => machine.present).length === 3);
  step("what this commit would change, on which machine and why: fleet plan");
  fleet(["plan", "-C", repository, ...registry()]);
  step("make it the cluster's release and wait until it runs: fleet apply");
  fleet(["apply", "--auto-approve", "-C", repository, ...registry()]);
  step("every unit, and where it is active: fleet status");
  fleet(["status", "-C", repository, ...registry()]);
  const victim = machineOf("hello@1.service");
  step(`pull the plug of ${victim}: fleet lab kill ${victim}`);
  fleet(["lab", "kill", victim, "--name", lab]);
  await until("its units run elsewhere", () => machineOf("hello@1.service") !== victim && isActive("hello@1.service"));
  fleet(["list-units", "-C", repository, ...registry()]);
  farewell(repository, victim);
}

function farewell(repository: string, victim: string): void {
  step("your turn");
  say(`    alias fleet='${node} ${cli}'`);
  say(`    export FLEET_LAB=${lab} ${registryVariable()}`);
  say(`    cd ${repository}        # edit units/hello@.service, then: git commit -am change`);
  say("    fleet plan                # what the commit would change");
  say("    fleet apply               # make it so");
  say(`    fleet lab revive ${victim}       # give the machine its power back`);
  say("    fleet lab exec m1 -- journalctl -n 20");
  say("    fleet lab down            # takes everything down and proves that nothing is left");
}

async function simulated(missing: readonly string[]): Promise<void> {
  if (missing.length > 0) {
    say(`This machine lacks ${missing.join(", ")}; nothing is installed for you.`);
    say(`With real machines: apt-get install ${missing.join(" ")}, then npm start again.`);
  }
  say(
    "Here is the same journey on SIMULATED machines: fleet's own daemons over a model of systemd, in this process.\n",
  );
  const { simulatedJourney } = await import("../src/sim/simulated-journey.ts");
  await simulatedJourney({ example: join(root, "examples/hello"), cluster: "hello", say, step });
}

/** The example as a repository of its own: this clone is not touched. */
function makeRepository(): string {
  const folder = mkdtempSync(join(tmpdir(), "fleet-hello-"));
  cpSync(join(root, "examples/hello"), folder, { recursive: true });
  const git = (...words: string[]) => run("git", ["-C", folder, ...words], true);
  git("init", "-q", "-b", "main");
  git("config", "user.name", "fleet");
  git("config", "user.email", "fleet@localhost");
  git("add", ".");
  git("commit", "-q", "-m", "hello");
  return folder;
}

function registry(): string[] {
  return ["--registry", `unix:/var/lib/fleet-lab/${lab}/shared/registry.sock`];
}

function registryVariable(): string {
  return `FLEET_REGISTRY=${registry()[1]}`;
}

function fleet(words: readonly string[]): void {
  say(
    `$ fleet ${words.filter((word, index) => word !== "-C" && words[index - 1] !== "-C" && word !== "--registry" && words[index - 1] !== "--registry").join(" ")}`,
  );
  run(node, [cli, ...words], false);
}

function json<T>(words: readonly string[]): T | null {
  const result = spawnSync(node, [cli, ...words, "--json", ...registry(), "--cluster", "hello"], { encoding: "utf8" });
  return result.status === 0 ? (JSON.parse(result.stdout) as T) : null;
}

function machines(): { present: boolean }[] {
  return json<{ present: boolean }[]>(["list-machines"]) ?? [];
}

interface Row {
  unit: string;
  machineName: string;
  active: string;
}

function machineOf(unit: string): string {
  return json<Row[]>(["list-units"])?.find((row) => row.unit === unit)?.machineName ?? "";
}

function isActive(unit: string): boolean {
  return json<Row[]>(["list-units"])?.find((row) => row.unit === unit)?.active === "active";
}

async function until(what: string, condition: () => boolean): Promise<void> {
  const started = performance.now();
  while (!condition()) {
    if (performance.now() - started > PATIENCE_MS)
      throw new Error(`waited ${PATIENCE_MS / 1000} s in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  say(`(${((performance.now() - started) / 1000).toFixed(1)} s until ${what})`);
}

function run(program: string, words: readonly string[], quiet: boolean): void {
  const result = spawnSync(program, words, { stdio: quiet ? ["ignore", "ignore", "inherit"] : "inherit" });
  if (result.status !== 0)
    throw new Error(`${program} ${words.join(" ")} ended with ${result.status ?? result.signal}`);
}

function step(text: string): void {
  say(`\n== ${text}`);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
