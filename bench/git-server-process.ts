/** Serves a repository in a process of its own and prints its address: starting git from a large one costs that one 30 ms each time. */
import { serveGitRepository } from "../test/contract/git-http-server.ts";

const { url } = await serveGitRepository(process.argv[2]!);
process.stdout.write(`${url}\n`);
