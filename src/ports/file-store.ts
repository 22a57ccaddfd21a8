/**
 * The few file operations a daemon needs, each a point where it may die. Paths are absolute. A write is whole or not there:
 * a temporary file beside it, fsync, rename, fsync of the folder. Rejects with OperationError (`disk-full`, `read-only`, …).
 */
export interface FileStore {
  /** UTF-8 content, or null where there is no such file. */
  read(path: string): Promise<string | null>;
  /** Makes missing folders (0755). `mode` 0644 where not given. `durable: false` is for what lies in memory (/run): no fsync. */
  write(path: string, text: string, options?: { mode?: number; durable?: boolean }): Promise<void>;
  /**
   * The first half of a write: the new content lies beside its place, where nobody looks, with its mode and owner. What is done to the path
   * later (`stage`, `write`, `remove`) takes it away. Rejects with `account-unknown` where the machine knows no such owner.
   */
  stage(path: string, content: string | Uint8Array, as?: StagedFile): Promise<void>;
  /** The second half, which needs no room: what was staged takes its place at once. Rejects where nothing was staged. */
  publish(path: string): Promise<void>;
  /** Whether there is a file of exactly that content, mode and owner; a link to one is none. */
  holds(path: string, content: string | Uint8Array, as: StagedFile): Promise<boolean>;
  /** Takes away what was staged, if anything was, and its folder if nothing else is in it; the file stays as it is. */
  unstage(path: string): Promise<void>;
  /**
   * Removes a file; one that is not there is not an error. An empty folder left behind is removed with it where `prune`; with the path of a
   * folder above it, all that are left empty below that one.
   */
  remove(path: string, options?: { prune?: boolean | string }): Promise<void>;
  /**
   * Moves a file or a symbolic link, itself and not what it points to, over what is at the new place; makes missing folders. One that is
   * not there is not an error. Dying meanwhile leaves it at the old place, at the new one, or at both.
   */
  move(from: string, to: string): Promise<void>;
  /** Names of the entries of a folder, sorted; none where there is no such folder. */
  list(path: string): Promise<readonly string[]>;
  /**
   * What tells one state of each path from the next without reading it, in the order asked for; null where there is nothing. A symbolic
   * link is itself, and not what it points to. One call for all: it is asked of a thousand files every few seconds.
   */
  fingerprints(paths: readonly string[]): Promise<readonly (FileFingerprint | null)[]>;
}

export interface StagedFile {
  /** 0644 where not given. */
  readonly mode?: number;
  /** Names of accounts, or numbers; the process's own where not given. */
  readonly owner?: string;
  readonly group?: string;
  /** Whether it outlasts a power failure once it is published. Not, where not given. */
  readonly durable?: boolean;
}

export interface FileFingerprint {
  readonly kind: "file" | "link" | "folder" | "other";
  /** Bytes, of a file. */
  readonly size: number;
  /** Milliseconds since the epoch, with fractions. A folder's tells of entries that came and went, and not of what they say. */
  readonly mtimeMs: number;
  /** As `mtimeMs`, of the last change of any kind: nobody can set it back. */
  readonly ctimeMs: number;
  /** Another one: another file took its place. */
  readonly inode: number;
  /** Where a link points, as it is written; null of all else. */
  readonly target: string | null;
}
