import { startEmbeddedRegistry } from "../../src/adapters/embedded/embedded-registry-server.ts";

/** The embedded registry as a process of its own, to be killed: arguments are the data directory and where to listen. */
const [dataDir, ...listen] = process.argv.slice(2);
const registry = await startEmbeddedRegistry({ dataDir: dataDir!, listen });
console.log(JSON.stringify(registry.addresses));
