import { Flags } from "@oclif/core";

export const labFlags = { name: Flags.string({ description: "The lab's name", default: "lab", env: "FLEET_LAB" }) };
