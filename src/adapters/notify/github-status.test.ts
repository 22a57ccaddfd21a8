import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { CommitId } from "../../domain/names.ts";
import { OperationError } from "../../ports/operation-error.ts";
import { GithubStatus } from "./github-status.ts";

const STATUS = {
  commit: "c".repeat(40) as CommitId,
  state: "success",
  description: "release 7 runs everywhere",
} as const;
const TOKEN = `ghp_${"a".repeat(36)}`;

test("a status is posted with the file's token, and what went wrong is told without it", async () => {
  const asked: string[] = [];
  let answer = 201;
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => {
      body += chunk;
    });
    request.on("end", () => {
      asked.push(`${request.method} ${request.url} ${request.headers.authorization} ${body}`);
      response.writeHead(answer).end("{}");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const folder = mkdtempSync(join(tmpdir(), "fleet-token-"));
  try {
    const github = new GithubStatus(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const file = join(folder, "token");
    const post = () => github.post("ada/home", "fleet/shop/converged", STATUS, file);
    const failure = async (code: string) => {
      await assert.rejects(post(), (error) => {
        assert.ok(error instanceof OperationError && error.code === code, String(error));
        assert.doesNotMatch(`${error.message} ${error.next}`, /ghp_|root:/);
        return true;
      });
    };
    await failure("forge-token");
    writeFileSync(file, "root:x:0:0:root:/root:/bin/bash\n");
    await failure("forge-token");
    assert.deepEqual(asked, [], "what is no token is sent to nobody");
    writeFileSync(file, `${TOKEN}\n`);
    await post();
    const body = JSON.stringify({ state: "success", context: "fleet/shop/converged", description: STATUS.description });
    assert.deepEqual(asked, [`POST /repos/ada/home/statuses/${STATUS.commit} Bearer ${TOKEN} ${body}`]);
    answer = 403;
    await failure("forge-failed");
  } finally {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  }
});
