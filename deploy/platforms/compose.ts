/**
 * The platform Docker Compose on one machine.
 *
 * Secrets are variables of the caller's environment, or of its `.env`.
 *
 * @module
 */

import type { DeployOptions } from "./options.ts";
import {
  CACHE,
  environmentOf,
  exportSteps,
  type Facts,
  MODELS,
  type Platform,
  PORT,
  yaml,
} from "./platform.ts";

const FACTS: Facts = {
  graceS: 30,
  beforeStopS: 0,
  startS: undefined,
  maxRequestS: undefined,
  gpu: true,
};

/** Name of the service within its network. */
const HOSTS = { ALLOWED_HOSTS: "emu3" };

/** The platform Docker Compose. */
export const COMPOSE: Platform = {
  name: "compose",
  meaning: "Docker Compose",
  facts: FACTS,
  render: (options) => ({
    files: {
      "compose.yaml": yaml("Emu3 with Docker Compose.", document(options)),
    },
    steps: [
      ...exportSteps(options.secrets),
      "docker compose up --detach --wait",
    ],
  }),
};

function document(options: DeployOptions) {
  const { name, image, secrets, cpus, memoryGib, gpu, storage } = options;
  return {
    name,
    services: {
      emu3: {
        image,
        restart: "unless-stopped",
        ports: [`${PORT}:${PORT}`],
        environment: {
          ...escaped(environmentOf(options, FACTS, HOSTS)),
          ...Object.fromEntries(
            Object.entries(secrets).map(([variable, reference]) => [
              variable,
              `\${${reference}:?}`,
            ]),
          ),
        },
        volumes: [
          `cache:${CACHE}`,
          ...storage === undefined ? [] : [`${storage}:${MODELS}:ro`],
        ],
        tmpfs: ["/tmp"],
        read_only: true,
        cap_drop: ["ALL"],
        security_opt: ["no-new-privileges:true"],
        stop_grace_period: `${FACTS.graceS}s`,
        deploy: {
          resources: {
            limits: { cpus: String(cpus), memory: `${memoryGib}g` },
            ...gpu
              ? {
                reservations: {
                  devices: [
                    { driver: "nvidia", count: 1, capabilities: ["gpu"] },
                  ],
                },
              }
              : {},
          },
        },
      },
    },
    volumes: { cache: {} },
  };
}

/** Escapes dollars, which Compose would replace with variables. */
function escaped(
  values: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).map((
      [name, value],
    ) => [name, value.replaceAll("$", "$$$$")]),
  );
}
