import { randomId } from "../adapters/random-id.ts";
import { runAction } from "./main.ts";

// What is written to a pipe is written at once on Linux, so that nothing is lost where the process ends here.
process.exitCode = await runAction({
  env: process.env,
  write: (text) => process.stdout.write(text),
  newId: randomId,
});
