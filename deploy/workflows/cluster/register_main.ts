/**
 * The entry of the job that registers the service of the chains at a cluster.
 *
 * @module
 */

import { parseCommandLine, UsageError } from "../../../lib/command_line.ts";
import { runCommand, say } from "../../command/run_command.ts";
import { registerService } from "./register.ts";

const USAGE = `Usage: register_main.ts <service> <admin> <ingress> [<ingress> …]

Registers the service of the chains at a cluster of Restate, and waits until
every ingress knows its chains.

Arguments:
  <service>  address of the service, as nodes reach it, such as http://chains:9080
  <admin>    address of the admin API, such as http://restate:9070
  <ingress>  address of each node's ingress, such as http://restate:8080`;

/** Milliseconds until the job fails, to be tried again by its platform. */
const LIMIT_MS = 300_000;

if (import.meta.main) {
  await runCommand({
    usage: USAGE,
    run: async ({ stop }) => {
      const { positionals } = parseCommandLine(Deno.args, {});
      const [service, admin, ...ingresses] = positionals;
      if (
        service === undefined || admin === undefined || ingresses.length === 0
      ) {
        throw new UsageError("register", "an address is missing", USAGE);
      }
      await registerService(
        { service, admin, ingresses },
        AbortSignal.any([stop.signal, AbortSignal.timeout(LIMIT_MS)]),
      );
      say(`Registered ${service}: ${ingresses.length} nodes know its chains`);
    },
  });
}
