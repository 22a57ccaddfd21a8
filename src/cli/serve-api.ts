import { chmodSync, chownSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import type { Server } from "node:http";
import { connect } from "node:net";
import { dirname } from "node:path";
import type { ApiPorts, EngineHealth } from "../api/api-handlers.ts";
import type { ClusterPicture, SpecOf } from "../api/cluster-picture.ts";
import { registryKeys } from "../codec/registry-keys.ts";
import { backoffMs } from "../daemon/backoff.ts";
import { Seldom } from "../daemon/seldom.ts";
import { hasErrors } from "../domain/diagnostic.ts";
import type { GitSource } from "../ports/git-source.ts";
import { err, notice, refusal } from "../ports/log.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { ApiDoor } from "./api-doors.ts";
import type { DaemonWorld } from "./daemon-composition.ts";

export interface ApiServing {
  readonly doors: readonly ApiDoor[];
  readonly version: string;
  readonly health: () => EngineHealth;
  readonly metrics: (picture: () => Promise<ClusterPicture>) => Promise<string>;
}

type ServedWorld = Pick<DaemonWorld, "registry" | "compile" | "cluster" | "clock" | "newId" | "sha256" | "log"> & {
  readonly source: Pick<GitSource, "fetch">;
};

/** Answers until the signal aborts. A door that cannot be opened is told and tried again: whatever becomes of it, units are placed. */
export async function serveApi(world: ServedWorld, serving: ApiServing, signal: AbortSignal): Promise<void> {
  const [{ ApiServer }, { FollowedCluster }, { readClusterView }, { statusJson }, rows] = await Promise.all([
    import("../api/api-server.ts"),
    import("../api/followed-cluster.ts"),
    import("./cluster-view.ts"),
    import("./views/status-json.ts"),
    import("./views/unit-rows.ts"),
  ]);
  const keys = registryKeys(world.cluster);
  const cluster = new FollowedCluster(keys, world.registry, world.clock, signal);
  const { version, health, metrics } = serving;
  const server = new ApiServer(
    {
      ...{
        cluster,
        registry: world.registry,
        specOf: specOf(world),
        planBranch: planBranch(world),
        health,
        metrics,
        version,
      },
      ...{ clock: world.clock, newId: world.newId, log: world.log },
      look: async (registry) => {
        const view = await readClusterView(registry, keys);
        const shown = rows.unitRows(view);
        return {
          snapshot: view.snapshot,
          rows: shown.map((row) => ({ ...row, state: rows.stateOf(row) })),
          index: view.index,
          report: view.report,
          status: () => statusJson(view, shown, world.clock.wallMs()),
        };
      },
    },
    signal,
  );
  await Promise.all(
    serving.doors.map((door) => keepOpen(door, () => server.listener(door.door, door.tls), world, signal)),
  );
}

/** The commit's spec as this engine compiles it; an engine that only follows has perhaps not fetched it yet. */
function specOf({ source, compile }: ServedWorld): SpecOf {
  const read = async (...[commit]: Parameters<SpecOf>) => {
    const { spec, diagnostics } = await compile(commit);
    if (spec !== null && !hasErrors(diagnostics)) return spec;
    throw new OperationError("commit-invalid", `commit ${commit}: ${diagnostics[0]?.saw ?? "it does not compile"}`);
  };
  return async (commit) => {
    try {
      return await read(commit);
    } catch (error) {
      if (!(error instanceof OperationError) || error.code !== "commit-unknown") throw error;
      await source.fetch(commit);
      return read(commit);
    }
  };
}

function planBranch({ source, compile, sha256 }: ServedWorld): ApiPorts["planBranch"] {
  return async (registry) => {
    const [{ planCommit }, { planJson }] = await Promise.all([
      import("../usecases/plan-commit.ts"),
      import("./views/plan-json.ts"),
    ]);
    const commit = await source.fetch();
    const cluster = { registry, keysOf: registryKeys };
    const planned = await planCommit({ commit, compile, cluster, partial: null, sha256 });
    if (planned.kind === "planned") return planJson(planned);
    const [first] = planned.diagnostics;
    const more = planned.diagnostics.length > 1 ? `, and ${planned.diagnostics.length - 1} more` : "";
    const at =
      first?.at === undefined ? "" : `${first.at.path}${first.at.line === undefined ? "" : `:${first.at.line}`}: `;
    throw new OperationError("branch-rejected", `commit ${commit} cannot be planned: ${at}${first?.saw}${more}`, {
      next: "fleet validate says all of it",
    });
  };
}

/** Another engine on this machine has the socket for as long as it likes. */
const TOLD_AGAIN_MS = 600_000;

async function keepOpen(
  door: ApiDoor,
  listener: () => Server,
  { clock, log }: ServedWorld,
  signal: AbortSignal,
): Promise<void> {
  const told = new Seldom(clock, TOLD_AGAIN_MS);
  for (let failures = 0; !signal.aborted; failures++) {
    try {
      const server = listener();
      await open(server, door);
      log(notice(`answers its API on ${placeOf(server, door)}`));
      await closedBy(server, signal);
      return;
    } catch (error) {
      if (!told.isDue(String(error))) continue;
      if (error instanceof OperationError) log(refusal(error));
      else log(err(`the API failed by a mistake of fleet: ${(error as Error).stack ?? String(error)}`));
    } finally {
      await clock.sleep(backoffMs(failures), signal);
    }
  }
}

function open(server: Server, { at }: ApiDoor): Promise<void> {
  if (!("path" in at)) return listening(server, at, `${at.host}:${at.port}`);
  return openSocket(server, at.path);
}

/** A socket file that nobody answers at is of an engine that was killed. */
async function openSocket(server: Server, path: string): Promise<void> {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    if (await isAnswered(path)) {
      throw new OperationError("api-taken", `another engine answers its API on ${path}`, {
        next: "give this one a socket of its own with --api-socket, or none",
      });
    }
    rmSync(path, { force: true });
  } catch (error) {
    if (error instanceof OperationError) throw error;
    throw new OperationError("api-not-served", `cannot make ${path}`, { cause: error });
  }
  await listening(server, { path }, path);
  letGroupIn(path);
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

function listening(server: Server, at: object, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const refuse = (cause: unknown) =>
      reject(new OperationError("api-not-served", `cannot answer the API on ${name}`, { cause }));
    server.once("error", refuse);
    server.listen(at, () => {
      server.off("error", refuse);
      resolve();
    });
  });
}

/** Whose members may use the registry's socket, by fleet.sysusers.conf. */
const GROUP = "fleet";

/**
 * Who may look at the cluster is in that group; where there is none, or it is not this process's to give, only its own user and root. A process
 * of that group gives it to what it makes, and may not be let call chown.
 */
function letGroupIn(path: string): void {
  const group = groupId(GROUP);
  const isOwn = group !== null && process.getgid?.() === group;
  const isGiven = group !== null && !isOwn && process.getuid?.() === 0;
  if (isGiven) chownSync(path, 0, group);
  chmodSync(path, isOwn || isGiven ? 0o660 : 0o600);
}

function groupId(name: string): number | null {
  const line = readFileSync("/etc/group", "utf8")
    .split("\n")
    .find((one) => one.startsWith(`${name}:`));
  const id = Number(line?.split(":")[2]);
  return Number.isInteger(id) ? id : null;
}

async function closedBy(server: Server, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const end = () => {
      server.close(() => resolve());
      server.closeAllConnections();
    };
    if (signal.aborted) end();
    else signal.addEventListener("abort", end, { once: true });
  });
}

function placeOf(server: Server, { at, door }: ApiDoor): string {
  if ("path" in at) return at.path;
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : at.port;
  return `${door.scheme}://${at.host.includes(":") ? `[${at.host}]` : at.host}:${port}`;
}
