/** What another machine's terminal asks of this one, as it came: judged by whoever answers. */
export interface SignedAsk {
  readonly text: string;
  readonly signature: Uint8Array;
}

/**
 * What is told of an ask, piece by piece, each as it is asked for. Throws OperationError where nothing is told. Ends early when the signal
 * aborts: nobody reads it any more.
 */
export type Answerer = (ask: SignedAsk, signal: AbortSignal) => AsyncIterable<Uint8Array>;

/** The way by which others' asks reach this machine, which only dials out. */
export interface ReachLine {
  /** Answers for as long as the connection stands. Rejects with OperationError when it ends, and at once where there is none. */
  serve(answer: Answerer, signal: AbortSignal): Promise<void>;
}

/** The journal of one service of this machine. */
export interface JournalReader {
  /** As journalctl prints it. With `follow` it does not end before the signal aborts. Rejects with OperationError `journal-unreadable`. */
  read(
    service: string,
    options: { readonly lines: number; readonly follow: boolean; readonly json: boolean },
    signal: AbortSignal,
  ): AsyncIterable<Uint8Array>;
}
