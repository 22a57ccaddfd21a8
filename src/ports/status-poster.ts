import type { CommitStatus } from "../domain/notify/convergence-status.ts";

/** Says at a forge how a commit fares. */
export interface StatusPoster {
  /** The forge whose repositories it knows, such as `github.com`: in lower case, with a port where it is not the usual one. */
  readonly host: string;
  /**
   * `repository`: `owner/name`; `context`: what the status is called there; `tokenFile`: on this machine. Rejects with OperationError
   * (`forge-token`, `forge-failed`), in whose text no token stands; ends within a limit of its own.
   */
  post(repository: string, context: string, status: CommitStatus, tokenFile: string): Promise<void>;
}
