import assert from "node:assert/strict";
import { test } from "node:test";
import { networkTouch } from "./network-touch.ts";

const service = (lines: string, head = "") => `[Unit]\n${head}\n[Service]\n${lines}\n`;
const plain = service("ExecStart=/usr/bin/app");

const CASES: readonly (readonly [string, string, string | null, string])[] = [
  ["NetworkManager.service", plain, "network-name NetworkManager.service", "a name that is known to bring links up"],
  ["wpa_supplicant@wlan0.service", plain, "network-name wpa_supplicant@wlan0.service", "an instance of one"],
  ["wg-quick@wg0.service", plain, "network-name wg-quick@wg0.service", "a tunnel"],
  ["nftables.service", plain, "network-name nftables.service", "filters packets"],
  ["firewall-rules.service", plain, "network-name firewall-rules.service", "a name of one's own that begins so"],
  ["ssh.socket", plain, "network-name ssh.socket", "lets people in"],
  ["eth0.link", "", "network-name eth0.link", "a link's own file, if such ever come"],
  ["br0.netdev", "", "network-name br0.netdev", "a device's own file"],
  ["front.network", "[Network]\nSubnet=10.0.0.0/24\n", null, "a quadlet's network is podman's alone"],
  ["web.service", plain, null, "nothing says so"],
  ["sshfs-backup.service", plain, null, "begins like ssh and is another word"],
  ["nftables-backup.timer", "[Timer]\nOnCalendar=daily\n", null, "a timer touches nothing by itself"],
  [
    "rules.service",
    service("ExecStart=/bin/rules", "Before=foo.service network-pre.target"),
    "network-order Before=network-pre.target",
    "the network waits for it",
  ],
  [
    "late.service",
    `${plain}[Install]\nWantedBy=network-online.target\n`,
    "network-order WantedBy=network-online.target",
    "the network wants it",
  ],
  ["web.service", service("ExecStart=/usr/bin/app", "After=network-online.target"), null, "only waits for the network"],
  [
    "a.service",
    service("ExecStart=/usr/sbin/ip route add default via 10.0.0.1"),
    "network-program ExecStart= runs ip",
    "runs ip",
  ],
  [
    "a.service",
    service("ExecStart=/bin/true\nExecStop=-+/sbin/nft flush ruleset"),
    "network-program ExecStop= runs nft",
    "runs nft when it stops, behind prefixes",
  ],
  [
    "a.service",
    service("ExecStart=/bin/sh -c 'sleep 1; ip link set eth0 down'"),
    "network-program ExecStart= runs ip",
    "a shell that runs ip",
  ],
  [
    "a.service",
    service("ExecStart=/bin/sh -c 'app --ip 10.0.0.1 /etc/ip.conf'"),
    null,
    "an option and a file that are named alike",
  ],
  ["a.service", service("ExecStart=/bin/echo ip"), null, "a word of another program"],
  [
    "a.service",
    service("ExecStart=systemctl restart NetworkManager.service"),
    "network-program ExecStart= runs NetworkManager.service",
    "restarts one that does",
  ],
  [
    "a.service",
    service("ExecStart=/sbin/sysctl -w net.ipv4.ip_forward=0"),
    "network-program ExecStart= runs sysctl",
    "a setting of the network",
  ],
  ["a.service", service("ExecStart=/sbin/sysctl -w vm.swappiness=1"), null, "a setting of memory"],
  [
    "a.service",
    service("ExecStart=/usr/sbin/ip link\nExecStart=\nExecStart=/bin/true"),
    null,
    "an ExecStart= that a later empty one takes back",
  ],
  ["a.service", service("ExecStart=/usr/sbin/ip link\nPrivateNetwork=yes"), null, "in a network of its own"],
  [
    "a.service",
    service("ExecStart=/app\nAmbientCapabilities=CAP_NET_RAW CAP_NET_ADMIN"),
    "network-capability AmbientCapabilities=CAP_NET_ADMIN",
    "asks for the right",
  ],
  ["a.service", service("ExecStart=/app\nCapabilityBoundingSet=~CAP_NET_ADMIN"), null, "gives the right up"],
  [
    "a.container",
    "[Container]\nImage=x\nNetwork=host\nAddCapability=NET_ADMIN\n",
    "network-capability AddCapability=NET_ADMIN",
    "a container in the host's network with the right",
  ],
  [
    "a.container",
    "[Container]\nImage=x\nAddCapability=NET_ADMIN\n",
    null,
    "a container with the right over its own network",
  ],
  [
    "a.service",
    service("ExecStart=/usr/bin/docker run --net=host --cap-add NET_ADMIN x"),
    "network-capability --cap-add=NET_ADMIN",
    "the same by a command line",
  ],
  [
    "a.service",
    service("ExecStart=/usr/bin/docker run --cap-add NET_ADMIN x"),
    null,
    "in its own network by a command line",
  ],
  ["a.service", "no unit file at all", null, "a text that cannot be read"],
];

for (const [name, text, expected, because] of CASES) {
  test(`${name}: ${because}`, () => {
    const touch = networkTouch(name, [{ path: name, text }]);
    assert.equal(touch === null ? null : `${touch.code} ${touch.by}`, expected);
  });
}

test("a drop-in says it as well as the unit's own file, and one of another unit does not", () => {
  const dropin = { path: "a.service.d/10-x.conf", text: "[Service]\nExecStartPost=/sbin/ip link\n" };
  const other = { ...dropin, path: "b.service.d/10-x.conf" };
  assert.equal(networkTouch("a.service", [{ path: "a.service", text: plain }, dropin])?.code, "network-program");
  assert.equal(networkTouch("a.service", [{ path: "a.service", text: plain }, other]), null);
});

test("no files at all are no reason, a known name is one even then", () => {
  assert.equal(networkTouch("a.service", []), null);
  assert.equal(networkTouch("sshd.service", [])?.code, "network-name");
});
