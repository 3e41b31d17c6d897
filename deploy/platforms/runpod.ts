/**
 * The platform RunPod: serverless GPUs behind its load balancer or its queue.
 *
 * The balancer requests `/ping` on PORT_HEALTH: 204 means loading, 200 means
 * ready; a request ends after 330 seconds. A network volume is mounted at
 * /runpod-volume and keeps models between workers. The files are the variables
 * of RunPod's GraphQL mutation `saveEndpoint`, one per endpoint.
 *
 * @module
 */

import { type DeployOptions, OptionsError } from "./options.ts";
import {
  environmentOf,
  type Facts,
  type Platform,
  PORT,
  type Rendering,
  ROUTED_BY_HOST,
} from "./platform.ts";

const FACTS: Facts = {
  graceS: 10,
  beforeStopS: 0,
  startS: undefined,
  maxRequestS: 330,
  gpu: true,
};

/** Facts of a queue, whose jobs may take longer. */
const QUEUE_FACTS: Facts = { ...FACTS, maxRequestS: 86_400 };

/** Mount point of a network volume. */
const VOLUME = "/runpod-volume";

/**
 * Cards of 80 and of 48 GB: they hold an 8 B decoder in 16 bits with its KV
 * cache.
 */
const GPUS = "AMPERE_80,ADA_48_PRO,AMPERE_48";

const MUTATION =
  "mutation Save($input: EndpointInput!) { saveEndpoint(input: $input) { id name } }";

/** The platform RunPod with a load balancer. */
export const RUNPOD: Platform = {
  name: "runpod",
  meaning: "RunPod, behind its load balancer",
  facts: FACTS,
  render: (options) =>
    rendering(options, FACTS, {
      type: "LB",
      scalerType: "REQUEST_COUNT",
      scalerValue: options.concurrency,
    }),
};

/** The platform RunPod with a queue. */
export const RUNPOD_QUEUE: Platform = {
  name: "runpod-queue",
  meaning: "RunPod, behind its queue",
  facts: QUEUE_FACTS,
  render: (options) =>
    rendering(options, QUEUE_FACTS, {
      type: "QB",
      scalerType: "QUEUE_DELAY",
      scalerValue: 4,
      executionTimeoutMs: 1000 * options.requestTimeoutS,
    }),
};

function rendering(
  options: DeployOptions,
  facts: Facts,
  kind: Readonly<Record<string, string | number>>,
): Rendering {
  if (!options.gpu) {
    throw new OptionsError(
      "RunPod has only servers with a GPU; add --gpu",
    );
  }
  const { name, image, secrets, storage } = options;
  // The volume is a cache of every worker, not a model.
  const values = {
    ...environmentOf({ ...options, storage: undefined }, facts, ROUTED_BY_HOST),
    PORT_HEALTH: String(PORT),
    ...storage === undefined ? {} : { XDG_CACHE_HOME: VOLUME },
    // Workers share the volume, and must not share their jobs.
    STORE: options.settings["STORE"] ?? "/tmp/jobs.sqlite",
    ...Object.fromEntries(
      Object.entries(secrets).map(([variable, reference]) => [
        variable,
        `{{ RUNPOD_SECRET_${reference} }}`,
      ]),
    ),
  };
  const input = {
    name,
    ...kind,
    gpuIds: GPUS,
    gpuCount: 1,
    workersMin: options.minServers,
    workersMax: options.maxServers,
    idleTimeout: 60,
    ...storage === undefined ? {} : { networkVolumeId: storage },
    template: {
      name: `${name}-template`,
      imageName: image,
      containerDiskInGb: options.cacheGib,
      ports: `${PORT}/http`,
      env: Object.entries(values).map(([key, value]) => ({ key, value })),
    },
  };
  const request = { query: MUTATION, variables: { input } };
  return {
    files: { "endpoint.json": `${JSON.stringify(request, undefined, 2)}\n` },
    steps: [
      ...[...new Set(Object.values(secrets))].map((reference) =>
        `# create the secret ${reference} in RunPod's console`
      ),
      'curl --json @endpoint.json -H "Authorization: Bearer $RUNPOD_API_KEY" https://api.runpod.io/graphql',
    ],
  };
}
