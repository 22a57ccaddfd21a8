const STRING = { type: "string" } as const;
const list = (of: string) => ({ type: "array", items: { $ref: of } }) as const;
const NEXT_PAGE = { ...STRING, location: "query" } as const;

/** The original API's discovery document (a Google one), with the methods that are answered here: those that read. */
export function discoveryDocument(): object {
  return {
    kind: "discovery#restDescription",
    discoveryVersion: "v1",
    id: "fleet:v1",
    name: "fleet",
    version: "v1",
    title: "fleet API",
    description: "",
    documentationLink: "http://github.com/coreos/fleet",
    protocol: "rest",
    icons: { x16: "", x32: "" },
    labels: [],
    baseUrl: "$ENDPOINT/fleet/v1/",
    basePath: "/fleet/v1/",
    rootUrl: "$ENDPOINT/",
    servicePath: "fleet/v1/",
    batchPath: "batch",
    parameters: {},
    auth: {},
    schemas: SCHEMAS,
    resources: {
      Machines: {
        methods: { List: method("fleet.Machine.List", "machines", "MachinePage", { nextPageToken: NEXT_PAGE }) },
      },
      Units: {
        methods: {
          Get: method("fleet.Unit.Get", "units/{unitName}", "Unit", {
            unitName: { ...STRING, location: "path", required: true },
          }),
          List: method("fleet.Unit.List", "units", "UnitPage", { nextPageToken: NEXT_PAGE }),
        },
      },
      UnitState: {
        methods: {
          List: method("fleet.UnitState.List", "state", "UnitStatePage", {
            nextPageToken: NEXT_PAGE,
            unitName: NEXT_PAGE,
            machineID: NEXT_PAGE,
          }),
        },
      },
    },
  };
}

function method(id: string, path: string, answer: string, parameters: object): object {
  return { id, description: "", httpMethod: "GET", path, parameters, response: { $ref: answer } };
}

const STATE = { ...STRING, enum: ["inactive", "loaded", "launched"] } as const;

const SCHEMAS = {
  Machine: object("Machine", {
    id: { ...STRING, required: true },
    primaryIP: { ...STRING, required: true },
    metadata: { type: "object", properties: {}, additionalProperties: STRING },
  }),
  MachinePage: object("MachinePage", { machines: { ...list("Machine"), required: true }, nextPageToken: STRING }),
  UnitOption: object("UnitOption", {
    section: { ...STRING, required: true },
    name: { ...STRING, required: true },
    value: { ...STRING, required: true },
  }),
  Unit: object("Unit", {
    name: STRING,
    options: list("UnitOption"),
    desiredState: STATE,
    currentState: STATE,
    machineID: { ...STRING, required: true },
  }),
  UnitPage: object("UnitPage", { units: list("Unit"), nextPageToken: STRING }),
  UnitState: object("UnitState", {
    name: STRING,
    hash: STRING,
    machineID: STRING,
    systemdLoadState: STRING,
    systemdActiveState: STRING,
    systemdSubState: STRING,
  }),
  UnitStatePage: object("UnitStatePage", { states: list("UnitState"), nextPageToken: STRING }),
};

function object(id: string, properties: object): object {
  return { id, type: "object", properties };
}
