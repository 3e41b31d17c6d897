/**
 * The platform Fly Machines, for models that run fast enough on CPUs.
 *
 * There are no GPUs. Machines are stopped with SIGINT by default and killed
 * after `kill_timeout`; they stop when idle and start with the next request.
 * Volumes belong to one machine.
 *
 * @module
 */

import { stringify } from "smol-toml";
import { type DeployOptions, OptionsError } from "./options.ts";
import {
  CACHE,
  environmentOf,
  type Facts,
  HEALTH,
  type Platform,
  PORT,
} from "./platform.ts";

const FACTS: Facts = {
  graceS: 60,
  beforeStopS: 0,
  startS: undefined,
  maxRequestS: undefined,
  gpu: false,
};

/** The platform Fly. */
export const FLY: Platform = {
  name: "fly",
  meaning: "Fly Machines, without a GPU",
  facts: FACTS,
  render: (options) => {
    if (options.storage !== undefined) {
      throw new OptionsError(
        "Fly does not fetch models; remove --storage and set MODEL",
      );
    }
    if (!Number.isInteger(options.cpus)) {
      throw new OptionsError(
        `cpus is ${options.cpus}, expected a whole number`,
      );
    }
    return {
      files: { "fly.toml": `# Emu3 on Fly.\n${stringify(document(options))}` },
      steps: [
        `fly apps create ${options.name}`,
        ...Object.entries(options.secrets).map(([variable, reference]) =>
          `fly secrets set --stage ${variable}="$${reference}"`
        ),
        "fly deploy",
      ],
    };
  },
};

/**
 * Returns the names of the app, and the one header that Fly's proxy overwrites:
 * it appends to a client's own X-Forwarded-For.
 */
function frontEndSettings({ name }: DeployOptions) {
  return {
    PUBLIC_URL: `https://${name}.fly.dev`,
    ALLOWED_HOSTS: `${name}.internal,${name}.flycast`,
    TRUST_PROXY: "1",
    TRUST_PROXY_HEADER: "fly-client-ip",
  };
}

function document(options: DeployOptions) {
  const { name, image, concurrency } = options;
  return {
    app: name,
    kill_signal: "SIGINT",
    kill_timeout: `${FACTS.graceS}s`,
    build: { image },
    env: environmentOf(options, FACTS, frontEndSettings(options)),
    mounts: [{
      source: `${name.replaceAll("-", "_")}_cache`,
      destination: CACHE,
      initial_size: `${options.cacheGib}gb`,
    }],
    http_service: {
      internal_port: PORT,
      force_https: true,
      auto_stop_machines: "stop",
      auto_start_machines: true,
      min_machines_running: options.minServers,
      concurrency: {
        type: "requests",
        soft_limit: Math.max(1, Math.floor(concurrency / 2)),
        hard_limit: concurrency,
      },
      checks: [{
        method: "GET",
        path: HEALTH.ready,
        interval: "10s",
        timeout: "5s",
        grace_period: "60s",
      }],
    },
    vm: [{
      cpu_kind: "performance",
      cpus: options.cpus,
      memory: `${options.memoryGib}gb`,
    }],
  };
}
