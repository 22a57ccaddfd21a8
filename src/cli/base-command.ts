import { Command, Flags } from "@oclif/core";
import { type Composition, compose } from "./composition.ts";

/** Flags every command that reads a repository takes; each also as an environment variable. */
export const repositoryFlags = {
  directory: Flags.string({
    char: "C",
    description: "Run as if started in this directory",
    env: "FLEET_DIRECTORY",
    default: ".",
  }),
  manifest: Flags.string({
    description: "The manifest, relative to the repository",
    env: "FLEET_MANIFEST",
    default: "fleet.yaml",
  }),
  revision: Flags.string({ description: "The commit to read", env: "FLEET_REVISION", default: "HEAD" }),
};

/** Where the registry is, and who asks it. */
export const addressFlags = {
  registry: Flags.string({
    description:
      "etcd://h1:2379,h2:2379, etcds://…, hub://h1,h2 (engines), unix:/path, file:STATE (read only), or none (default: /run/fleet/registry.sock if it exists, then the engines this machine has joined)",
    env: "FLEET_REGISTRY",
  }),
  "etcd-cafile": Flags.string({ description: "etcds://: the authority to trust (PEM)", env: "FLEET_ETCD_CAFILE" }),
  "etcd-certfile": Flags.string({
    description: "etcds://: this client's certificate (PEM)",
    env: "FLEET_ETCD_CERTFILE",
  }),
  "etcd-keyfile": Flags.string({ description: "etcds://: its key (PEM)", env: "FLEET_ETCD_KEYFILE" }),
};

/** Flags every command that talks to a cluster takes. */
export const clusterFlags = {
  ...addressFlags,
  source: Flags.string({ description: "The repository daemons follow: a URL or a path", env: "FLEET_SOURCE" }),
  branch: Flags.string({ description: "The branch daemons follow", env: "FLEET_BRANCH" }),
  cluster: Flags.string({ description: "The cluster's name (default: the manifest's)", env: "FLEET_CLUSTER" }),
};

/** Flags of commands that are about a cluster and no commit: they stand in a repository only to learn the cluster's name. */
export const clusterAloneFlags = {
  directory: repositoryFlags.directory,
  manifest: repositoryFlags.manifest,
  ...addressFlags,
  cluster: clusterFlags.cluster,
};

export const outputFlags = {
  json: Flags.boolean({ description: "Print JSON: the same content, for programs" }),
  "no-color": Flags.boolean({ description: "No colour, also on a terminal", env: "FLEET_NO_COLOR" }),
};

/** A command parses, calls one use case and shows one view. Standard output carries the result, standard error the talk. */
export abstract class BaseCommand extends Command {
  static override enableJsonFlag = false;

  protected compose(flags: Parameters<typeof compose>[0]): Promise<Composition> {
    return compose(flags);
  }

  /** The result, on standard output, with one final newline. */
  protected print(text: string): void {
    process.stdout.write(text === "" || text.endsWith("\n") ? text : `${text}\n`);
  }

  protected printJson(value: unknown): void {
    this.print(JSON.stringify(value, null, 2));
  }

  /** What is said on the way, on standard error. */
  protected say(text: string): void {
    process.stderr.write(`${text}\n`);
  }

  /** Errors go to whoever ran the command; main tells them once. */
  protected override async catch(error: Error): Promise<void> {
    throw error;
  }
}
