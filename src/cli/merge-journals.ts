import { type JournalWay, readJournal } from "./journal-reader.ts";
import type { JournalOptions } from "./journalctl-on.ts";
import { isReaderGone } from "./reader-gone.ts";
import type { Place } from "./unit-place.ts";
import { type JournalEntry, journalEntry, journalLine } from "./views/journal-line.ts";

/**
 * The journals of several units or machines as one: by time, each line with its machine's name; with `follow` as lines come. JSON lines keep
 * what journalctl says and gain `FLEET_MACHINE`. A machine that cannot be read is told, and the others are shown; resolves with the worst code.
 */
export async function mergeJournals(
  places: readonly Place[],
  options: JournalOptions,
  way: JournalWay,
  { print, fail }: { readonly print: (line: string) => void; readonly fail: (place: Place, error: unknown) => number },
): Promise<number> {
  const kept: { readonly entry: JournalEntry; readonly line: string }[] = [];
  const codes = await Promise.all(
    places.map(async (place) => {
      const machine = place.machineName ?? place.machine;
      const take = (line: string) => {
        const entry = journalEntry(line);
        if (entry === null || entry.atUs < (options.sinceMs ?? 0) * 1_000) return;
        const shown = options.json
          ? JSON.stringify({ ...JSON.parse(line), FLEET_MACHINE: machine })
          : journalLine(machine, entry);
        if (options.follow) print(shown);
        else kept.push({ entry, line: shown });
      };
      const lines = byLine(take);
      try {
        const code = await readJournal(place, { ...options, json: true }, way, lines.write);
        lines.end();
        return code;
      } catch (error) {
        return fail(place, error);
      }
    }),
  );
  kept.sort((a, b) => a.entry.atUs - b.entry.atUs);
  for (const { line } of kept) if (!isReaderGone()) print(line);
  return Math.max(...codes);
}

/** Pieces to whole lines. */
function byLine(take: (line: string) => void): { write(text: string): void; end(): void } {
  let rest = "";
  return {
    write(text) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      for (const line of lines) if (line !== "") take(line);
    },
    end() {
      if (rest !== "") take(rest);
    },
  };
}
