#!/usr/bin/env node
// `fleetd` is `fleet daemon`.
process.argv.splice(2, 0, "daemon");
await import("./fleet.js");
