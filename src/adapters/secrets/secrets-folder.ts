import { chmod, mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { diskError } from "../files/disk-error.ts";

/** The folder above all values, before the first of them: nobody but root may so much as list it. Rejects with OperationError. */
export async function makeSecretsFolder(path: string): Promise<void> {
  try {
    // What else is below /run/fleet is for everybody to read.
    await mkdir(dirname(path), { recursive: true, mode: 0o755 });
    await mkdir(path, { recursive: true, mode: 0o700 });
    await chmod(path, 0o700);
  } catch (error) {
    throw diskError("write", path, error);
  }
}
