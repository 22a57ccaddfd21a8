import type { UnitName } from "../domain/names.ts";
import type { InstalledFile } from "../domain/tasks/task.ts";

/** The podman of one machine, as far as quadlets need it. Every call has a limit and rejects with OperationError where it could not be asked. */
export interface Podman {
  /** Whether systemd has podman's generator here, and so would make services of quadlets. */
  hasGenerator(): Promise<boolean>;
  /** What the generator would make of these quadlets and drop-ins, with those of others beside them. Changes nothing. */
  dryRun(files: readonly InstalledFile[]): Promise<DryRun>;
  /** Whether the image is on this machine. */
  hasImage(image: ImageRequest): Promise<boolean>;
  /** Fetches it, PULL_LIMIT_MS at most. Null where it is there now; else podman's own words. */
  pull(image: ImageRequest): Promise<string | null>;
  close(): void;
}

export interface DryRun {
  readonly services: ReadonlySet<UnitName>;
  /** What it said was wrong, a line each, in its own words; files by the end of their path. */
  readonly words: readonly string[];
}

export interface ImageRequest {
  /** As the quadlet has it. */
  readonly image: string;
  /** Of credentials, absolute; null: podman's own. */
  readonly authFile: string | null;
}

/** Runs a program as root, with what the agent itself may not do. */
export interface ProgramRunner {
  /** Whether it ended well in time, and the end of what it said was wrong. Rejects with OperationError where it could not be run. */
  run(argv: readonly string[], timeoutMs: number): Promise<{ readonly isDone: boolean; readonly words: string }>;
  close(): void;
}

/** A pull takes as long as a line is slow; below what a job of systemd's is waited for (JOB_WAIT_MS). */
export const PULL_LIMIT_MS = 540_000;
