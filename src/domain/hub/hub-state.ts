/** What a machine that dials engines knows of them, for its people. */
export interface HubState {
  /** `host:port` of the engine in use; null: none carries anything. */
  readonly engine: string | null;
  /** Since when `engine` is that, as ISO text: for people. */
  readonly since: string;
  /** Engines that could not be used when they were last dialled, in the order of the address. */
  readonly failures: readonly HubFailure[];
}

export interface HubFailure {
  readonly engine: string;
  /**
   * A refusal's code of `judgePeer` where the engine is not taken, `refused-` and that code where it does not take this machine,
   * `engine-unreachable`, `engine-timeout`, `engine-handshake`, `engine-dropped` where it ends connections without a word, `no-engine-keys`.
   */
  readonly code: string;
  readonly detail: string;
  /** What a person can do about it; null: nobody knows. */
  readonly next: string | null;
  /** Of the first of these failures in a row, as ISO text. */
  readonly since: string;
}
