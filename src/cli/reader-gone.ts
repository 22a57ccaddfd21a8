/**
 * Whoever reads our output may have read enough: `fleet list-units | head -1`. That is no error, and ends nothing that is under way: an
 * apply goes on and exits as it would have. What shows things for ever asks `isReaderGone` and ends.
 */
let gone = false;
let isWatched = false;

/** Once for a process, however many commands it runs. */
export function watchReaders(): void {
  if (isWatched) return;
  isWatched = true;
  for (const stream of [process.stdout, process.stderr])
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
      if (stream === process.stdout) gone = true;
    });
}

export function isReaderGone(): boolean {
  return gone;
}
