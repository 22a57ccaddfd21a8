/**
 * The few file operations a daemon needs, each a point where it may die. Paths are absolute. A write is whole or not there:
 * a temporary file beside it, fsync, rename, fsync of the folder. Rejects with OperationError (`disk-full`, `read-only`, …).
 */
export interface FileStore {
  /** UTF-8 content, or null where there is no such file. */
  read(path: string): Promise<string | null>;
  /** Makes missing folders (0755). `mode` 0644 where not given. `durable: false` skips both fsyncs (for /run). */
  write(path: string, text: string, options?: { mode?: number; durable?: boolean }): Promise<void>;
  /** Removes a file; one that is not there is not an error. An empty folder left behind is removed with it where `prune`. */
  remove(path: string, options?: { prune?: boolean }): Promise<void>;
  /**
   * Moves a file or a symbolic link, itself and not what it points to, over what is at the new place; makes missing folders. One that is
   * not there is not an error. Dying meanwhile leaves it at the old place, at the new one, or at both.
   */
  move(from: string, to: string): Promise<void>;
  /** Names of the entries of a folder, sorted; none where there is no such folder. */
  list(path: string): Promise<readonly string[]>;
}
