import { writeFile } from "node:fs/promises";
import { diskError } from "../adapters/files/disk-error.ts";

/** Puts what a command made where its user said, replacing what is there. `mode` is for a file that comes into being. */
export async function saveFile(path: string, text: string, mode = 0o666): Promise<void> {
  await writeFile(path, text, { mode, flush: true }).catch((error: unknown) => {
    throw diskError("write", path, error);
  });
}
