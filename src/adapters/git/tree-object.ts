import { isUtf8 } from "node:buffer";
import { OperationError } from "../../ports/operation-error.ts";
import { corrupt } from "./git-object.ts";

export interface TreeEntry {
  readonly name: string;
  readonly oid: string;
  readonly kind: "file" | "symlink" | "submodule" | "folder";
  /** Of a file whose owner may run it. Absent: not. */
  readonly executable?: true;
}

const ID_BYTES = 20;
/** NAME_MAX of every Linux file system. */
const NAME_BYTES_MAX = 255;
const EXECUTABLE = "100755";
const KINDS: Readonly<Record<string, TreeEntry["kind"]>> = {
  "100644": "file",
  "100755": "file",
  // What very old versions of git wrote; git itself reads it as 100644.
  "100664": "file",
  "120000": "symlink",
  "160000": "submodule",
  "40000": "folder",
};

/**
 * The entries of a tree object. Names become file names on machines, so one that could mean something else than a name is
 * refused with its path, before anything is read. A backslash is allowed: systemd's own `srv-my\x2ddata.mount` needs it.
 */
export function parseTree(content: Buffer, path: string): readonly TreeEntry[] {
  const entries: TreeEntry[] = [];
  for (let at = 0; at < content.length; ) {
    const space = content.indexOf(0x20, at);
    const end = content.indexOf(0, space);
    if (space < 0 || end < 0 || end + 1 + ID_BYTES > content.length)
      throw corrupt(`the tree of ${path || "/"} is cut short`);
    const mode = content.subarray(at, space).toString("latin1");
    const bytes = content.subarray(space + 1, end);
    const name = bytes.toString("utf8");
    const shown = () => (path === "" ? printable(name) : `${path}/${printable(name)}`);
    const refusal = whyRefused(bytes, name);
    if (refusal !== null) throw refused(shown(), refusal);
    const kind = KINDS[mode];
    if (kind === undefined) throw refused(shown(), `has the mode ${printable(mode)}, which git does not write`);
    const oid = content.subarray(end + 1, end + 1 + ID_BYTES).toString("hex");
    entries.push({ name, oid, kind, ...(mode === EXECUTABLE ? { executable: true } : {}) });
    at = end + 1 + ID_BYTES;
  }
  return entries;
}

function whyRefused(bytes: Buffer, name: string): string | null {
  if (bytes.length === 0) return "has an empty name";
  if (bytes.length > NAME_BYTES_MAX)
    return `has a name of ${bytes.length} bytes, more than the ${NAME_BYTES_MAX} a file can have`;
  if (!isUtf8(bytes)) return "has a name that is not UTF-8";
  if (name === "." || name === "..") return "would leave its folder";
  if (name.toLowerCase() === ".git") return "has the name of git's own folder";
  if (name.includes("/")) return "has a slash in its name";
  if (/[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/.test(name)) {
    return "has a control character in its name";
  }
  return null;
}

function refused(path: string, why: string): OperationError {
  return new OperationError("tree-name-refused", `the commit's entry ${path} ${why}`, {
    next: "rename or remove it in the repository",
  });
}

/** A hostile name must not reach a terminal as it is, nor fill it. */
function printable(name: string): string {
  const short = name.length > 80 ? `${name.slice(0, 80)}…` : name;
  return JSON.stringify(short)
    .slice(1, -1)
    .replace(/[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, "?");
}
