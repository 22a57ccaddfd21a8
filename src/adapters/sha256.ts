import { hash } from "node:crypto";
import type { Sha256 } from "../domain/names.ts";

/** The domain's hash argument, by OpenSSL. */
export const sha256: Sha256 = (text) => hash("sha256", text, "hex");
