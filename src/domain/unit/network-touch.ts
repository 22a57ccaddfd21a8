import type { InstalledFile } from "../tasks/task.ts";
import { type EffectiveUnit, effectiveUnit } from "./effective-unit.ts";
import { parseBoolean } from "./parse-boolean.ts";
import { parseUnitFile } from "./parse-unit-file.ts";
import { splitWords } from "./split-words.ts";

/** Why a change of a unit may cut its machine off; `by` is what says so, as written. */
export type NetworkTouch =
  /** Its name is one of those that bring links up, resolve names, filter packets or let people in. */
  | { readonly code: "network-name"; readonly by: string }
  /** The network waits for it: `Before=network-pre.target`, `WantedBy=network-online.target`. */
  | { readonly code: "network-order"; readonly by: string }
  /** It runs a program that changes links, routes, filters or tunnels. */
  | { readonly code: "network-program"; readonly by: string }
  /** It asks for the right to do so. */
  | { readonly code: "network-capability"; readonly by: string };

/**
 * Whether a unit may take its machine's network away; null where nothing says so. By names and words alone: a guess, which costs a
 * moment of asking where it is wrong, and which `confirm:` in the manifest overrules. What runs in a network of its own touches none.
 */
export function networkTouch(name: string, files: readonly InstalledFile[]): NetworkTouch | null {
  if (isNetworkName(name)) return { code: "network-name", by: name };
  if (!files.some(({ text }) => MAY_TOUCH.test(text))) return null;
  const unit = readUnit(name, files);
  if (unit === null) return null;
  const ordered = networkOrder(unit);
  if (ordered !== null || hasOwnNetwork(unit)) return ordered;
  return networkProgram(unit) ?? networkCapability(unit);
}

/** Of units by their usual names, without type and instance; what follows a name's `-` or `_` is its user's business. */
const NETWORK_NAMES = new RegExp(
  `^(${[
    "NetworkManager|ModemManager|connman|networking|networks?|netplan|netctl|ifup|ifupdown|ifplugd|systemd-networkd|bond|bridge|vlan|uplink",
    "dhcpcd|dhclient|pppd?|pppoe|wpa_supplicant|iwd|hostapd|wifi|wlan|wwan",
    "wg|wg-quick|wireguard|openvpn|vpn|strongswan|ipsec|tailscaled?|zerotier|nebula|netbird|cloudflared",
    "nftables|iptables|ip6tables|ebtables|ipset|netfilter|firewall|firewalld|ufw|shorewall|ferm",
    "systemd-resolved|dnsmasq|unbound|resolvconf",
    "ssh|sshd|dropbear|keepalived|bird|frr|openvswitch|ovs-vswitchd",
  ].join("|")})([-_].*)?$`,
);

/** `.network`, `.link` and `.netdev` of systemd-networkd would be files, not units; a quadlet's `.network` is podman's alone. */
const NETWORK_TYPES: ReadonlySet<string> = new Set(["link", "netdev"]);

function isNetworkName(name: string): boolean {
  const dot = name.lastIndexOf(".");
  const type = name.slice(dot + 1);
  if (NETWORK_TYPES.has(type)) return true;
  // The timer of a backup of the firewall's rules touches nothing by itself; what it starts is judged by itself.
  if (type !== "service" && type !== "socket" && type !== "target") return false;
  return NETWORK_NAMES.test(name.slice(0, dot).replace(/@.*$/, ""));
}

const NETWORK_TARGETS: ReadonlySet<string> = new Set(["network.target", "network-pre.target", "network-online.target"]);
const NETWORK_ORDERS: readonly (readonly [string, string])[] = [
  ["Unit", "Before"],
  ["Install", "WantedBy"],
  ["Install", "RequiredBy"],
];

function networkOrder(unit: EffectiveUnit): NetworkTouch | null {
  for (const [section, key] of NETWORK_ORDERS) {
    for (const { value } of unit.allValues(section, key)) {
      const target = splitWords(value).words.find((word) => NETWORK_TARGETS.has(word));
      if (target !== undefined) return { code: "network-order", by: `${key}=${target}` };
    }
  }
  return null;
}

function hasOwnNetwork(unit: EffectiveUnit): boolean {
  const isPrivate = parseBoolean(unit.last("Service", "PrivateNetwork")?.value ?? "no") === true;
  return isPrivate || unit.last("Service", "NetworkNamespacePath") !== null;
}

const NETWORK_PROGRAMS: ReadonlySet<string> = new Set(
  [
    "ip ifconfig route ethtool iw iwconfig rfkill brctl bridge vconfig ifenslave tc ovs-vsctl nmcli networkctl netplan",
    "ifup ifdown ifreload dhclient dhcpcd udhcpc pppd wpa_supplicant wpa_cli iwctl hostapd resolvectl resolvconf",
    "wg wg-quick openvpn tailscale tailscaled zerotier-one nebula ipsec swanctl",
    "nft iptables iptables-restore iptables-legacy ip6tables ip6tables-restore ip6tables-legacy ebtables arptables ipset",
    "firewall-cmd firewalld ufw conntrack",
  ].flatMap((line) => line.split(" ")),
);

/** What every text has in it that says so, and most have not: reading twenty thousand units takes a second, this a tenth. */
const MAY_TOUCH = new RegExp(
  `network(-pre|-online)?\\.target|NET_ADMIN|privileged|\\b(systemctl|sysctl|${[...NETWORK_PROGRAMS].join("|")})\\b`,
  "i",
);

/** What runs the program that is named further on. */
const WRAPPERS: ReadonlySet<string> = new Set(
  "sh bash dash ash zsh busybox env sudo nice ionice timeout flock nsenter setsid chrt".split(" "),
);
const COMMANDS: readonly string[] = [
  "ExecCondition",
  "ExecStartPre",
  "ExecStart",
  "ExecStartPost",
  "ExecReload",
  "ExecStop",
  "ExecStopPost",
];

function networkProgram(unit: EffectiveUnit): NetworkTouch | null {
  for (const section of ["Service", "Socket"]) {
    for (const key of COMMANDS) {
      for (const { value } of unit.values(section, key)) {
        const program = programIn(value);
        if (program !== null) return { code: "network-program", by: `${key}= runs ${program}` };
      }
    }
  }
  return null;
}

function programIn(command: string): string | null {
  const [first = "", ...rest] = splitWords(command.replace(/^[@:+!|-]+/, "")).words;
  const program = baseName(first);
  if (NETWORK_PROGRAMS.has(program)) return program;
  if (program === "systemctl") return rest.find((word) => isNetworkName(word)) ?? null;
  if (program === "sysctl") return rest.some((word) => word.startsWith("net.")) ? program : null;
  if (!WRAPPERS.has(program)) return null;
  // A shell's text, or another command line: what is named in it is taken to be run.
  const words = rest.flatMap((word) => word.split(/[\s;&|()`$"'{}]+/));
  return words.map(baseName).find((word) => NETWORK_PROGRAMS.has(word)) ?? null;
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

const CAPABILITY = "CAP_NET_ADMIN";

function networkCapability(unit: EffectiveUnit): NetworkTouch | null {
  for (const key of ["AmbientCapabilities", "CapabilityBoundingSet"]) {
    for (const { value } of unit.values("Service", key)) {
      const isGiven = !value.startsWith("~") && splitWords(value).words.includes(CAPABILITY);
      if (isGiven) return { code: "network-capability", by: `${key}=${CAPABILITY}` };
    }
  }
  const isHosts = unit.values("Container", "Network").some(({ value }) => value === "host");
  const added = unit.values("Container", "AddCapability").flatMap(({ value }) => splitWords(value).words);
  const isAdmin = added.some((word) => word.toUpperCase().replace(/^CAP_/, "") === "NET_ADMIN");
  if (isHosts && isAdmin) return { code: "network-capability", by: "AddCapability=NET_ADMIN" };
  const words = unit.values("Service", "ExecStart").flatMap(({ value }) => splitWords(value).words);
  const line = words.join(" ");
  const isContainer =
    /--net(work)?[= ]host\b/.test(line) && /--privileged\b|--cap-add[= ](CAP_)?NET_ADMIN\b/i.test(line);
  return isContainer ? { code: "network-capability", by: "--cap-add=NET_ADMIN" } : null;
}

/** With the drop-ins its files bring; null where its fragment is not among them. */
function readUnit(name: string, files: readonly InstalledFile[]): EffectiveUnit | null {
  const fragment = files.find(({ path }) => path === name);
  if (fragment === undefined) return null;
  const dropins = files.filter(({ path }) => path.startsWith(`${name}.d/`));
  const read = ({ path, text }: InstalledFile) => parseUnitFile(path, text).file;
  return effectiveUnit(read(fragment), [...dropins].sort((a, b) => (a.path < b.path ? -1 : 1)).map(read));
}
