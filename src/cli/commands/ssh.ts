import { spawn } from "node:child_process";
import { once } from "node:events";
import { Args, Flags } from "@oclif/core";
import { findMember } from "../../domain/cluster/find-member.ts";
import { OperationError } from "../../ports/operation-error.ts";
import { chooseUnits } from "../choose-units.ts";
import { type ClusterView, readListView } from "../cluster-view.ts";
import { addressOf, inLabMachine } from "../journalctl-on.ts";
import { LookingCommand, lookingFlags } from "../looking-command.ts";
import { memberNamed } from "../member-named.ts";
import { placesOf } from "../unit-place.ts";
import { unitRows } from "../views/unit-rows.ts";
import { wordsBehindDashes } from "../words-behind-dashes.ts";

/** What sshd and our own shells take for a user: no option, no host in disguise. */
const USER = /^[A-Za-z_][A-Za-z0-9_.-]{0,63}$/;

export default class SshCommand extends LookingCommand {
  static override summary =
    "Open a shell on a machine, or on the one a unit runs on, or run a command there, by this system's ssh";
  static override description =
    "ssh's own configuration, keys and known hosts count; the host is the address the machine published. Ends with the exit code of ssh. Words behind -- are the command.";
  static override examples = ["fleet ssh m1", "fleet ssh web@1.service -- systemctl status web@1.service"];
  static override args = {
    target: Args.string({
      description:
        "A machine by its name, its id or the beginning of its id; or a unit, also with a machine: web.service@m1",
    }),
  };
  static override strict = false;
  static override flags = {
    ...lookingFlags,
    machine: Flags.string({ description: "A machine, where a unit has the same name" }),
    unit: Flags.string({ description: "A unit, where a machine has the same name", exclusive: ["machine"] }),
    user: Flags.string({
      char: "u",
      description: "As this user there (default: ssh's own)",
      env: "FLEET_SSH_USERNAME",
    }),
    "ssh-port": Flags.integer({ description: "The port of sshd there (default: ssh's own)", min: 1, max: 65_535 }),
    "forward-agent": Flags.boolean({ char: "A", description: "Let ssh there use the keys of the agent here" }),
  };

  async run(): Promise<void> {
    const { own, behind } = wordsBehindDashes(this.argv);
    const { argv, flags } = await this.parse(SshCommand, own);
    const isNamed = flags.machine !== undefined || flags.unit !== undefined;
    const [target, before] = isNamed ? [undefined, argv] : [argv[0], argv.slice(1)];
    if (!isNamed && target === undefined) {
      throw new OperationError("which-machine", "no machine and no unit is named", { next: "fleet ssh m1" });
    }
    if (flags.user !== undefined && !USER.test(flags.user)) {
      throw new OperationError("bad-user", `--user ${flags.user} is no name of a user`, {
        next: "fleet ssh --user root m1",
      });
    }
    const view = await this.look(flags, readListView);
    const place = placeOf(view, { ...flags, target: target === undefined ? undefined : String(target) });
    process.exitCode = await runHere(sshWords(place, flags, [...before.map(String), ...behind]));
  }
}

interface Reached {
  readonly machine: string;
  readonly machineName: string;
  readonly address: string | null;
}

interface SshFlags {
  readonly user?: string | undefined;
  readonly "ssh-port"?: number | undefined;
  readonly "forward-agent": boolean;
}

/** The program and its words; inside a machine of a lab here without ssh, as journals of it are read. */
function sshWords(place: Reached, flags: SshFlags, command: readonly string[]): string[] {
  const lab = inLabMachine(place.machine);
  if (lab !== null) return [...lab, ...(command.length === 0 ? ["bash", "-l"] : ["sh", "-c", command.join(" ")])];
  return [
    "ssh",
    ...(flags.user === undefined ? [] : ["-l", flags.user]),
    ...(flags["ssh-port"] === undefined ? [] : ["-p", String(flags["ssh-port"])]),
    ...(flags["forward-agent"] ? ["-A"] : []),
    "--",
    addressOf(place),
    ...command,
  ];
}

/** By what was named; a word that is both a machine and a unit is neither. */
function placeOf(
  view: ClusterView,
  {
    target,
    machine,
    unit,
  }: { readonly target: string | undefined } & Readonly<Partial<Record<"machine" | "unit", string | undefined>>>,
): Reached {
  const { members } = view.snapshot;
  const reachedMember = (word: string): Reached => {
    const { id, name, address } = memberNamed(word, members);
    return { machine: id, machineName: name, address };
  };
  if (machine !== undefined) return reachedMember(machine);
  const rows = unitRows(view);
  if (unit !== undefined) return onePlace(unit, view);
  const isUnit = chooseUnits([target!], rows).rows.length > 0;
  const found = findMember(target!, members);
  if (found.kind !== "unknown" && isUnit) {
    throw new OperationError("which-machine", `${target} is a machine and a unit`, {
      next: `fleet ssh --machine ${target}, or --unit ${target}`,
    });
  }
  return isUnit || (found.kind === "unknown" && /[.@]/.test(target!))
    ? onePlace(target!, view)
    : reachedMember(target!);
}

function onePlace(word: string, view: ClusterView): Reached {
  const places = placesOf(word, unitRows(view), view.snapshot.members, undefined);
  const [first] = places;
  if (first !== undefined && new Set(places.map(({ machine }) => machine)).size === 1) {
    return { ...first, machineName: first.machineName ?? first.machine };
  }
  throw new OperationError(
    "which-machine",
    `${word} is on several machines: ${places.map(({ machineName }) => machineName).join(", ")}`,
    {
      next: `name one of them: fleet ssh ${first!.machineName}`,
    },
  );
}

/** In this terminal: what is typed goes there, Ctrl-C too. */
async function runHere(argv: readonly string[]): Promise<number> {
  const ignore = () => {};
  process.on("SIGINT", ignore);
  try {
    const child = spawn(argv[0]!, argv.slice(1), { stdio: "inherit" });
    const [code] = (await once(child, "exit")) as [number | null];
    return code ?? 255;
  } catch (cause) {
    throw new OperationError("program-missing", `cannot run ${argv[0]}`, { cause, next: "install OpenSSH's client" });
  } finally {
    process.removeListener("SIGINT", ignore);
  }
}
