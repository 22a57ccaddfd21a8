import { DBusError } from "dbus-next";
import { OperationError } from "../../ports/operation-error.ts";

interface Refusal {
  readonly code: string;
  readonly next?: string;
}

const UNREACHABLE: Refusal = { code: "systemd-unreachable", next: "look at systemctl status dbus.service" };
const NO_RIGHT: Refusal = { code: "access-denied", next: "run the agent as root" };

const REFUSALS: Readonly<Record<string, Refusal>> = {
  "org.freedesktop.systemd1.NoSuchUnit": { code: "unit-not-found" },
  "org.freedesktop.systemd1.UnitMasked": { code: "unit-masked", next: "systemctl unmask it" },
  "org.freedesktop.systemd1.BadUnitSetting": { code: "unit-bad-setting", next: "systemd-analyze verify says what" },
  "org.freedesktop.systemd1.JobTypeNotApplicable": { code: "unit-not-reloadable" },
  "org.freedesktop.systemd1.LoadFailed": { code: "unit-load-failed", next: "systemd-analyze verify says what" },
  "org.freedesktop.systemd1.ShuttingDown": { code: "shutting-down" },
  "org.freedesktop.DBus.Error.AccessDenied": NO_RIGHT,
  "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired": NO_RIGHT,
  "org.freedesktop.DBus.Error.ServiceUnknown": UNREACHABLE,
  "org.freedesktop.DBus.Error.NameHasNoOwner": UNREACHABLE,
  "org.freedesktop.DBus.Error.NoReply": UNREACHABLE,
  "org.freedesktop.DBus.Error.LimitsExceeded": UNREACHABLE,
};

/**
 * The bus knows how to start whoever is to be called systemd: `/bin/false`, which ends. It tries where systemd is away for a moment, as
 * it is while it executes itself anew.
 */
const NOT_ACTIVATED = "org.freedesktop.DBus.Error.Spawn.";

/** systemd's or the bus's error reply as an error of ours, with its own words; what is ours already stays. */
export function systemdRefusal(doing: string, error: unknown): OperationError {
  if (error instanceof OperationError) return error;
  if (!(error instanceof DBusError)) {
    return new OperationError("systemd-unreachable", `${doing}: ${String(error)}`, { cause: error });
  }
  const { code, next } = refusalOf(error.type);
  const message = `${doing}: ${error.text || error.type}`;
  return new OperationError(code, message, { cause: error, ...(next === undefined ? {} : { next }) });
}

function refusalOf(type: string): Refusal {
  if (type.startsWith(NOT_ACTIVATED)) return UNREACHABLE;
  return REFUSALS[type] ?? { code: "systemd-refused" };
}

export function isNoSuchUnit(error: unknown): boolean {
  return error instanceof DBusError && error.type === "org.freedesktop.systemd1.NoSuchUnit";
}
