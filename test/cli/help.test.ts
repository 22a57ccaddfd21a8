import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, test } from "node:test";
import { fleet, prepareFleet } from "./fleet-process.ts";

interface Manifest {
  readonly commands: Readonly<
    Record<string, { summary?: string; hidden: boolean; flags: Readonly<Record<string, { hidden?: boolean }>> }>
  >;
}

/** Two processors: more at once is not faster. */
const AT_ONCE = 4;

before(prepareFleet);

test("--help of every command says what it is for and names its flags", async () => {
  const path = join(import.meta.dirname, "../../dist/oclif.manifest.json");
  const { commands } = JSON.parse(readFileSync(path, "utf8")) as Manifest;
  const shown = Object.entries(commands).filter(([, command]) => !command.hidden);
  assert.ok(shown.length > 15, "the manifest is read");
  let next = 0;
  const ask = async (): Promise<void> => {
    for (let entry = shown[next++]; entry !== undefined; entry = shown[next++]) {
      const [id, { summary, flags }] = entry;
      const words = [...id.split(":"), "--help"];
      const { code, stdout, stderr } = await fleet(words, { cwd: tmpdir() });
      assert.deepEqual([code, stderr], [0, ""], id);
      assert.ok(stdout.startsWith(`${summary}\n`), `${id} begins with its summary:\n${stdout}`);
      for (const [flag, { hidden }] of Object.entries(flags))
        if (hidden !== true) assert.ok(stdout.includes(`--${flag}`), `${id} names --${flag}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, ask));
});

test("fleet --version names the version of package.json on one line", async () => {
  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, "../../package.json"), "utf8"));
  const { code, stdout, stderr } = await fleet(["--version"], { cwd: tmpdir() });
  assert.deepEqual([code, stderr], [0, ""]);
  assert.match(stdout, new RegExp(`^fleet/${version.replaceAll(".", "\\.")} [^\\n]*\\n$`));
});
