import { Args, Flags, type Interfaces } from "@oclif/core";
import { systemClock } from "../../adapters/system-clock.ts";
import { readJoinTarget } from "../../domain/join/join-target.ts";
import { OperationError } from "../../ports/operation-error.ts";
import { type JoinProgress, waitJoined } from "../../usecases/wait-joined.ts";
import { addressFlags, BaseCommand, clusterFlags, outputFlags } from "../base-command.ts";
import { EXIT, SilentExit } from "../exit-codes.ts";
import { fleetConf } from "../fleet-conf.ts";
import { beginJoining, type Joining, startServices } from "../joining.ts";
import { listenAddress } from "../listen-address.ts";
import { type JoinedMachine, joinedText, progressText } from "../views/join-text.ts";
import { machineStanza } from "../views/machine-stanza.ts";

/** What every machine of a cluster runs. */
const AGENT_SERVICES = ["fleet-agent.service", "fleet-restore.service"];
const { branch } = clusterFlags;

type Flags_ = Interfaces.InferredFlags<typeof JoinCommand.flags>;

export default class JoinCommand extends BaseCommand {
  static override summary = "Make this machine one of a cluster";
  static override description =
    "fleet join nas.lan dials the engine of a hub (or several: nas,hub2:7440), shows its key to be compared, pins it and the cluster, and prints the stanza to commit; --token needs no commit. fleet join URL makes this machine follow a repository itself: the first one of a hub, with a registry of its own and --listen for the others, or one that reaches an etcd (--registry). Nothing but this machine changes. Again is harmless.";
  static override examples = ["fleet join nas.lan", "fleet join https://git.example/infra.git --listen :7440"];
  static override args = {
    target: Args.string({
      description: "Engines (host[:port], by commas), or a repository's URL or path",
      required: true,
    }),
  };
  static override flags = {
    ...outputFlags,
    name: Flags.string({ description: "This machine's name in the manifest (default: the host name)" }),
    metadata: Flags.string({ description: "key=value,key=value of this machine" }),
    token: Flags.string({ description: "Come in by this token, without a commit", env: "FLEET_TOKEN" }),
    "engine-key": Flags.string({
      description: "The engine's key (ed25519:…), instead of being asked; several times for several",
      multiple: true,
    }),
    "host-key": Flags.string({
      description:
        "With an ssh address: a key of that host (SHA256:…), instead of being asked; several times for several",
      multiple: true,
    }),
    "source-credentials": Flags.string({
      description: "With an https address: the file with https://user:password@host that daemons are to read",
    }),
    wait: Flags.boolean({ description: "Wait until it is in and its agent has taken a release" }),
    timeout: Flags.string({ description: "For --wait: how long", default: "10m" }),
    start: Flags.boolean({ description: "Start fleet's services, now and at each boot", default: true, allowNo: true }),
    listen: Flags.string({
      description: "With a URL: serve other machines on HOST:PORT",
      env: "FLEET_LISTEN",
    }),
    branch,
    manifest: Flags.string({
      description: "The manifest, relative to the repository (default: fleet.yaml)",
      env: "FLEET_MANIFEST",
    }),
    ...addressFlags,
    "state-directory": Flags.string({
      description: "What must survive a reboot",
      env: "FLEET_STATE_DIRECTORY",
      default: "/var/lib/fleet",
    }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(JoinCommand);
    const lastMs = await waitLimit(flags);
    const target = readJoinTarget(args.target);
    const joining = await beginJoining(flags);
    if (target.kind === "engines") {
      const { joinEngines } = await import("../join-engines.ts");
      const { joined, unreachable, look } = await joinEngines(target.address, flags, joining, (text) => this.say(text));
      for (const { engine, problem } of unreachable) this.say(`${engine}: ${problem.message} [${problem.code}]`);
      const started = await startServices(flags, joining, AGENT_SERVICES);
      return this.#show(joined, AGENT_SERVICES, started, look, flags, lastMs);
    }
    if (flags.token !== undefined) throw wrongWay("--token", "a token is shown to an engine");
    if (flags["engine-key"] !== undefined) throw wrongWay("--engine-key", "no engine is dialled");
    const access = target.ssh ? await this.#prepareSsh(target.url, flags["host-key"] ?? [], joining) : undefined;
    if (flags.listen !== undefined) listenAddress(flags.listen);
    if (hasPassword(target.url))
      this.say(
        `its password is going to stand in ${fleetConf()}, for everybody on this machine to read; --source-credentials keeps it in a file of its own`,
      );
    const { joinSource } = await import("../join-source.ts");
    const { joined, services, look } = await joinSource(target.url, { ...flags, access }, joining);
    const all = [...services, ...AGENT_SERVICES];
    const started = await startServices(flags, joining, all);
    return this.#show(joined, all, started, look, flags, lastMs);
  }

  async #prepareSsh(url: string, hostKeys: readonly string[], joining: Joining) {
    const { prepareSsh } = await import("../join-by-ssh.ts");
    const talk = { print: (text: string) => this.say(text), say: (text: string) => this.say(text) };
    return prepareSsh(url, hostKeys, joining, talk);
  }

  async #show(
    joined: JoinedMachine,
    services: readonly string[],
    started: readonly string[],
    look: () => Promise<JoinProgress>,
    flags: Flags_,
    lastMs: number,
  ): Promise<void> {
    if (!flags.json) this.print(joinedText(joined, services, started));
    const progress = flags.wait
      ? await waitJoined(look, (what) => this.say(progressText(what)), lastMs, systemClock)
      : undefined;
    if (flags.json) this.printJson({ result: "joined", ...joined, stanza: machineStanza(joined), started, progress });
    if (progress === undefined) return;
    if (progress !== null) return this.say(`${joined.name} is in, and has taken release ${progress.acceptedSeq}`);
    this.say(`not in after ${flags.timeout}; the agent goes on trying`);
    throw new SilentExit(EXIT.notConverged);
  }
}

function hasPassword(url: string): boolean {
  return URL.canParse(url) && new URL(url).password !== "";
}

async function waitLimit(flags: { readonly timeout: string }): Promise<number> {
  const { parseDuration } = await import("../../domain/spec/duration.ts");
  const ms = parseDuration(flags.timeout);
  if (ms !== null) return systemClock.monotonicMs() + ms;
  throw new OperationError("bad-duration", `--timeout ${flags.timeout} is not a duration`, {
    next: "write one such as 10m",
  });
}

function wrongWay(flag: string, why: string): OperationError {
  return new OperationError("usage", `${flag} is not for a repository: ${why}`, { next: `fleet join HOST ${flag} …` });
}
