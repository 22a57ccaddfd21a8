import { open } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { type CommitStatus, GITHUB } from "../../domain/notify/convergence-status.ts";
import { OperationError } from "../../ports/operation-error.ts";
import type { StatusPoster } from "../../ports/status-poster.ts";

const API = "https://api.github.com";
/** From the first look-up to the answer. */
const LIMIT_MS = 10_000;
/** The longest of GitHub's tokens has 255 characters. */
const TOKEN_BYTES_MAX = 1_024;

/** Commit statuses by GitHub's REST API. A file that does not look like a token is not sent: a commit names it. */
export class GithubStatus implements StatusPoster {
  readonly host: string;
  readonly #api: string;

  /** `api`: of an Enterprise, `https://ghe.example/api/v3`. Throws OperationError `bad-forge-api` where it is no address. */
  constructor(api: string = API) {
    if (!/^https?:/.test(api) || !URL.canParse(api)) {
      throw new OperationError("bad-forge-api", `--forge-api ${api} is no address`, {
        next: "write one such as https://ghe.example/api/v3",
      });
    }
    this.#api = api.replace(/\/+$/, "");
    this.host = api === API ? GITHUB : new URL(api).host;
  }

  async post(repository: string, context: string, status: CommitStatus, tokenFile: string): Promise<void> {
    const token = await readToken(tokenFile);
    const { commit, state, description } = status;
    const body = JSON.stringify({ state, context, description });
    const url = new URL(`${this.#api}/repos/${repository}/statuses/${commit}`);
    const request = url.protocol === "https:" ? httpsRequest : httpRequest;
    await new Promise<void>((resolve, reject) => {
      const fail = (why: string, next?: string) =>
        reject(
          new OperationError(
            "forge-failed",
            `cannot post the status ${context} to ${repository}: ${why}`,
            next === undefined ? {} : { next },
          ),
        );
      const sent = request(
        url,
        {
          method: "POST",
          agent: false,
          signal: AbortSignal.timeout(LIMIT_MS),
          headers: {
            accept: "application/vnd.github+json",
            authorization: `Bearer ${token}`,
            "content-type": "application/json",
            "content-length": Buffer.byteLength(body),
            "user-agent": "fleet",
            "x-github-api-version": "2022-11-28",
          },
        },
        (response) => {
          const { statusCode = 0 } = response;
          response.destroy();
          if (statusCode === 201) resolve();
          else fail(`it answered ${statusCode}`, "the token needs write access to the repository's commit statuses");
        },
      );
      sent.once("error", (error: NodeJS.ErrnoException) => fail(error.code ?? error.name));
      sent.end(body);
    });
  }
}

async function readToken(path: string): Promise<string> {
  const refuse = (why: string, cause?: unknown) =>
    new OperationError("forge-token", `cannot use the token in ${path}: ${why}`, {
      ...(cause === undefined ? {} : { cause }),
      next: "put a token that may write commit statuses there, readable by the engine's user",
    });
  try {
    const file = await open(path, "r");
    try {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(TOKEN_BYTES_MAX), 0, TOKEN_BYTES_MAX, 0);
      const token = buffer.toString("latin1", 0, bytesRead).trim();
      if (!/^[A-Za-z0-9_]{20,255}$/.test(token)) throw refuse("it does not look like one");
      return token;
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof OperationError) throw error;
    throw refuse((error as NodeJS.ErrnoException).code ?? "it cannot be read", error);
  }
}
