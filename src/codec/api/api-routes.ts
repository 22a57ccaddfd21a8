/** A path that the engine's API answers. The server, `schemas/api.openapi.json` and the tests go by this one table. */
export interface ApiRoute {
  readonly id: ApiRouteId;
  readonly method: "GET" | "POST";
  /** `{name}` is one step of it, percent-encoded. */
  readonly path: string;
  readonly summary: string;
  /** What may stand behind the `?`; the first value of each counts. */
  readonly query?: Readonly<Record<string, string>>;
  /** Absent: JSON. */
  readonly type?: "text/plain" | "text/event-stream";
}

export type ApiRouteId =
  | "units"
  | "unit"
  | "states"
  | "unit-state"
  | "machines"
  | "discovery"
  | "status"
  | "plan"
  | "branch-plan"
  | "releases"
  | "events"
  | "sync"
  | "metrics"
  | "health";

const NEXT_PAGE = { nextPageToken: "From the page before" };

/** The first six as the original fleet documented them (its API v1); it answered below `/v1-alpha` alike, and so do we. */
export const API_ROUTES: readonly ApiRoute[] = [
  {
    ...{ id: "units", method: "GET", path: "/fleet/v1/units", query: NEXT_PAGE },
    summary: "The units of the release in force, in pages, sorted by name",
  },
  { id: "unit", method: "GET", path: "/fleet/v1/units/{name}", summary: "One unit of the release in force" },
  {
    ...{ id: "states", method: "GET", path: "/fleet/v1/state" },
    query: { ...NEXT_PAGE, machineID: "Only of this machine, by its whole id", unitName: "Only of this unit" },
    summary: "What machines that are there say of their units, in pages, sorted by unit, then machine",
  },
  {
    ...{ id: "unit-state", method: "GET", path: "/fleet/v1/state/{name}" },
    summary: "What one machine says of a unit: the first of them, sorted by id",
  },
  {
    ...{ id: "machines", method: "GET", path: "/fleet/v1/machines", query: NEXT_PAGE },
    summary: "The machines that are there, in pages, sorted by id",
  },
  { id: "discovery", method: "GET", path: "/fleet/v1/discovery", summary: "The original API's discovery document" },
  { id: "status", method: "GET", path: "/v1/status", summary: "What `fleet status --json` prints" },
  {
    ...{ id: "plan", method: "GET", path: "/v1/plan", query: { release: "Its number (default: the one in force)" } },
    summary: "The plan a release was made with, as `fleet show --json` prints it",
  },
  {
    ...{ id: "branch-plan", method: "GET", path: "/v1/plan/branch" },
    summary: "What the tip of the branch would change, as `fleet plan --json` prints it; no more than seconds old",
  },
  {
    ...{ id: "releases", method: "GET", path: "/v1/releases", query: { last: "How many, 1 to 50 (default: 10)" } },
    summary: "The last releases, newest first, as `fleet history --json` prints them where no repository is at hand",
  },
  {
    ...{ id: "events", method: "GET", path: "/v1/events", type: "text/event-stream" },
    summary: "What changes from now on: `release`, `unit` and `machine` events",
  },
  {
    ...{ id: "sync", method: "POST", path: "/v1/sync", query: { timeout: "As in 9s (default), at most 60s" } },
    summary: "Lets the leading engine look at the branch now, as `fleet sync now` does, and says what came of it",
  },
  { id: "metrics", method: "GET", path: "/metrics", type: "text/plain", summary: "Metrics in Prometheus' format" },
  { id: "health", method: "GET", path: "/healthz", summary: "Whether this engine works: 200, or 503" },
];
