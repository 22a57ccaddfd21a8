import type { ClusterOnLab } from "./cluster-on-lab.ts";

/** systemd's message "Started …", in its catalog: the same in every language. */
const STARTED = "39f53479d3a045ac8e11786248231fbf";

/** What systemd in a machine says of units, and how often it started them. */
export class UnitStarts {
  readonly #cluster: ClusterOnLab;
  readonly #machine: string;

  constructor(cluster: ClusterOnLab, machine: string) {
    this.#cluster = cluster;
    this.#machine = machine;
  }

  /** A property of each unit, in the order asked for; those that are empty are left out. */
  async show(property: string, units: readonly string[]): Promise<string[]> {
    const shown = await this.#inside("systemctl", "show", "--value", `--property=${property}`, "--", ...units);
    return shown.split("\n").filter(Boolean);
  }

  /** A place in the journal, to count from. */
  async cursor(): Promise<string> {
    await this.#inside("journalctl", "--sync");
    return /^-- cursor: (.*)$/m.exec(await this.#inside("journalctl", "-q", "-n", "1", "--show-cursor"))![1]!;
  }

  /** How often systemd started each unit since then; who is not in it was not started. */
  async since(cursor: string): Promise<Map<string, number>> {
    const counts = new Map<string, number>();
    for (const { UNIT: unit, MESSAGE_ID: message } of await this.#journal(cursor)) {
      if (unit !== undefined && message === STARTED) counts.set(unit, (counts.get(unit) ?? 0) + 1);
    }
    return counts;
  }

  /** What PID 1 has said since then. */
  async said(cursor: string): Promise<string[]> {
    return (await this.#journal(cursor)).flatMap((entry) => (entry._PID === "1" ? [entry.MESSAGE ?? ""] : []));
  }

  async #journal(cursor: string): Promise<readonly Readonly<Record<string, string | undefined>>[]> {
    await this.#inside("journalctl", "--sync");
    // Not with a match: systemd 252 then skips the first entry after the cursor.
    const fields = "--output-fields=UNIT,MESSAGE_ID,MESSAGE,_PID";
    const lines = await this.#inside("journalctl", "-q", "-o", "json", fields, `--after-cursor=${cursor}`);
    return lines
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Record<string, string>);
  }

  #inside(...argv: string[]): Promise<string> {
    return this.#cluster.inside(this.#machine, ...argv);
  }
}
