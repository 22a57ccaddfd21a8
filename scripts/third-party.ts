/**
 * Real third-party servers for tests and benches, taken out of Debian's packages into `.cache/third-party/`: nothing is
 * installed, so no service ever starts and the machine stays as it was. `third-party.ts NAME…` prints where each is.
 */
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

export const THIRD_PARTY_NAMES = ["age", "etcd-3.4", "etcd-3.5", "etcdctl", "nginx", "quadlet", "sshd"] as const;
export type ThirdPartyName = (typeof THIRD_PARTY_NAMES)[number];

interface Part {
  /** Debian's suite to take it from; null is the one this machine runs. */
  readonly suite: string | null;
  readonly packages: readonly string[];
  /** The binary's path inside the packages. */
  readonly binary: string;
  /** Packages of its shared libraries, fetched only where the machine lacks one. */
  readonly libraries: readonly string[];
}

const PARTS: Readonly<Record<ThirdPartyName, Part>> = {
  age: { suite: null, packages: ["age"], binary: "usr/bin/age", libraries: [] },
  "etcd-3.4": { suite: null, packages: ["etcd-server"], binary: "usr/bin/etcd", libraries: [] },
  "etcd-3.5": { suite: "trixie", packages: ["etcd-server"], binary: "usr/bin/etcd", libraries: [] },
  etcdctl: { suite: null, packages: ["etcd-client"], binary: "usr/bin/etcdctl", libraries: [] },
  nginx: {
    suite: null,
    packages: ["nginx", "nginx-common"],
    binary: "usr/sbin/nginx",
    libraries: ["libcrypt1", "libpcre2-8-0", "libssl3", "zlib1g"],
  },
  // Needs nothing but the C library, of any suite; podman itself is not needed to make services.
  quadlet: { suite: "trixie", packages: ["podman"], binary: "usr/libexec/podman/quadlet", libraries: [] },
  sshd: { suite: null, packages: ["openssh-server"], binary: "usr/sbin/sshd", libraries: ["libwrap0"] },
};

const CACHE = fileURLToPath(new URL("../.cache/third-party", import.meta.url));
const DEBIAN_KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg";
/** A cold fetch is 20 MB of lists and at most 10 MB of packages: a minute on a slow line, and the lock's holder may be doing just that. */
const FETCH_LIMIT_MS = 300_000;

const run = promisify(execFile);

/**
 * The absolute path of that program, fetched on the first call (seconds, needs the network), found on every later one. Safe
 * when several processes ask at once. Rejects, with the reason as message, where it cannot be had on this machine.
 */
export async function thirdPartyBinary(name: ThirdPartyName): Promise<string> {
  if (!Object.hasOwn(PARTS, name)) throw new Error(`${name} is none of ${Object.keys(PARTS).join(", ")}`);
  const path = startOf(name);
  if (existsSync(path)) return path;
  mkdirSync(CACHE, { recursive: true });
  try {
    // The kernel lets go of this lock whatever happens to its holder.
    const [lock, self] = [join(CACHE, "lock"), fileURLToPath(import.meta.url)];
    await run("flock", [lock, process.execPath, self, "--fetch", name], { timeout: FETCH_LIMIT_MS });
  } catch (error) {
    throw new Error(`${name} is not available here: ${whatWentWrong(error)}`, { cause: error });
  }
  return startOf(name);
}

/** The program itself, or a starter beside it that shows it the libraries this machine lacks. */
function startOf(name: ThirdPartyName): string {
  const starter = join(CACHE, name, "start");
  return existsSync(starter) ? starter : join(CACHE, name, PARTS[name].binary);
}

async function fetchPart(name: ThirdPartyName): Promise<void> {
  if (existsSync(startOf(name))) return;
  const { suite, packages, binary, libraries } = PARTS[name];
  const apt = await aptFor(suite ?? ownSuite());
  const unfinished = join(CACHE, `${name}.unfinished`);
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished);
  await extract(apt, packages, unfinished);
  if (await lacksLibraries(join(unfinished, binary))) {
    await extract(apt, libraries, unfinished);
    const final = join(CACHE, name);
    const folders = readdirSync(unfinished, { recursive: true, encoding: "utf8" })
      .filter((path) => /\/lib[^/]*\.so\.[^/]*$/.test(path))
      .map((path) => join(final, path, ".."));
    const paths = [...new Set(folders)].join(":");
    const script = `#!/bin/sh\nLD_LIBRARY_PATH='${paths}' exec '${join(final, binary)}' "$@"\n`;
    writeFileSync(join(unfinished, "start"), script, { mode: 0o755 });
  }
  if (!existsSync(join(unfinished, binary))) throw new Error(`the package ${packages[0]} holds no ${binary}`);
  renameSync(unfinished, join(CACHE, name));
}

async function extract(apt: readonly string[], packages: readonly string[], folder: string): Promise<void> {
  const downloads = `${folder}/downloads`;
  mkdirSync(downloads);
  const download = () => run("apt-get", [...apt, "download", ...packages], { cwd: downloads, timeout: FETCH_LIMIT_MS });
  // Lists fetched long ago name files the mirror has replaced since.
  await download().catch(() => run("apt-get", [...apt, "update"], { timeout: FETCH_LIMIT_MS }).then(download));
  for (const file of readdirSync(downloads)) await run("dpkg", ["-x", join(downloads, file), folder]);
  rmSync(downloads, { recursive: true });
}

async function lacksLibraries(binary: string): Promise<boolean> {
  // ldd exits with 1 for a static binary, which lacks nothing.
  const { stdout } = await run("ldd", [binary]).catch((error: { stdout: string }) => error);
  return stdout.includes("not found");
}

/** apt's options that make it look at one suite only, with lists and cache of its own, fetched once. */
async function aptFor(suite: string): Promise<readonly string[]> {
  const folder = join(CACHE, `apt-${suite}`);
  const options = Object.entries({
    "Dir::Etc::sourcelist": join(folder, "sources.list"),
    "Dir::Etc::sourceparts": "/dev/null",
    "Dir::State::Lists": join(folder, "lists"),
    "Dir::Cache": join(folder, "cache"),
    "APT::Sandbox::User": "root",
    "APT::Update::Error-Mode": "any",
    "Acquire::Languages": "none",
    "Acquire::Retries": "2",
    "Acquire::http::Timeout": "20",
  }).flatMap(([key, value]) => ["-o", `${key}=${value}`]);
  if (existsSync(join(folder, "updated"))) return options;
  const mirror = await debianMirror();
  for (const part of ["lists/partial", "cache/archives/partial"]) mkdirSync(join(folder, part), { recursive: true });
  const signedBy = existsSync(DEBIAN_KEYS) ? `[signed-by=${DEBIAN_KEYS}] ` : "";
  writeFileSync(join(folder, "sources.list"), `deb ${signedBy}${mirror} ${suite} main\n`);
  await run("apt-get", [...options, "update"], { timeout: FETCH_LIMIT_MS });
  writeFileSync(join(folder, "updated"), "");
  return options;
}

/** The mirror this machine's own apt uses for its suite; works without any list fetched before. */
async function debianMirror(): Promise<string> {
  const { stdout } = await run("apt-get", ["update", "--print-uris"]);
  const found = new RegExp(`'([^']+)/dists/${ownSuite()}/InRelease'`).exec(stdout);
  if (found === null) throw new Error(`apt on this machine knows no source for ${ownSuite()}`);
  return found[1]!;
}

function ownSuite(): string {
  const found = /^VERSION_CODENAME=(\w+)$/m.exec(readFileSync("/etc/os-release", "utf8"));
  if (found === null) throw new Error("/etc/os-release names no suite: not a Debian system");
  return found[1]!;
}

function whatWentWrong(error: unknown): string {
  const { code, stderr, message } = error as { code?: unknown; stderr?: string; message: string };
  if (code === "ENOENT") return "it needs flock, apt-get and dpkg: a Debian system";
  return stderr?.trim().split("\n").slice(-3).join("; ") || message;
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const [first, ...rest] = process.argv.slice(2);
  try {
    if (first === "--fetch") await fetchPart(rest[0] as ThirdPartyName);
    else for (const name of [first, ...rest] as ThirdPartyName[]) console.log(await thirdPartyBinary(name));
  } catch (error) {
    console.error(whatWentWrong(error));
    process.exitCode = 1;
  }
}
