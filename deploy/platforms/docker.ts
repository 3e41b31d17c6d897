/**
 * The platform Docker or Podman on one machine, by a script.
 *
 * Docker sends SIGTERM and, after the stop timeout, SIGKILL. Secrets are
 * variables of the script's environment.
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
} from "./platform.ts";

const FACTS: Facts = {
  graceS: 30,
  beforeStopS: 0,
  startS: undefined,
  maxRequestS: undefined,
  gpu: true,
};

/** The platform `docker run`. */
export const DOCKER: Platform = {
  name: "docker",
  meaning: "docker run, by a script",
  facts: FACTS,
  render: (options) => ({
    files: { "run.sh": script(options) },
    steps: [
      ...exportSteps(options.secrets),
      "sh run.sh",
    ],
  }),
};

function script(options: DeployOptions): string {
  const { name, image, secrets, cpus, memoryGib, storage } = options;
  const environment = Object.entries(environmentOf(options, FACTS));
  const words = [
    `--name ${name}`,
    "--detach --restart unless-stopped",
    `--publish ${PORT}:${PORT}`,
    "--read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges",
    `--stop-timeout ${FACTS.graceS}`,
    `--cpus ${cpus} --memory ${memoryGib}g`,
    ...options.gpu ? ["--gpus all"] : [],
    `--volume ${quote(`${name}-cache:${CACHE}`)}`,
    ...storage === undefined
      ? []
      : [`--volume ${quote(`${storage}:${MODELS}:ro`)}`],
    ...environment.map(([variable, value]) =>
      `--env ${quote(`${variable}=${value}`)}`
    ),
    // Without a value, to keep it out of the process list.
    ...Object.keys(secrets).map((variable) => `--env ${variable}`),
    quote(image),
  ];
  return `#!/bin/sh
# Runs ${name}; stops and replaces the one that runs.
set -eu
${
    Object.entries(secrets).map(([variable, reference]) =>
      `export ${variable}="\${${reference}:?}"\n`
    ).join("")
  }docker rm --force ${name} > /dev/null 2>&1 || true
exec docker run ${words.join(" \\\n  ")}
`;
}

/** Quotes any text as one word of a shell. */
function quote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text)
    ? text
    : `'${text.replaceAll("'", `'\\''`)}'`;
}
