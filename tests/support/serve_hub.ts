/**
 * A process that serves a hub of a small model, for clients in other languages.
 * Prints its address.
 *
 * @module
 */

import { hubServer } from "./hub_server.ts";
import { hubModel } from "./tiny_hub_model.ts";

const { endpoint } = hubServer({ versions: [hubModel(1)] });
Deno.stdout.writeSync(new TextEncoder().encode(`${endpoint}\n`));
