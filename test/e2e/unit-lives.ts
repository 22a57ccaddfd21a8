import type { ClusterOnLab } from "./cluster-on-lab.ts";

/** systemd's messages by their catalog ids, the same in every language: "Started …". */
const UP = "39f53479d3a045ac8e11786248231fbf";
/** "Stopping …", "Stopped …", "Main process exited", "Failed with result …". */
const DOWN: ReadonlySet<string> = new Set([
  "de5b426a63be47a7b6ac3eaac82e2f6f",
  "9d1aaa27d60140bd96365438aad20286",
  "98e322203f7a4ed290d09fe03c09fe15",
  "d9b373ed55a64feb8242e02dbe79a49c",
]);

/** That a unit went up or down on a machine. */
export interface LifeEvent {
  readonly machine: string;
  readonly unit: string;
  readonly isUp: boolean;
  /** Microseconds since 1970 by the kernel's clock when systemd said so; the machines of a lab share it with the tests. */
  readonly atUs: number;
}

/** Every start and end of a unit on these machines since then (milliseconds since 1970), by what each one's systemd said; oldest first. */
export async function unitLives(
  cluster: ClusterOnLab,
  machines: readonly string[],
  sinceMs: number,
): Promise<LifeEvent[]> {
  const lives = await Promise.all(
    machines.map(async (machine) => {
      await cluster.inside(machine, "journalctl", "--sync");
      const fields = "--output-fields=UNIT,MESSAGE_ID,_SOURCE_REALTIME_TIMESTAMP";
      const since = `--since=@${(sinceMs / 1_000).toFixed(3)}`;
      const lines = await cluster.inside(machine, "journalctl", "-q", "-o", "json", fields, since, "_PID=1");
      return lines
        .split("\n")
        .filter(Boolean)
        .flatMap((line): LifeEvent[] => {
          const { UNIT: unit, MESSAGE_ID: id, _SOURCE_REALTIME_TIMESTAMP: us } = JSON.parse(line);
          if (unit === undefined || (id !== UP && !DOWN.has(id))) return [];
          return [{ machine, unit, isUp: id === UP, atUs: Number(us) }];
        });
    }),
  );
  return lives.flat().sort((a, b) => a.atUs - b.atUs);
}

/** The fewest machines on which that unit was up at any moment, where it was up on all of them before. */
export function fewestUp(lives: readonly LifeEvent[], unit: string, machines: readonly string[]): number {
  const up = new Set(machines);
  let fewest = up.size;
  for (const event of lives) {
    if (event.unit !== unit) continue;
    if (event.isUp) up.add(event.machine);
    else up.delete(event.machine);
    fewest = Math.min(fewest, up.size);
  }
  return fewest;
}
