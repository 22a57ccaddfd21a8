import assert from "node:assert/strict";
import { test } from "node:test";
import { pickSubnet } from "./lab-network.ts";

const LAPTOP = "default via 192.168.1.1 dev wlan0\n192.168.1.0/24 dev wlan0\nlocal 192.168.1.7 dev wlan0 table local\n";

const CASES: readonly { sentence: string; routes: string; taken?: readonly string[]; subnet: string | null }[] = [
  { sentence: "the first one is free on an ordinary laptop", routes: LAPTOP, subnet: "10.77.0" },
  { sentence: "one the host has a route to is left to it", routes: "10.77.0.0/24 dev br0", subnet: "10.77.1" },
  { sentence: "so is one with a single host in it", routes: "unreachable 10.77.0.9 dev lo", subnet: "10.77.1" },
  { sentence: "so is one inside a wider route", routes: "10.77.0.0/23 via 10.0.0.1 dev tun0", subnet: "10.77.2" },
  { sentence: "a VPN to all of 10.0.0.0/8 moves labs elsewhere", routes: "10.0.0.0/8 dev tun0", subnet: "172.29.0" },
  {
    sentence: "a VPN's two halves are a default route",
    routes: "0.0.0.0/1 dev tun0\n128.0.0.0/1 dev tun0",
    subnet: "10.77.0",
  },
  { sentence: "what another lab has is taken", routes: LAPTOP, taken: ["10.77.0", "10.77.1"], subnet: "10.77.2" },
  { sentence: "nothing is left", routes: "10.0.0.0/8 x\n172.16.0.0/12 x\n192.168.0.0/16 x", subnet: null },
];

for (const { sentence, routes, taken = [], subnet } of CASES) {
  test(`a lab's network: ${sentence}`, () => assert.equal(pickSubnet(routes, new Set(taken)), subnet));
}
