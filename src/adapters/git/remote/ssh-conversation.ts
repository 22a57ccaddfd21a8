import { type ChildProcess, spawn } from "node:child_process";
import { OperationError } from "../../../ports/operation-error.ts";
import { displayUrl } from "../display-url.ts";
import { type TalkLimits, timedOut, tooMuch } from "./http-conversation.ts";
import { PacketReader } from "./packet-reader.ts";
import type { SshAccess } from "./remote-access.ts";
import type { RemoteAddress } from "./remote-address.ts";
import type { Conversation } from "./upload-pack.ts";

type SshAddress = Extract<RemoteAddress, { kind: "ssh" }>;

/** Of what ssh says on its way out; only known phrases of it are ever told. */
const COMPLAINT_BYTES = 4_096;

/**
 * git's protocol over the machine's own `ssh`, on which the server runs `git-upload-pack`. Over the daemons' way nothing of the user counts:
 * no configuration, no agent, no other key than the one named, and a host whose key is not in the list is not talked to.
 */
export function sshConversation(address: SshAddress, access: SshAccess, limits: TalkLimits): Conversation {
  const name = displayOf(address);
  const ssh = spawn("ssh", sshArguments(address, access, limits.timeoutMs), {
    stdio: ["pipe", "pipe", "pipe"],
    // A person's ssh has that person's surroundings: an agent, a home.
    ...(access.kind === "personal" ? {} : { env: { PATH: "/usr/bin:/bin", LC_ALL: "C" } }),
  });
  let complaint = "";
  let expired = false;
  const timer = setTimeout(() => {
    expired = true;
    ssh.kill("SIGKILL");
  }, limits.timeoutMs);
  const ended = endOf(ssh).finally(() => clearTimeout(timer));
  // Whoever reads learns it; a talk that is closed before is over anyway.
  ended.catch(() => undefined);
  ssh.stderr.on("data", (chunk: Buffer) => {
    if (complaint.length < COMPLAINT_BYTES) complaint += chunk.toString("latin1");
  });
  // Its end says what went wrong.
  ssh.stdin.on("error", () => ssh.stdin.destroy());

  async function* answer(): AsyncIterableIterator<Buffer> {
    let bytes = 0;
    for await (const chunk of ssh.stdout) {
      bytes += (chunk as Buffer).length;
      if (bytes > limits.maxBytes) {
        ssh.kill("SIGKILL");
        throw tooMuch(name, limits.maxBytes);
      }
      yield chunk as Buffer;
    }
    const code = await ended.catch((cause: unknown) => {
      throw new OperationError("ssh-missing", "there is no ssh on this machine", {
        cause,
        next: "install it (openssh-client), or use the repository's https address",
      });
    });
    if (expired) throw timedOut(name, limits.timeoutMs, undefined);
    if (code !== 0) throw sshRefusal(name, complaint);
  }
  const reader = new PacketReader(answer());
  return {
    greeting: async () => reader,
    async ask(request) {
      ssh.stdin.write(request);
      return reader;
    },
    close() {
      clearTimeout(timer);
      ssh.kill("SIGKILL");
      ssh.stdout.destroy();
    },
  };
}

/** As people write it; a user is no secret. */
export function displayOf({ host, port, path }: SshAddress): string {
  const at = host.includes(":") ? `[${host}]` : host;
  return displayUrl(`ssh://${at}${port === null ? "" : `:${port}`}/${path.replace(/^\/+/, "")}`);
}

function sshArguments({ user, host, port, path }: SshAddress, access: SshAccess, timeoutMs: number): string[] {
  const options = {
    BatchMode: "yes",
    ConnectTimeout: String(Math.max(1, Math.ceil(timeoutMs / 1000))),
    ServerAliveInterval: "5",
    ServerAliveCountMax: "3",
    ForwardAgent: "no",
    ForwardX11: "no",
    ClearAllForwardings: "yes",
    PermitLocalCommand: "no",
    RequestTTY: "no",
    SetEnv: "GIT_PROTOCOL=version=2",
    ...(access.kind === "personal" ? {} : pinnedOptions(access)),
  };
  return [
    ...(access.kind === "personal" ? [] : ["-F", "none"]),
    ...Object.entries(options).flatMap(([key, value]) => ["-o", `${key}=${value}`]),
    ...(port === null ? [] : ["-p", String(port)]),
    ...(user === null ? [] : ["-l", user]),
    "--",
    host,
    // A shell takes it apart at the other end.
    `git-upload-pack '${path.replaceAll("'", "'\\''")}'`,
  ];
}

function pinnedOptions({ keyFile, knownHostsFile }: Extract<SshAccess, { kind: "pinned" }>): Record<string, string> {
  return {
    StrictHostKeyChecking: "yes",
    UserKnownHostsFile: quoted(knownHostsFile),
    GlobalKnownHostsFile: "/dev/null",
    UpdateHostKeys: "no",
    IdentityFile: quoted(keyFile),
    IdentitiesOnly: "yes",
    IdentityAgent: "none",
    AddKeysToAgent: "no",
    PreferredAuthentications: "publickey",
    PasswordAuthentication: "no",
    KbdInteractiveAuthentication: "no",
    ControlMaster: "no",
    ControlPath: "none",
  };
}

/** ssh_config(5): a value with spaces stands in quotes, `%` begins a token. */
function quoted(path: string): string {
  return `"${path.replaceAll("%", "%%")}"`;
}

function endOf(ssh: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    ssh.on("error", reject);
    ssh.on("close", (code) => resolve(code ?? 255));
  });
}

function sshRefusal(name: string, complaint: string): OperationError {
  if (/Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED|No .* host key is known/i.test(complaint)) {
    return new OperationError("source-host-key", `${name} shows a host key that is not the one known here`, {
      next: "if the server's key was changed, join again and compare it; if not, somebody is in between",
    });
  }
  if (/Permission denied|Too many authentication failures|Load key|UNPROTECTED PRIVATE KEY/i.test(complaint)) {
    return new OperationError("source-unauthorized", `${name} does not accept this machine's key`, {
      next: "give the repository's forge the deploy key that fleet join prints; it need not write",
    });
  }
  if (/not found|does not appear to be a git repository|no such|does not exist/i.test(complaint)) {
    return new OperationError("source-not-found", `${name} is not there, or not for this machine's key`, {
      next: "check the address, and that the deploy key is this repository's",
    });
  }
  return new OperationError("source-unreachable", `cannot reach ${name} by ssh`, {
    cause: new Error(complaint.replace(/[^\x20-\x7e]+/g, " ").slice(0, 400)),
    next: "check the address, the network and the server",
  });
}
