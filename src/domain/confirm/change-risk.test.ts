import assert from "node:assert/strict";
import { test } from "node:test";
import type { PlacedUnit } from "../cluster/cluster-snapshot.ts";
import type { UnitHash, UnitName } from "../names.ts";
import type { UnitGoal } from "../spec/cluster-spec.ts";
import { changeRisk, type JudgedText } from "./change-risk.ts";
import type { ConfirmPolicy } from "./confirm-policy.ts";

const TEXTS = new Map<string, JudgedText>();

/** A placed unit whose hash stands for its text. */
function placed(unit: string, command: string, confirm?: ConfirmPolicy, goal: UnitGoal = "launched"): PlacedUnit {
  const hash = `${unit} ${command} ${confirm}` as UnitHash;
  const text = `[Service]\nExecStart=${command}\n`;
  TEXTS.set(hash, { files: [{ path: unit, text }], ...(confirm === undefined ? {} : { confirm }) });
  return { unit: unit as UnitName, hash, goal };
}
const [web, web2] = [placed("web.service", "/bin/web"), placed("web.service", "/bin/web 2")];
const [wifi, wifi2] = [placed("wifi.service", "/bin/wifi"), placed("wifi.service", "/bin/wifi 2")];
const link = placed("link.service", "/sbin/ip link set eth0 up");
const unlink = placed("link.service", "/bin/true");
const unknown: PlacedUnit = { unit: "wifi.service" as UnitName, hash: "nowhere" as UnitHash, goal: "launched" };

type Sets = readonly PlacedUnit[];
const CASES: readonly (readonly [string, Sets, Sets, string | null])[] = [
  ["nothing changes", [web, wifi], [web, wifi], null],
  ["what changes does not touch the network", [web, wifi], [web2, wifi], null],
  ["what changes touches it", [web, wifi], [web2, wifi2], "wifi.service network-name 90000"],
  ["one that touches it comes", [web], [web, wifi], "wifi.service network-name 90000"],
  ["one that touches it goes", [web, wifi], [web], "wifi.service network-name 90000"],
  ["one that touched it does no more", [link], [unlink], "link.service network-program 90000"],
  ["one that touches it is to run no more", [wifi], [{ ...wifi, goal: "loaded" }], "wifi.service network-name 90000"],
  ["only a comment changes", [wifi], [placed("wifi.service", "/bin/wifi\n# why")], null],
  ["the manifest says off", [wifi], [placed("wifi.service", "/bin/wifi 3", "off")], null],
  ["the manifest asks", [web], [placed("web.service", "/bin/web 3", 5_000)], "web.service asked-for 5000"],
  [
    "the manifest asks for less than another gets",
    [web, wifi],
    [placed("web.service", "/bin/web 3", 5_000), wifi2],
    "web.service asked-for, wifi.service network-name 90000",
  ],
  ["its text is not here yet", [wifi], [unknown], null],
  ["the text before is not here any more", [unknown], [wifi], "wifi.service network-name 90000"],
];

for (const [because, before, after, expected] of CASES) {
  test(because, () => {
    const risk = changeRisk(before, after, (hash) => TEXTS.get(hash) ?? null);
    const units = risk?.units.map(({ unit, because: { code } }) => `${unit} ${code}`).join(", ");
    assert.equal(risk === null ? null : `${units} ${risk.withinMs}`, expected);
  });
}

test("all that changed is named, risky or not", () => {
  const risk = changeRisk([web, wifi, link], [web2, wifi2, link], (hash) => TEXTS.get(hash) ?? null);
  assert.deepEqual(risk?.changed, ["web.service", "wifi.service"]);
});
