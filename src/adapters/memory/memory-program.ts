/** What a program of the model does: runs for so long, says so much, ends so. Null is: runs until it is ended. */
export interface ProgramBehaviour {
  /** Null runs for ever. */
  readonly runsMs: number | null;
  /** Its exit code, where it ends by itself. */
  readonly code: number;
  readonly says: readonly string[];
}

/** What an `ExecStart=` line does; an answer of null leaves it to the model. */
export type Programs = (command: string) => ProgramBehaviour | null;

/** systemd's own exit code for a program that is not there. */
const NO_PROGRAM = 203;

/**
 * The few programs tests need, told by their name: `true`, `false`, `sleep N`, `echo WORDS`, and one called `nonexistent`.
 * `sh -c 'echo WORDS; exit N'` says and ends. Everything else is taken for a server: it runs for ever.
 */
export function behaviourOf(command: string): ProgramBehaviour {
  const [program = "", ...words] = command.replace(/^[-@:+!]*/, "").split(/\s+/);
  switch (program.slice(program.lastIndexOf("/") + 1)) {
    case "true":
      return { runsMs: 0, code: 0, says: [] };
    case "false":
      return { runsMs: 0, code: 1, says: [] };
    case "nonexistent":
      return { runsMs: 0, code: NO_PROGRAM, says: [] };
    case "echo":
      return { runsMs: 0, code: 0, says: [words.join(" ")] };
    case "sleep":
      return { runsMs: sleepMs(words[0] ?? ""), code: 0, says: [] };
    case "sh":
      return shell(command);
    default:
      return { runsMs: null, code: 0, says: [] };
  }
}

function sleepMs(text: string): number | null {
  return /^inf(inity)?$/.test(text) ? null : Number.parseFloat(text) * 1000;
}

function shell(command: string): ProgramBehaviour {
  const script = /'(.*)'/.exec(command)?.[1] ?? "";
  const steps = script.split(";").map((step) => step.trim());
  const says = steps.filter((step) => step.startsWith("echo ")).map((step) => step.slice("echo ".length));
  const exit = steps.find((step) => step.startsWith("exit "));
  const sleep = steps.map((step) => /^(?:exec )?sleep (\S+)$/.exec(step)?.[1]).find((text) => text !== undefined);
  return { runsMs: sleep === undefined ? 0 : sleepMs(sleep), code: Number(exit?.slice("exit ".length) ?? 0), says };
}
