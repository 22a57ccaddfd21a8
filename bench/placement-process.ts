/** `node bench/placement-process.ts FILE`: places what the file says, once, and prints the CPU time of just that in milliseconds. */
import { readFileSync } from "node:fs";
import { sha256 } from "../src/adapters/sha256.ts";
import { placeUnits } from "../src/domain/placement/place-units.ts";
import { cpuMs } from "./figures.ts";
import type { PlacementCase } from "./placement-input.ts";

const { spec, machines } = JSON.parse(readFileSync(process.argv[2]!, "utf8")) as PlacementCase;
const input = { spec, machines, current: new Map(), preferred: new Map(), sha256 };
const placed = { units: 0 };
const spent = cpuMs(() => {
  placed.units = placeUnits(input).placements.length;
});
process.stdout.write(`${JSON.stringify({ spent, ...placed })}\n`);
