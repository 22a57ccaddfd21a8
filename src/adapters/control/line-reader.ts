import type { Socket } from "node:net";

/** The first line that comes out of a socket, if it comes in time and is no longer than it may be. */
export class LineReader {
  readonly #socket: Socket;
  readonly #max: number;

  /** `max`: in characters. */
  constructor(socket: Socket, max: number) {
    this.#socket = socket;
    this.#max = max;
    socket.setEncoding("utf8");
  }

  /** Without its end; null where there is none. What follows it is not read. */
  first(withinMs: number): Promise<string | null> {
    return new Promise((resolve) => {
      let text = "";
      const end = (line: string | null) => {
        clearTimeout(timer);
        this.#socket.removeAllListeners("data").pause();
        resolve(line);
      };
      const timer = setTimeout(() => end(null), withinMs);
      this.#socket.on("data", (part: string) => {
        text += part;
        const at = text.indexOf("\n");
        if (at >= 0 ? at > this.#max : text.length > this.#max) end(null);
        else if (at >= 0) end(text.slice(0, at));
      });
      this.#socket.once("end", () => end(null));
      this.#socket.once("close", () => end(null));
    });
  }
}
