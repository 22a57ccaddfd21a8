/**
 * tar and ar by ourselves, a few lines each: what a package's bytes depend on is then all here, on any machine, and nothing needs root or
 * a folder whose owners and times are right. `dpkg-deb` and `tar` read them in the tests.
 */
import type { PackageFile } from "./package-file.ts";

const BLOCK = 512;
/** tar pads to whole records of 20 blocks. */
const RECORD = 20 * BLOCK;
/** What the ustar format has room for in each of its two fields. */
const NAME_MAX = 100;
const PREFIX_MAX = 155;

/**
 * A ustar archive: entries in the order of their paths, folders before what is in them, all of root's and of one time (seconds since
 * 1970). Every path gets `prefix` in front (`./`, or a folder's name and a slash).
 */
export function tarOf(files: readonly PackageFile[], options: { prefix: string; time: number }): Buffer {
  const { prefix, time } = options;
  const folders = new Set(files.flatMap(({ path }) => foldersOf(path)));
  const paths = new Map(files.map((file) => [file.path, file] as const));
  const parts: Uint8Array[] = [header({ name: prefix, mode: 0o755, size: 0, type: "5", target: "", time })];
  for (const path of [...folders, ...paths.keys()].sort()) {
    const file = paths.get(path);
    const name = `${prefix}${path}`;
    if (file === undefined) parts.push(header({ name: `${name}/`, mode: 0o755, size: 0, type: "5", target: "", time }));
    else if ("target" in file) parts.push(header({ name, mode: 0o777, size: 0, type: "2", target: file.target, time }));
    else {
      const size = file.data.length;
      parts.push(header({ name, mode: file.mode, size, type: "0", target: "", time }), file.data, padding(size, BLOCK));
    }
  }
  parts.push(Buffer.alloc(2 * BLOCK));
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([...parts, padding(length, RECORD)]);
}

/** An ar archive as `deb(5)` has it: members in the order given. */
export function arOf(members: readonly { readonly name: string; readonly data: Uint8Array }[], time: number): Buffer {
  const parts = members.flatMap(({ name, data }) => {
    const fields = [
      name.padEnd(16),
      String(time).padEnd(12),
      "0     ",
      "0     ",
      "100644  ",
      String(data.length).padEnd(10),
    ];
    return [Buffer.from(`${fields.join("")}\`\n`), data, Buffer.alloc(data.length % 2, "\n")];
  });
  return Buffer.concat([Buffer.from("!<arch>\n"), ...parts]);
}

/** `usr`, `usr/bin` of `usr/bin/fleet`. */
function foldersOf(path: string): string[] {
  const names = path.split("/").slice(0, -1);
  return names.map((_, index) => names.slice(0, index + 1).join("/"));
}

function header(entry: {
  readonly name: string;
  readonly mode: number;
  readonly size: number;
  /** 0 a file, 2 a link, 5 a folder. */
  readonly type: "0" | "2" | "5";
  readonly target: string;
  readonly time: number;
}): Buffer {
  const [prefix, name] = splitName(entry.name);
  const block = Buffer.alloc(BLOCK);
  block.write(name, 0);
  block.write(octal(entry.mode, 8), 100);
  block.write(octal(0, 8), 108);
  block.write(octal(0, 8), 116);
  block.write(octal(entry.size, 12), 124);
  block.write(octal(entry.time, 12), 136);
  block.fill(" ", 148, 156);
  block.write(entry.type, 156);
  block.write(entry.target, 157);
  block.write("ustar\u000000", 257);
  block.write("root", 265);
  block.write("root", 297);
  block.write(prefix, 345);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}

/** A long path lies in two fields, parted at a slash. */
function splitName(path: string): [prefix: string, name: string] {
  if (Buffer.byteLength(path) <= NAME_MAX) return ["", path];
  for (let at = path.indexOf("/"); at >= 0; at = path.indexOf("/", at + 1)) {
    const [prefix, name] = [path.slice(0, at), path.slice(at + 1)];
    if (Buffer.byteLength(name) <= NAME_MAX && Buffer.byteLength(prefix) <= PREFIX_MAX) return [prefix, name];
  }
  throw new Error(`${path} is too long for a tar archive`);
}

function octal(value: number, length: number): string {
  return `${value.toString(8).padStart(length - 1, "0")}\0`;
}

function padding(length: number, unit: number): Buffer {
  return Buffer.alloc((unit - (length % unit)) % unit);
}
