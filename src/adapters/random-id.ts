import { randomBytes } from "node:crypto";
import type { RandomId } from "../ports/clock.ts";

/** 32 hexadecimal digits from the operating system's generator. */
export const randomId: RandomId = () => randomBytes(16).toString("hex");
