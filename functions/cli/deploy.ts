/**
 * The entry of `deno task deploy`: passes the server's variables to the command,
 * which refuses settings that the server would refuse at its start.
 *
 * @module
 */

import { deploy } from "../../deploy/platforms/command.ts";
import { VARIABLES } from "../variables.ts";

if (import.meta.main) await deploy(Deno.args, VARIABLES);
